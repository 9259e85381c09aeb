"""Convolutional layers: Conv2D, DepthwiseConv2D, SeparableConv2D, Conv2DTranspose."""

from typing import Any

from minicnn import ops
from minicnn.arguments import switch, whole_number
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, ShapeError, UnsupportedError
from minicnn.kernels import Pair, conv2d_transpose, output_size, pair, same_padding

from . import initializers, regularizers
from .activations import activation_name
from .layer import Layer
from .symbolic import Shape

VALID = (0, 0)
LONGEST = 2**16  # pixels of a window or a step; beyond all pictures


class _Window(Layer):
    """What sliding-window layers share: sizes, steps, padding, and the shapes that follow."""

    input_rank = 4

    def _set_window(self, kernel_size: Any, strides: Any, padding: str, dilation_rate: Any, data_format: Any) -> None:
        self.kernel_size = checked_pair(self, "kernel_size", kernel_size)
        self.strides = checked_pair(self, "strides", strides)
        self.dilation_rate = checked_pair(self, "dilation_rate", dilation_rate)
        self.padding = check_padding(padding, self.name)
        self.data_format = check_data_format(data_format, self.name)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise UnsupportedError(f"layer {self.name}: strides {self.strides} with dilation {self.dilation_rate}")

    def _count(self, argument: str, value: Any) -> int:
        return whole_number(f"layer {self.name}", argument, value, 1)

    def _output_sides(self, shape: Shape) -> tuple[int | None, ...]:
        axes = zip(shape[1:3], self.kernel_size, self.strides, self.dilation_rate)
        return tuple(side_outputs(*axis, self.padding) for axis in axes)

    def working_shape(self, input_shape: Shape) -> Shape:
        return padded_shape(input_shape, self.kernel_size, self.strides, self.dilation_rate, self.padding)


