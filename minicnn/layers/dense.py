"""Dense: a fully connected layer."""

from typing import Any

from minicnn import ops
from minicnn.arguments import switch, whole_number
from minicnn.autograd import Tensor
from minicnn.errors import ShapeError

from .activations import activate, activation_of
from .convolution import add_parameter, set_parameter_options
from .layer import Layer
from .symbolic import Shape


class Dense(Layer):
    """y (...,units) = activation(x (...,C) @ kernel (C,units) + bias)

    >>> from minicnn.layers import Dense, Input
    >>> Dense(10, activation="softmax")(Input((64,))).shape
    (None, 10)
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Any,
    ):
        super().__init__(**options)
        self.units = whole_number(f"layer {self.name}", "units", units, 1)
        self.use_bias = switch(f"layer {self.name}", "use_bias", use_bias)
        self.activation = activation_of(activation, self.name)
        set_parameter_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        set_parameter_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) < 2:
            raise ShapeError(f"layer {self.name}: Dense needs inputs (N,...,C); got {input_shape}")
        self.kernel = add_parameter(self, "kernel", (self.known_channels(input_shape), self.units))
        self.bias = add_parameter(self, "bias", (self.units,)) if self.use_bias else None
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        if isinstance(self.activation, Layer):
            return activate(ops.dense(x, self.kernel, self.bias), self.activation)
        return ops.dense(x, self.kernel, self.bias, self.activation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)
