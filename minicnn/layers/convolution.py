"""Convolutional layers along one, two and three axes, and the transposed ones."""

from collections.abc import Callable
from typing import Any, ClassVar

from minicnn import ops
from minicnn.arguments import switch
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, ShapeError
from minicnn.kernels import conv2d_transpose, span

from . import initializers, regularizers
from .activations import activation_of
from .layer import Layer, constructor_arguments
from .symbolic import Shape
from .window import Sizes, WindowLayer, checked_sizes


class _Convolution(WindowLayer):
    """Base of the convolutions: y (N,...,filters) = activation(conv(x (N,...,C), kernel) + bias).

    The kernel is (taps along each axis, C/groups, filters).  Arguments, defaults and names as in Keras.
    """

    operation: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sizes,
        strides: int | Sizes = 1,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: int | Sizes = 1,
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
        self.activation = activation_of(activation, self.name)
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
        return type(self).operation(x, self.kernel, self.bias, *window, activation=self.fused)

    def shape_after(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self._sides(input_shape), self.filters)


class Conv1D(_Convolution):
    """y (N,OT,filters) = activation(conv(x (N,T,C), kernel (K,C/groups,filters)) + bias)

    With padding="causal" an output sees the steps up to its own alone (van den Oord et al., "WaveNet", 2016).

    >>> from minicnn.layers import Conv1D, Input
    >>> Conv1D(8, 3, padding="causal")(Input((32, 3))).shape
    (None, 32, 8)
    """

    input_rank, causal = 3, True
    operation = ops.conv1d


class Conv2D(_Convolution):
    """y (N,OH,OW,filters) = activation(conv(x (N,H,W,C), kernel (KH,KW,C/groups,filters)) + bias)

    >>> from minicnn.layers import Conv2D, Input
    >>> Conv2D(8, 3, strides=2, padding="same", activation="relu")(Input((32, 32, 3))).shape
    (None, 16, 16, 8)
    """

    operation = ops.conv2d


class Conv3D(_Convolution):
    """y (N,OD,OH,OW,filters) = activation(conv(x (N,D,H,W,C), kernel (KD,KH,KW,C/groups,filters)) + bias)

    >>> from minicnn.layers import Conv3D, Input
    >>> Conv3D(8, 3, padding="same")(Input((4, 8, 8, 1))).shape
    (None, 4, 8, 8, 8)
    """

    input_rank = 5
    operation = ops.conv3d


class _TransposedConvolution(WindowLayer):
    """Base of the transposed convolutions: every input adds a window, kernel (taps, filters, C)."""

    operation: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sizes,
        strides: int | Sizes = 1,
        padding: str = "valid",
        output_padding: int | Sizes | None = None,
        data_format: str | None = "channels_last",
        dilation_rate: int | Sizes = 1,
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
        self.filters = self._count("filters", filters)
        self.use_bias = switch(f"layer {self.name}", "use_bias", use_bias)
        self.output_padding = (
            None if output_padding is None else checked_sizes(self, "output_padding", output_padding, least=0)
        )
        self.activation = activation_of(activation, self.name)
        set_parameter_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        set_parameter_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        self.kernel = add_parameter(self, "kernel", (*self.kernel_size, self.filters, self.known_channels(input_shape)))
        self.bias = add_parameter(self, "bias", (self.filters,)) if self.use_bias else None
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        window = self.strides, self.padding, self.output_padding, self.fused, self.dilation_rate
        return type(self).operation(x, self.kernel, self.bias, *window)

    def shape_after(self, input_shape: Shape) -> Shape:
        extra = self.output_padding or (None,) * self.rank
        taps = (span(k, d) for k, d in zip(self.kernel_size, self.dilation_rate))
        axes = zip(input_shape[1:-1], taps, self.strides, extra)
        sides = (None if n is None else conv2d_transpose.output_size(n, k, s, self.padding, e) for n, k, s, e in axes)
        return (input_shape[0], *sides, self.filters)

    def working_shape(self, input_shape: Shape) -> Shape:
        return self.shape_after(input_shape)


class Conv1DTranspose(_TransposedConvolution):
    """y (N,OT,filters): every input step adds a window, kernel (K,filters,C).

    >>> from minicnn.layers import Conv1DTranspose, Input
    >>> Conv1DTranspose(4, 3, strides=2, padding="same")(Input((8, 3))).shape
    (None, 16, 4)
    """

    input_rank = 3
    operation = ops.conv1d_transpose


class Conv2DTranspose(_TransposedConvolution):
    """y (N,OH,OW,filters): every input pixel adds a window, kernel (KH,KW,filters,C).

    >>> from minicnn.layers import Conv2DTranspose, Input
    >>> Conv2DTranspose(4, 3, strides=2, padding="same")(Input((8, 8, 3))).shape
    (None, 16, 16, 4)
    """

    operation = ops.conv2d_transpose


class Conv3DTranspose(_TransposedConvolution):
    """y (N,OD,OH,OW,filters): every input adds a window, kernel (KD,KH,KW,filters,C).

    >>> from minicnn.layers import Conv3DTranspose, Input
    >>> Conv3DTranspose(4, 3, strides=(1, 2, 2), padding="same")(Input((4, 8, 8, 3))).shape
    (None, 4, 16, 16, 4)
    """

    input_rank = 5
    operation = ops.conv3d_transpose

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sizes,
        strides: int | Sizes = 1,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        output_padding: int | Sizes | None = None,
        dilation_rate: int | Sizes = 1,
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
        arguments = {key: value for key, value in locals().items() if key in constructor_arguments(Conv3DTranspose)}
        super().__init__(**arguments, **options)


def set_parameter_options(layer: Layer, role: str, initializer: Any, regularizer: Any, constraint: Any) -> None:
    """Keep the three options of a weight as `<role>_initializer` and so on."""
    setattr(layer, f"{role}_initializer", initializers.get(initializer))
    setattr(layer, f"{role}_regularizer", regularizers.get_regularizer(regularizer))
    setattr(layer, f"{role}_constraint", regularizers.get_constraint(constraint))


def add_parameter(layer: Layer, role: str, shape: tuple[int, ...], name: str | None = None) -> Any:
    """A weight with the options kept for its role."""
    options = {kind: getattr(layer, f"{role}_{kind}") for kind in ("initializer", "regularizer", "constraint")}
    return layer.add_weight(name or role, shape, **options)
