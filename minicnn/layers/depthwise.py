"""Convolutions channel by channel, alone and followed by a 1x1 convolution across channels."""

from collections.abc import Callable
from typing import Any, ClassVar

from minicnn import ops
from minicnn.arguments import switch
from minicnn.autograd import Tensor

from .activations import activation_of
from .convolution import add_parameter, set_parameter_options
from .symbolic import Shape
from .window import Sizes, WindowLayer


class _DepthwiseConvolution(WindowLayer):
    """Base: each of C channels convolved with its own M = depth_multiplier kernels, kernel (taps, C, M)."""

    operation: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        kernel_size: int | Sizes,
        strides: int | Sizes = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = "channels_last",
        dilation_rate: int | Sizes = 1,
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
        self.activation = activation_of(activation, self.name)
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
        return type(self).operation(x, self.kernel, self.bias, *window, activation=self.fused)

    def shape_after(self, input_shape: Shape) -> Shape:
        channels = None if input_shape[-1] is None else input_shape[-1] * self.depth_multiplier
        return (input_shape[0], *self._sides(input_shape), channels)


class DepthwiseConv1D(_DepthwiseConvolution):
    """y (N,OT,C M): each channel convolved with its own M = depth_multiplier kernels, kernel (K,C,M).

    >>> from minicnn.layers import DepthwiseConv1D, Input
    >>> DepthwiseConv1D(3, depth_multiplier=2)(Input((8, 3))).shape
    (None, 6, 6)
    """

    input_rank = 3
    operation = ops.depthwise_conv1d


class DepthwiseConv2D(_DepthwiseConvolution):
    """y (N,OH,OW,C M): each channel convolved with its own M = depth_multiplier kernels, kernel (KH,KW,C,M).

    >>> from minicnn.layers import DepthwiseConv2D, Input
    >>> DepthwiseConv2D(3, padding="same")(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    operation = ops.depthwise_conv2d


class _SeparableConvolution(WindowLayer):
    """Base: a depthwise convolution (taps, C, M) followed by one with a single tap, (1, ..., C M, filters)."""

    depthwise: ClassVar[Callable[..., Tensor]]
    pointwise: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sizes,
        strides: int | Sizes = 1,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: int | Sizes = 1,
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
        self.activation = activation_of(activation, self.name)
        set_parameter_options(self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        set_parameter_options(self, "pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        set_parameter_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        channels = self.known_channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = add_parameter(self, "depthwise", shape, "depthwise_kernel")
        shape = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = add_parameter(self, "pointwise", shape, "pointwise_kernel")
        self.bias = add_parameter(self, "bias", (self.filters,)) if self.use_bias else None
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        window = self.strides, self.padding, self.dilation_rate
        y = type(self).depthwise(x, self.depthwise_kernel, None, *window)
        return type(self).pointwise(y, self.pointwise_kernel, self.bias, activation=self.fused)

    def shape_after(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self._sides(input_shape), self.filters)


class SeparableConv1D(_SeparableConvolution):
    """A depthwise convolution (K,C,M) followed by a convolution with one tap (1,C M,filters).

    Keras 2 knows padding="causal" here, Keras 3 does not.

    >>> from minicnn.layers import Input, SeparableConv1D
    >>> SeparableConv1D(16, 3)(Input((8, 3))).shape
    (None, 6, 16)
    """

    input_rank, causal = 3, True
    depthwise, pointwise = ops.depthwise_conv1d, ops.conv1d


class SeparableConv2D(_SeparableConvolution):
    """A depthwise convolution (KH,KW,C,M) followed by a 1x1 convolution (1,1,C M,filters).

    >>> from minicnn.layers import Input, SeparableConv2D
    >>> SeparableConv2D(16, 3)(Input((8, 8, 3))).shape
    (None, 6, 6, 16)
    """

    depthwise, pointwise = ops.depthwise_conv2d, ops.conv2d
