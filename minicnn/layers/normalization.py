"""Batch and layer normalisation."""

from typing import Any

from minicnn import ops
from minicnn.arguments import number, switch
from minicnn.autograd import Tensor
from minicnn.errors import UnsupportedError

from . import initializers, regularizers
from .layer import Layer, checked_axis, plain_axis
from .symbolic import Shape


class _Normalization(Layer):
    """What both share: gamma and beta over the last axis."""

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

    def _last_axis(self, input_shape: Shape) -> int:
        axes = list(self.axis) if isinstance(self.axis, (list, tuple)) else [self.axis]
        if len(axes) != 1 or checked_axis(self, axes[0], input_shape) != len(input_shape) - 1:
            raise UnsupportedError(
                f"layer {self.name}: {type(self).__name__} over axis {self.axis} of {input_shape}; "
                "minicnn normalises the last axis (channels_last)"
            )
        return self.known_channels(input_shape)

    def _add_gamma_beta(self, channels: int) -> None:
        options = (True, self.gamma_regularizer, self.gamma_constraint)
        self.gamma = self.add_weight("gamma", (channels,), self.gamma_initializer, *options) if self.scale else None
        options = (True, self.beta_regularizer, self.beta_constraint)
        self.beta = self.add_weight("beta", (channels,), self.beta_initializer, *options) if self.center else None


class BatchNormalization(_Normalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    Training uses the statistics of the batch and moves the stored ones towards them:
    moving = momentum moving + (1 - momentum) batch.  Otherwise, and always while `trainable` is False, the stored
    ones are used and nothing moves.

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
        self._keep_options(axis, center, scale, locals())
        self.momentum = number(f"layer {self.name}", "momentum", momentum, "[0, 1]")
        self.epsilon = number(f"layer {self.name}", "epsilon", epsilon, "[0, inf)")
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    @property
    def deterministic(self) -> bool:  # type: ignore[override]
        return not self.trainable

    def build(self, input_shape: Shape) -> None:
        channels = self._last_axis(input_shape)
        self._add_gamma_beta(channels)
        self.moving_mean = self.add_weight("moving_mean", (channels,), self.moving_mean_initializer, False)
        self.moving_variance = self.add_weight("moving_variance", (channels,), self.moving_variance_initializer, False)
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        if not (training and self.trainable):
            statistics = (self.moving_mean, self.moving_variance)
            return ops.batchnorm_infer(x, self.gamma, self.beta, *statistics, epsilon=self.epsilon)
        y, mean, variance = ops.batchnorm_train(x, self.gamma, self.beta, self.epsilon)
        if not x.size:  # a batch without samples has no statistics
            return y
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            with moving.update() as array:
                array += (batch - array) * array.dtype.type(1 - self.momentum)
        return y


class LayerNormalization(_Normalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta over the last axis of each row.

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
        self._add_gamma_beta(self._last_axis(input_shape))
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.layernorm(x, self.gamma, self.beta, self.epsilon)
