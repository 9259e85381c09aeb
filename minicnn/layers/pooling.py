"""Pooling layers."""

from typing import Any

from minicnn import ops
from minicnn.arguments import switch
from minicnn.autograd import Tensor
from minicnn.kernels import Pair

from .convolution import check_data_format, check_padding, checked_pair, padded_shape, side_outputs
from .layer import Layer
from .symbolic import Shape


class _Pooling2D(Layer):
    """Base of the pooling layers over windows."""

    input_rank = 4

    def __init__(
        self,
        pool_size: int | Pair = (2, 2),
        strides: int | Pair | None = None,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        **options: Any,
    ):
        super().__init__(**options)
        self.pool_size = checked_pair(self, "pool_size", pool_size)
        self.strides = self.pool_size if strides is None else checked_pair(self, "strides", strides)
        self.padding = check_padding(padding, self.name)
        self.data_format = check_data_format(data_format, self.name)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        axes = zip(input_shape[1:3], self.pool_size, self.strides)
        return (input_shape[0], *(side_outputs(n, k, s, 1, self.padding) for n, k, s in axes), input_shape[3])

    def working_shape(self, input_shape: Shape) -> Shape:
        return padded_shape(input_shape, self.pool_size, self.strides, (1, 1), self.padding)


class MaxPooling2D(_Pooling2D):
    """y[n,i,j,c] = the largest x of each window.

    >>> from minicnn.layers import Input, MaxPooling2D
    >>> MaxPooling2D()(Input((7, 7, 3))).shape
    (None, 3, 3, 3)
    """

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.maxpool2d(x, self.pool_size, self.strides, self.padding)


class AveragePooling2D(_Pooling2D):
    """y[n,i,j,c] = the mean of each window; padding is not counted.

    >>> from minicnn.layers import AveragePooling2D, Input
    >>> AveragePooling2D(padding="same")(Input((7, 7, 3))).shape
    (None, 4, 4, 3)
    """

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.avgpool2d(x, self.pool_size, self.strides, self.padding)


class _GlobalPooling2D(Layer):
    """Base of the pooling layers over whole images."""

    input_rank = 4

    def __init__(self, data_format: str | None = "channels_last", keepdims: bool = False, **options: Any):
        super().__init__(**options)
        self.data_format = check_data_format(data_format, self.name)
        self.keepdims = switch(f"layer {self.name}", "keepdims", keepdims)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        middle = (1, 1) if self.keepdims else ()
        return (input_shape[0], *middle, input_shape[3])


class GlobalAveragePooling2D(_GlobalPooling2D):
    """y (N,C) = the mean of each channel.

    >>> from minicnn.layers import GlobalAveragePooling2D, Input
    >>> GlobalAveragePooling2D()(Input((7, 7, 3))).shape
    (None, 3)
    """

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.global_avgpool2d(x, self.keepdims)


class GlobalMaxPooling2D(_GlobalPooling2D):
    """y (N,C) = the largest value of each channel.

    >>> from minicnn.layers import GlobalMaxPooling2D, Input
    >>> GlobalMaxPooling2D(keepdims=True)(Input((7, 7, 3))).shape
    (None, 1, 1, 3)
    """

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.global_maxpool2d(x, self.keepdims)
