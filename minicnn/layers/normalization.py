"""Batch, layer, group and unit normalisation."""

from math import prod
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.arguments import number, switch, whole_number
from minicnn.autograd import Tensor
from minicnn.errors import ShapeError, UnsupportedError
from minicnn.kernels import to_device

from . import initializers, regularizers
from .layer import Layer, checked_axis, plain_axis
from .symbolic import Shape


class _Normalization(Layer):
    """What they share: gamma and beta along an axis, the last one unless `axis` says another."""

    supports_masking = True

    beta_regularizer: Any
    beta_constraint: Any
    gamma_regularizer: Any
    gamma_constraint: Any

    def _keep_options(self, axis: Any, center: bool, scale: bool, options: dict[str, Any]) -> None:
        owner, self.axis = f"layer {self.name}", plain_axis(axis)
        self.center, self.scale = switch(owner, "center", center), switch(owner, "scale", scale)
        self.beta_initializer = initializers.get(options["beta_initializer"])
        self.gamma_initializer = initializers.get(options["gamma_initializer"])
        for role in ("beta", "gamma"):
            setattr(self, f"{role}_regularizer", regularizers.get_regularizer(options[f"{role}_regularizer"]))
            setattr(self, f"{role}_constraint", regularizers.get_constraint(options[f"{role}_constraint"]))

    def _one_axis(self, input_shape: Shape) -> int:
        """The axis as its number, counted from the first; the channels along it are noted."""
        axis = sample_axes(self, self.axis, input_shape)
        if len(axis) != 1:
            raise UnsupportedError(f"layer {self.name}: {type(self).__name__} over the axes {self.axis}; it takes one")
        return axis[0]

    def _add_gamma_beta(self, *sizes: int) -> None:
        options = (True, self.gamma_regularizer, self.gamma_constraint)
        self.gamma = self.add_weight("gamma", sizes, self.gamma_initializer, *options) if self.scale else None
        options = (True, self.beta_regularizer, self.beta_constraint)
        self.beta = self.add_weight("beta", sizes, self.beta_initializer, *options) if self.center else None


def sample_axes(layer: Layer, axis: Any, shape: Shape) -> list[int]:
    """One axis or several of a sample, counted from the first."""
    axes = [checked_axis(layer, item, shape) for item in (axis if isinstance(axis, (list, tuple)) else [axis])]
    if 0 in axes:
        raise UnsupportedError(
            f"layer {layer.name}: {type(layer).__name__} over axis {axis} of {shape}, which has the samples; minicnn "
            "normalises axes of each sample"
        )
    if not axes or len({*axes}) < len(axes):
        raise ShapeError(
            f"layer {layer.name} ({type(layer).__name__}): axis {axis} names no axis of {shape}, or one twice"
        )
    return sorted(axes)


def moved_last(x: Tensor, axes: list[int]) -> tuple[Tensor, tuple[int, ...]]:
    """(x with some axes after all others, the order that undoes this)"""
    order = [axis for axis in range(1, x.ndim) if axis not in axes] + axes
    back = tuple(order.index(axis) + 1 for axis in range(1, x.ndim))
    return (x if order == sorted(order) else ops.permute(x, tuple(order))), back


def moved_back(y: Tensor, back: tuple[int, ...]) -> Tensor:
    """y in the order of before `moved_last`."""
    return y if back == tuple(range(1, y.ndim)) else ops.permute(y, back)