class Conv2D(_Window):
    """y (N,OH,OW,filters) = activation(conv(x (N,H,W,C), kernel (KH,KW,C/groups,filters)) + bias)

    Arguments, defaults and names as in Keras.

    >>> from minicnn.layers import Conv2D, Input
    >>> Conv2D(8, 3, strides=2, padding="same", activation="relu")(Input((32, 32, 3))).shape
    (None, 16, 16, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Pair,
        strides: int | Pair = (1, 1),
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: int | Pair = (1, 1),
        groups: int = 1,
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
        self._set_window(kernel_size, strides, padding, dilation_rate, data_format)
        self.filters, self.groups = self._count("filters", filters), self._count("groups", groups)
        self.use_bias = switch(f"layer {self.name}", "use_bias", use_bias)
        if self.filters % self.groups:
            raise ArgumentError(f"layer {self.name}: {filters} filters in {groups} groups")
        self.activation = activation_name(activation, self.name)
        set_parameter_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        set_parameter_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        channels = self.known_channels(input_shape)
        if channels % self.groups:
            raise ShapeError(f"layer {self.name}: {channels} channels do not divide into {self.groups} groups")
        self.kernel = add_parameter(self, "kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self.bias = add_parameter(self, "bias", (self.filters,)) if self.use_bias else None
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        window = self.strides, self.padding, self.dilation_rate, self.groups
        return ops.conv2d(x, self.kernel, self.bias, *window, activation=self.activation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self._output_sides(input_shape), self.filters)


class DepthwiseConv2D(_Window):
    """y (N,OH,OW,C M): each channel convolved with its own M = depth_multiplier kernels, kernel (KH,KW,C,M).

    >>> from minicnn.layers import DepthwiseConv2D, Input
    >>> DepthwiseConv2D(3, padding="same")(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    def __init__(
        self,
        kernel_size: int | Pair,
        strides: int | Pair = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = "channels_last",
        dilation_rate: int | Pair = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Any,
    ):
        super().__init__(**options)
        self._set_window(kernel_size, strides, padding, dilation_rate, data_format)
        self.depth_multiplier = self._count("depth_multiplier", depth_multiplier)
        self.use_bias = switch(f"layer {self.name}", "use_bias", use_bias)
        self.activation = activation_name(activation, self.name)
        set_parameter_options(self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        set_parameter_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        channels = self.known_channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = add_parameter(self, "depthwise", shape, "depthwise_kernel")
        self.bias = add_parameter(self, "bias", (channels * self.depth_multiplier,)) if self.use_bias else None
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        window = self.strides, self.padding, self.dilation_rate
        return ops.depthwise_conv2d(x, self.kernel, self.bias, *window, activation=self.activation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        channels = None if input_shape[3] is None else input_shape[3] * self.depth_multiplier
        return (input_shape[0], *self._output_sides(input_shape), channels)


class SeparableConv2D(_Window):
    """A depthwise convolution (KH,KW,C,M) followed by a 1x1 convolution (1,1,C M,filters).

    >>> from minicnn.layers import Input, SeparableConv2D
    >>> SeparableConv2D(16, 3)(Input((8, 8, 3))).shape
    (None, 6, 6, 16)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Pair,
        strides: int | Pair = (1, 1),
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: int | Pair = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Any,
    ):
        super().__init__(**options)
        self._set_window(kernel_size, strides, padding, dilation_rate, data_format)
        self.filters = self._count("filters", filters)
        self.use_bias = switch(f"layer {self.name}", "use_bias", use_bias)
        self.depth_multiplier = self._count("depth_multiplier", depth_multiplier)
        self.activation = activation_name(activation, self.name)
        set_parameter_options(self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        set_parameter_options(self, "pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        set_parameter_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        channels = self.known_channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = add_parameter(self, "depthwise", shape, "depthwise_kernel")
        shape = (1, 1, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = add_parameter(self, "pointwise", shape, "pointwise_kernel")
        self.bias = add_parameter(self, "bias", (self.filters,)) if self.use_bias else None
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        y = ops.depthwise_conv2d(x, self.depthwise_kernel, None, self.strides, self.padding, self.dilation_rate)
        return ops.conv2d(y, self.pointwise_kernel, self.bias, activation=self.activation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self._output_sides(input_shape), self.filters)


class Conv2DTranspose(_Window):
    """y (N,OH,OW,filters): every input pixel adds a window, kernel (KH,KW,filters,C).

    >>> from minicnn.layers import Conv2DTranspose, Input
    >>> Conv2DTranspose(4, 3, strides=2, padding="same")(Input((8, 8, 3))).shape
    (None, 16, 16, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Pair,
        strides: int | Pair = (1, 1),
        padding: str = "valid",
        output_padding: int | Pair | None = None,
        data_format: str | None = "channels_last",
        dilation_rate: int | Pair = (1, 1),
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
        self._set_window(kernel_size, strides, padding, dilation_rate, data_format)
        if max(self.dilation_rate) > 1:
            raise UnsupportedError(f"layer {self.name}: Conv2DTranspose with dilation {self.dilation_rate}")
        self.filters = self._count("filters", filters)
        self.use_bias = switch(f"layer {self.name}", "use_bias", use_bias)
        self.output_padding = (
            None if output_padding is None else checked_pair(self, "output_padding", output_padding, least=0)
        )
        self.activation = activation_name(activation, self.name)
        set_parameter_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        set_parameter_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        self.kernel = add_parameter(self, "kernel", (*self.kernel_size, self.filters, self.known_channels(input_shape)))
        self.bias = add_parameter(self, "bias", (self.filters,)) if self.use_bias else None
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        window = self.strides, self.padding, self.output_padding
        return ops.conv2d_transpose(x, self.kernel, self.bias, *window, activation=self.activation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        extra = self.output_padding or (None, None)
        axes = zip(input_shape[1:3], self.kernel_size, self.strides, extra)
        sides = (None if n is None else conv2d_transpose.output_size(n, k, s, self.padding, e) for n, k, s, e in axes)
        return (input_shape[0], *sides, self.filters)

    def working_shape(self, input_shape: Shape) -> Shape:
        return self.compute_output_shape(input_shape)


def padded_shape(shape: Shape, taps: Pair, strides: Pair, dilation: Pair, padding: str) -> Shape:
    """Shape of the images with the zeros that "same" puts around them."""
    if padding != "same":
        return shape
    axes = zip(shape[1:3], taps, strides, dilation)
    sides = (None if n is None else n + sum(same_padding(n, *window)) for n, *window in axes)
    return (shape[0], *sides, shape[3])


def checked_pair(layer: Layer, argument: str, value: Any, least: int = 1) -> Pair:
    """(height, width) of an argument of windows that may be one number for both."""
    both = pair(value, f"layer {layer.name}: {argument}", least)
    if max(both) > LONGEST:
        raise ArgumentError(f"layer {layer.name}: {argument} must be at most {LONGEST}; it is {value!r}")
    return both


def side_outputs(size: int | None, taps: int, stride: int, dilation: int, padding: str) -> int | None:
    """Number of window positions along one side; None where the side is not known."""
    if size is None:
        return None
    sides = same_padding(size, taps, stride, dilation) if padding == "same" else VALID
    return output_size(size, taps, stride, dilation, sides)


def check_padding(padding: Any, name: str) -> str:
    """ "valid" or "same"."""
    if str(padding).lower() not in ("valid", "same"):
        raise ArgumentError(f"layer {name}: padding must be 'valid' or 'same'; it is {padding!r}")
    return str(padding).lower()


def check_data_format(data_format: Any, name: str) -> str:
    """ "channels_last"; images with channels first are not what these kernels read."""
    if data_format not in (None, "channels_last"):
        raise UnsupportedError(f"layer {name}: data_format {data_format!r}; minicnn reads images as channels_last")
    return "channels_last"


def set_parameter_options(layer: Layer, role: str, initializer: Any, regularizer: Any, constraint: Any) -> None:
    """Keep the three options of a weight as `<role>_initializer` and so on."""
    setattr(layer, f"{role}_initializer", initializers.get(initializer))
    setattr(layer, f"{role}_regularizer", regularizers.get_regularizer(regularizer))
    setattr(layer, f"{role}_constraint", regularizers.get_constraint(constraint))


def add_parameter(layer: Layer, role: str, shape: tuple[int, ...], name: str | None = None) -> Any:
    """A weight with the options kept for its role."""
    options = {kind: getattr(layer, f"{role}_{kind}") for kind in ("initializer", "regularizer", "constraint")}
    return layer.add_weight(name or role, shape, **options)
