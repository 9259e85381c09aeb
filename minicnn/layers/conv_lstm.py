"""ConvLSTM2D: an LSTM whose products are convolutions."""

from typing import Any

from minicnn import ops
from minicnn.autograd import Tensor
from minicnn.errors import ShapeError, UnsupportedError
from minicnn.kernels import Pair

from .convolution import add_parameter
from .data_format import Spatial, check_data_format
from .layer import constructor_arguments
from .recurrent import LSTM, sequences_shape
from .symbolic import Shape
from .window import check_padding, checked_sizes, padded_shape, side_outputs

LSTM_ARGUMENTS = {*constructor_arguments(LSTM)} - {"units"}


class ConvLSTM2D(Spatial, LSTM):
    """An LSTM of images x (N,T,H,W,C): its gates are convolutions of x, with the window that the arguments say, and
    of h, with one of the same taps that keeps the size.  y is (N,OH,OW,filters), or (N,T,OH,OW,filters).

    kernel (KH,KW,C,4 filters), recurrent_kernel (KH,KW,filters,4 filters), bias (4 filters).

    Source: Shi et al., "Convolutional LSTM Network", 2015, without its peepholes, as in Keras.

    >>> from minicnn.layers import ConvLSTM2D, Input
    >>> ConvLSTM2D(4, 3, padding="same")(Input((10, 8, 8, 3))).shape
    (None, 8, 8, 4)
    """

    input_rank, first = 5, -3

    def __init__(
        self,
        filters: int,
        kernel_size: int | Pair,
        strides: int | Pair = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Pair = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **options: Any,
    ):
        arguments = {key: value for key, value in locals().items() if key in LSTM_ARGUMENTS}
        super().__init__(filters, **arguments, **options)
        self.filters = self.units
        self.kernel_size = checked_sizes(self, "kernel_size", kernel_size, rank=2)
        self.strides = checked_sizes(self, "strides", strides, rank=2)
        self.dilation_rate = checked_sizes(self, "dilation_rate", dilation_rate, rank=2)
        self.padding = check_padding(padding, self.name)
        self.data_format = check_data_format(data_format, self.name)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise UnsupportedError(f"layer {self.name}: strides {self.strides} with dilation {self.dilation_rate}")

    def build(self, input_shape: Any) -> None:
        shape = sequences_shape(input_shape)
        if None in self.inner_shape(shape)[2:4]:
            raise ShapeError(f"layer {self.name} (ConvLSTM2D): the size of the images must be known; got {shape}")
        channels, width = self.known_channels(shape), 4 * self.filters
        self.kernel = add_parameter(self, "kernel", (*self.kernel_size, channels, width))
        recurrent = (*self.kernel_size, self.filters, width)
        self.recurrent_kernel = add_parameter(self, "recurrent", recurrent, "recurrent_kernel")
        self.bias = self._add_bias() if self.use_bias else None
        self.built = True

    def _gates(self, x: Tensor) -> Tensor:
        window: Any = self.strides, self.padding, self.dilation_rate
        gates = ops.conv2d(ops.fold_time(x), self.kernel, self.bias, *window)
        return ops.unfold_time(gates, x.shape[1])

    def _state_shape(self, shape: Shape) -> Shape:
        axes = zip(shape[2:4], self.kernel_size, self.strides, self.dilation_rate)
        return (shape[0], *(side_outputs(*axis, self.padding) for axis in axes), self.filters)

    def shape_after(self, input_shape: Any) -> Any:
        return LSTM.compute_output_shape(self, input_shape)

    def working_shape(self, input_shape: Any) -> Shape:
        shape = sequences_shape(input_shape)
        return padded_shape((shape[0], *shape[2:]), self.kernel_size, self.strides, self.dilation_rate, self.padding)
