"""Layers that act at random while training and do nothing otherwise."""

from typing import Any

import numpy as np

from minicnn import ops
from minicnn.arguments import items, number, whole_number
from minicnn.autograd import Tensor
from minicnn.seeds import new_seed

from .data_format import Spatial, check_data_format
from .layer import Layer
from .window import rank_of


class _Noise(Layer):
    """Base of the random layers: a generator of their own, fixed by `seed`."""

    supports_masking = True

    deterministic = False

    def _start(self, seed: int | None) -> None:
        self.seed = None if seed is None else whole_number(f"layer {self.name}", "seed", seed, 0)
        self.generator = np.random.default_rng(new_seed() if self.seed is None else self.seed)


class Dropout(_Noise):
    """While training, a part `rate` of the numbers becomes 0 and the others grow by 1 / (1 - rate).

    >>> from minicnn.layers import Dropout
    >>> Dropout(0.5)(np.ones((1, 3), np.float32)).numpy()
    array([[1., 1., 1.]], dtype=float32)
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **options: Any):
        super().__init__(**options)
        self.rate = number(f"layer {self.name}", "rate", rate, "[0, 1)")
        self.noise_shape = None if noise_shape is None else self._mask_shape(noise_shape)
        self._start(seed)

    def _mask_shape(self, shape: Any) -> tuple[int | None, ...]:
        owner = f"layer {self.name}"
        sizes = items(owner, "noise_shape", shape)
        return tuple(None if n is None else whole_number(owner, "noise_shape", n, 1) for n in sizes)

    def call(self, x: Tensor, training: bool) -> Tensor:
        if not training or self.rate == 0:
            return x
        return ops.dropout(x, self.rate, self.generator, self.noise_shape)


class AlphaDropout(Dropout):
    """While training, a part `rate` of the numbers becomes the lowest of selu, and mean and variance stay as they were.

    Source: Klambauer et al., "Self-Normalizing Neural Networks", 2017.
    """

    def call(self, x: Tensor, training: bool) -> Tensor:
        if not training or self.rate == 0:
            return x
        return ops.alpha_dropout(x, self.rate, self.generator, self.noise_shape)


class _SpatialDropout(_Noise):
    """Dropout of whole channels (Tompson et al., "Efficient Object Localization", 2015)."""

    input_rank = 4

    def _set_rate(self, rate: float, seed: int | None) -> None:
        self.rate = number(f"layer {self.name}", "rate", rate, "[0, 1)")
        self._start(seed)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "trainable"}  # as Keras has it

    def call(self, x: Tensor, training: bool) -> Tensor:
        if not training or self.rate == 0:
            return x
        return ops.dropout(x, self.rate, self.generator, (None, *(1,) * rank_of(self), None))


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of (N,T,C)."""

    input_rank = 3

    def __init__(self, rate: float, seed: int | None = None, **options: Any):
        super().__init__(**options)
        self._set_rate(rate, seed)


class SpatialDropout2D(Spatial, _SpatialDropout):
    """Dropout of whole channels of (N,H,W,C)."""

    def __init__(self, rate: float, data_format: str | None = "channels_last", seed: int | None = None, **options: Any):
        super().__init__(**options)
        self.data_format = check_data_format(data_format, self.name)
        self._set_rate(rate, seed)


class SpatialDropout3D(SpatialDropout2D):
    """Dropout of whole channels of (N,D,H,W,C)."""

    input_rank = 5


class GaussianNoise(_Noise):
    """While training, y = x + noise of standard deviation stddev."""

    def __init__(self, stddev: float, seed: int | None = None, **options: Any):
        super().__init__(**options)
        self.stddev = number(f"layer {self.name}", "stddev", stddev, "[0, inf)")
        self._start(seed)

    def call(self, x: Tensor, training: bool) -> Tensor:
        if not training:
            return x
        return ops.noise(x, self.stddev, self.generator)


class GaussianDropout(_Noise):
    """While training, y = x times noise of mean 1 and variance rate / (1 - rate)."""

    def __init__(self, rate: float, seed: int | None = None, **options: Any):
        super().__init__(**options)
        self.rate = number(f"layer {self.name}", "rate", rate, "[0, 1)")
        self._start(seed)

    def call(self, x: Tensor, training: bool) -> Tensor:
        if not training or self.rate == 0:
            return x
        return ops.noise(x, np.sqrt(self.rate / (1 - self.rate)), self.generator, relative=True)


class StochasticDepth(_Noise):
    """While training, whole samples become 0 with probability `drop_path_rate`, and the others grow by 1 / (1 - rate).

    At the end of a residual block that leaves out the block (Huang et al., "Deep Networks with Stochastic Depth",
    2016).

    >>> from minicnn.layers import StochasticDepth
    >>> StochasticDepth(0.5)(np.ones((1, 3), np.float32)).numpy()
    array([[1., 1., 1.]], dtype=float32)
    """

    module = "keras.src.applications.convnext"

    def __init__(self, drop_path_rate: float, **options: Any):
        super().__init__(**options)
        self.drop_path_rate = number(f"layer {self.name}", "drop_path_rate", drop_path_rate, "[0, 1)")
        self._start(None)

    def call(self, x: Tensor, training: bool) -> Tensor:
        if not training or self.drop_path_rate == 0:
            return x
        return ops.dropout(x, self.drop_path_rate, self.generator, (None, *[1] * (x.ndim - 1)))