class BatchNormalization(_Normalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    Training uses the statistics of the batch and moves the stored ones towards them:
    moving = momentum moving + (1 - momentum) batch.  Otherwise, and always while `trainable` is False, the stored
    ones are used and nothing moves.  Where x has a mask, the statistics are those of the steps that it keeps.

    >>> from minicnn.layers import BatchNormalization, Input
    >>> layer = BatchNormalization()
    >>> _ = layer(Input((8, 8, 3)))
    >>> [weight.name for weight in layer.weights]
    ['gamma', 'beta', 'moving_mean', 'moving_variance']
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **options: Any,
    ):
        super().__init__(**options)
        one = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis  # as Keras 2 writes it
        self._keep_options(one, center, scale, locals())
        self.momentum = number(f"layer {self.name}", "momentum", momentum, "[0, 1]")
        self.epsilon = number(f"layer {self.name}", "epsilon", epsilon, "[0, inf)")
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    @property
    def deterministic(self) -> bool:  # type: ignore[override]
        return not self.trainable

    def build(self, input_shape: Shape) -> None:
        channels = self.known_channels(input_shape, self._one_axis(input_shape))
        self._add_gamma_beta(channels)
        self.moving_mean = self.add_weight("moving_mean", (channels,), self.moving_mean_initializer, False)
        self.moving_variance = self.add_weight("moving_variance", (channels,), self.moving_variance_initializer, False)
        self.built = True

    def call(self, x: Tensor, training: bool, activation: str | None = None) -> Tensor:
        axis = self._one_axis(x.shape)
        if training and self.trainable and x.mask is not None:
            y, *statistics = ops.batchnorm_of_kept(x, x.mask, self.gamma, self.beta, self.epsilon, axis)
            self._follow(x, *statistics)
            return y if activation is None else ops.activation(y, activation)
        x, back = moved_last(x, [axis])
        return moved_back(self._normalised(x, training and self.trainable, activation), back)

    def _normalised(self, x: Tensor, by_batch: bool, activation: str | None) -> Tensor:
        """x (...,C) normalised, by the statistics of the batch, which the stored ones follow, or by those."""
        if not by_batch:
            statistics = (self.moving_mean, self.moving_variance)
            return ops.batchnorm_infer(x, self.gamma, self.beta, *statistics, self.epsilon, activation)
        y, *statistics = ops.batchnorm_train(x, self.gamma, self.beta, self.epsilon, activation)
        self._follow(x, *statistics)
        return y

    def _follow(self, x: Tensor, mean: np.ndarray, variance: np.ndarray) -> None:
        """Move the stored statistics towards those of a batch x; one without samples has none."""
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            if x.size:
                batch = to_device(batch, moving.device)
                with moving.update() as array:
                    array += (batch - array) * array.dtype.type(1 - self.momentum)


class LayerNormalization(_Normalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta over one axis of each sample, or over several.

    >>> import numpy as np
    >>> from minicnn.layers import LayerNormalization
    >>> LayerNormalization(epsilon=0.0)(np.array([[1.0, 3.0]], np.float32)).numpy()
    array([[-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **options: Any,
    ):
        super().__init__(**options)
        self._keep_options(axis, center, scale, locals())
        self.epsilon = number(f"layer {self.name}", "epsilon", epsilon, "[0, inf)")

    def build(self, input_shape: Shape) -> None:
        axes = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        sample_axes(self, axes, input_shape)
        self._add_gamma_beta(*(self.known_channels(input_shape, axis) for axis in axes))
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        axes = sample_axes(self, self.axis, x.shape)
        x, back = moved_last(x, axes)
        shape = x.shape[1:]
        if len(axes) == 1:
            return moved_back(ops.layernorm(x, self.gamma, self.beta, self.epsilon), back)
        rows = ops.reshape(x, (*shape[: -len(axes)], prod(shape[-len(axes) :])))
        gamma, beta = (None if weight is None else weight.reshape(-1) for weight in (self.gamma, self.beta))
        return moved_back(ops.reshape(ops.layernorm(rows, gamma, beta, self.epsilon), shape), back)


class GroupNormalization(_Normalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta over each group of channels of a sample.

    `groups` is -1 for a group of each channel (instance normalisation).

    >>> import numpy as np
    >>> from minicnn.layers import GroupNormalization
    >>> GroupNormalization(1, epsilon=0.0)(np.array([[1.0, 3.0]], np.float32)).numpy()
    array([[-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        groups: int = 32,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **options: Any,
    ):
        super().__init__(**options)
        self._keep_options(axis, center, scale, locals())
        self.groups = groups if groups == -1 else whole_number(f"layer {self.name}", "groups", groups, 1)
        self.epsilon = number(f"layer {self.name}", "epsilon", epsilon, "[0, inf)")

    def build(self, input_shape: Shape) -> None:
        channels = self.known_channels(input_shape, self._one_axis(input_shape))
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ShapeError(f"layer {self.name}: {channels} channels do not divide into {self.groups} groups")
        self._add_gamma_beta(channels)
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        x, back = moved_last(x, [self._one_axis(x.shape)])
        return moved_back(ops.groupnorm(x, self.gamma, self.beta, self.groups, self.epsilon), back)


class UnitNormalization(Layer):
    """y = x / |x|, the length of x along one axis or several.

    >>> import numpy as np
    >>> from minicnn.layers import UnitNormalization
    >>> UnitNormalization()(np.array([[3.0, 4.0]], np.float32)).numpy()
    array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **options: Any):
        super().__init__(**options)
        self.axis = plain_axis(axis)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.unit_norm(x, tuple(sample_axes(self, self.axis, x.shape)))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sample_axes(self, self.axis, input_shape)
        return input_shape
