"""Activations as layers of their own."""

from math import prod
from numbers import Integral
from typing import Any

from minicnn import ops
from minicnn.arguments import number, whole_numbers
from minicnn.autograd import Tensor
from minicnn.errors import ShapeError

from . import initializers, regularizers
from .activations import activate, activation_of
from .layer import Layer, checked_axis, plain_axis
from .normalization import moved_back, moved_last, sample_axes
from .symbolic import Shape


class Activation(Layer):
    """y = f(x) for f by name.

    >>> import numpy as np
    >>> from minicnn.layers import Activation
    >>> Activation("relu")(np.array([-1.0, 2.0], np.float32)).numpy()
    array([0., 2.], dtype=float32)
    """

    supports_masking = True

    def __init__(self, activation: Any, **options: Any):
        super().__init__(**options)
        self.activation = activation_of(activation, self.name)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return activate(x, self.activation)


class ReLU(Layer):
    """y = max(x, 0), or Keras' general form with max_value, negative_slope and threshold.

    >>> import numpy as np
    >>> from minicnn.layers import ReLU
    >>> ReLU(6.0)(np.array([-1.0, 9.0], np.float32)).numpy()
    array([0., 6.], dtype=float32)
    """

    supports_masking = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **options: Any
    ):
        super().__init__(**options)
        self.max_value = None if max_value is None else finite(self, "max_value", max_value)
        self.negative_slope = finite(self, "negative_slope", negative_slope)
        self.threshold = finite(self, "threshold", threshold)

    @property
    def known_name(self) -> str | None:
        """The name of the activation that it is, where its arguments are those of one."""
        if self.negative_slope or self.threshold:
            return None
        return {None: "relu", 6.0: "relu6"}.get(self.max_value)

    def call(self, x: Tensor, training: bool) -> Tensor:
        if self.known_name is not None:
            return activate(x, self.known_name)
        return ops.relu(x, self.max_value, self.negative_slope, self.threshold)


class LeakyReLU(Layer):
    """y = x where x > 0, else negative_slope x (0.3, as Keras' layer; its activation string has 0.2).

    >>> import numpy as np
    >>> from minicnn.layers import LeakyReLU
    >>> LeakyReLU(0.5)(np.array([-1.0, 9.0], np.float32)).numpy()
    array([-0.5,  9. ], dtype=float32)
    """

    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **options: Any):
        super().__init__(**options)
        self.negative_slope = finite(self, "negative_slope", negative_slope)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.activation(x, "leaky_relu", negative_slope=self.negative_slope)


class PReLU(Layer):
    """y = x where x > 0, else alpha x, with alpha learned, of one sample's shape or 1 along shared axes.

    >>> from minicnn.layers import Input, PReLU
    >>> layer = PReLU(shared_axes=[1, 2])
    >>> _ = layer(Input((8, 8, 3)))
    >>> layer.weights[0].shape
    (1, 1, 3)
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **options: Any,
    ):
        super().__init__(**options)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get_regularizer(alpha_regularizer)
        self.alpha_constraint = regularizers.get_constraint(alpha_constraint)
        axes = [shared_axes] if isinstance(shared_axes, Integral) else shared_axes
        self.shared_axes = None if axes is None else list(whole_numbers(f"layer {self.name}", "shared_axes", axes, 1))

    def build(self, input_shape: Shape) -> None:
        shared = [checked_axis(self, axis, input_shape) for axis in self.shared_axes or []]
        shape = tuple(1 if axis in shared else size for axis, size in enumerate(input_shape) if axis)
        known = tuple(size for size in shape if size is not None)
        if known != shape:
            raise ShapeError(
                f"layer {self.name}: PReLU needs a known size for each axis that is not in shared_axes; the input is "
                f"{input_shape}, shared_axes {self.shared_axes}"
            )
        options = (self.alpha_initializer, True, self.alpha_regularizer, self.alpha_constraint)
        self.alpha = self.add_weight("alpha", known, *options)
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.prelu(x, self.alpha)


class ELU(Layer):
    """y = x where x > 0, else alpha (exp(x) - 1).

    >>> import numpy as np
    >>> from minicnn.layers import ELU
    >>> ELU()(np.array([0.0, 9.0], np.float32)).numpy()
    array([0., 9.], dtype=float32)
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **options: Any):
        super().__init__(**options)
        self.alpha = finite(self, "alpha", alpha)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.activation(x, "elu", alpha=self.alpha)


class Softmax(Layer):
    """y = exp(x) / sum of exp(x) along an axis, or over several together.

    >>> import numpy as np
    >>> from minicnn.layers import Softmax
    >>> Softmax()(np.zeros((1, 2), np.float32)).numpy()
    array([[0.5, 0.5]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, **options: Any):
        super().__init__(**options)
        self.axis = plain_axis(axis)

    def call(self, x: Tensor, training: bool) -> Tensor:
        if not isinstance(self.axis, list):
            return ops.softmax(x, self.axis)
        axes = sample_axes(self, self.axis, x.shape)
        x, back = moved_last(x, axes)
        sizes, rest = x.shape[1:], x.shape[1 : x.ndim - len(axes)]
        return moved_back(ops.reshape(ops.softmax(ops.reshape(x, (*rest, prod(sizes[len(rest) :])))), sizes), back)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        for axis in self.axis if isinstance(self.axis, list) else [self.axis]:
            checked_axis(self, axis, input_shape)
        return input_shape


def finite(layer: Layer, argument: str, value: Any) -> float:
    """A number that is neither infinite nor NaN."""
    return number(f"layer {layer.name}", argument, value, "(-inf, inf)")
