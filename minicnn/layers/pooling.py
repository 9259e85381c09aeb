"""Pooling layers, along one, two and three axes."""

from collections.abc import Callable
from typing import Any, ClassVar

from minicnn import ops
from minicnn.arguments import switch
from minicnn.autograd import Tensor

from .data_format import Spatial, check_data_format
from .symbolic import Shape
from .window import Sizes, check_padding, checked_sizes, padded_shape, rank_of, side_outputs


class _Pooling(Spatial):
    """Base of the pooling layers over windows."""

    input_rank = 4
    operation: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        pool_size: int | Sizes = 2,
        strides: int | Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        **options: Any,
    ):
        super().__init__(**options)
        self.pool_size = checked_sizes(self, "pool_size", pool_size)
        self.strides = self.pool_size if strides is None else checked_sizes(self, "strides", strides)
        self.padding = check_padding(padding, self.name)
        self.data_format = check_data_format(data_format, self.name)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return type(self).operation(x, self.pool_size, self.strides, self.padding)

    def shape_after(self, input_shape: Shape) -> Shape:
        axes = zip(input_shape[1:-1], self.pool_size, self.strides)
        return (input_shape[0], *(side_outputs(n, k, s, 1, self.padding) for n, k, s in axes), input_shape[-1])

    def working_shape(self, input_shape: Shape) -> Shape:
        return padded_shape(input_shape, self.pool_size, self.strides, (1,) * len(self.pool_size), self.padding)


class MaxPooling1D(_Pooling):
    """y[n,t,c] = the largest x of each window.

    >>> from minicnn.layers import Input, MaxPooling1D
    >>> MaxPooling1D()(Input((7, 3))).shape
    (None, 3, 3)
    """

    input_rank = 3
    operation = ops.maxpool1d


class MaxPooling2D(_Pooling):
    """y[n,i,j,c] = the largest x of each window.

    >>> from minicnn.layers import Input, MaxPooling2D
    >>> MaxPooling2D()(Input((7, 7, 3))).shape
    (None, 3, 3, 3)
    """

    operation = ops.maxpool2d


class MaxPooling3D(_Pooling):
    """y[n,t,i,j,c] = the largest x of each window.

    >>> from minicnn.layers import Input, MaxPooling3D
    >>> MaxPooling3D((1, 2, 2))(Input((4, 7, 7, 3))).shape
    (None, 4, 3, 3, 3)
    """

    input_rank = 5
    operation = ops.maxpool3d


class AveragePooling1D(_Pooling):
    """y[n,t,c] = the mean of each window; padding is not counted.

    >>> from minicnn.layers import AveragePooling1D, Input
    >>> AveragePooling1D(padding="same")(Input((7, 3))).shape
    (None, 4, 3)
    """

    input_rank = 3
    operation = ops.avgpool1d


class AveragePooling2D(_Pooling):
    """y[n,i,j,c] = the mean of each window; padding is not counted.

    >>> from minicnn.layers import AveragePooling2D, Input
    >>> AveragePooling2D(padding="same")(Input((7, 7, 3))).shape
    (None, 4, 4, 3)
    """

    operation = ops.avgpool2d


class AveragePooling3D(_Pooling):
    """y[n,t,i,j,c] = the mean of each window; padding is not counted.

    >>> from minicnn.layers import AveragePooling3D, Input
    >>> AveragePooling3D()(Input((4, 7, 7, 3))).shape
    (None, 2, 3, 3, 3)
    """

    input_rank = 5
    operation = ops.avgpool3d


class _GlobalPooling(Spatial):
    """Base of the pooling layers over all that lies between batch and channels."""

    input_rank = 4
    operation: ClassVar[Callable[..., Tensor]]

    def __init__(self, data_format: str | None = "channels_last", keepdims: bool = False, **options: Any):
        super().__init__(**options)
        self.data_format = check_data_format(data_format, self.name)
        self.keepdims = switch(f"layer {self.name}", "keepdims", keepdims)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return type(self).operation(x, self.keepdims)

    def shape_after(self, input_shape: Shape) -> Shape:
        middle = (1,) * rank_of(self) if self.keepdims else ()
        return (input_shape[0], *middle, input_shape[-1])


class GlobalAveragePooling1D(_GlobalPooling):
    """y (N,C) = the mean of each channel, over the steps that the mask of x keeps.

    >>> from minicnn.layers import GlobalAveragePooling1D, Input
    >>> GlobalAveragePooling1D()(Input((7, 3))).shape
    (None, 3)
    """

    input_rank = 3
    operation = ops.global_avgpool1d

    def call(self, x: Tensor, training: bool) -> Tensor:
        if x.mask is None:
            return super().call(x, training)
        counts = ops.reshape(x.mask, (x.shape[1], 1))
        return ops.masked(x, x.mask).sum(axis=1, keepdims=self.keepdims) / counts.sum(axis=1, keepdims=self.keepdims)


class GlobalAveragePooling2D(_GlobalPooling):
    """y (N,C) = the mean of each channel.

    >>> from minicnn.layers import GlobalAveragePooling2D, Input
    >>> GlobalAveragePooling2D()(Input((7, 7, 3))).shape
    (None, 3)
    """

    operation = ops.global_avgpool2d


class GlobalAveragePooling3D(_GlobalPooling):
    """y (N,C) = the mean of each channel.

    >>> from minicnn.layers import GlobalAveragePooling3D, Input
    >>> GlobalAveragePooling3D()(Input((4, 7, 7, 3))).shape
    (None, 3)
    """

    input_rank = 5
    operation = ops.global_avgpool3d


class GlobalMaxPooling1D(_GlobalPooling):
    """y (N,C) = the largest value of each channel.

    >>> from minicnn.layers import GlobalMaxPooling1D, Input
    >>> GlobalMaxPooling1D()(Input((7, 3))).shape
    (None, 3)
    """

    input_rank = 3
    operation = ops.global_maxpool1d


class GlobalMaxPooling2D(_GlobalPooling):
    """y (N,C) = the largest value of each channel.

    >>> from minicnn.layers import GlobalMaxPooling2D, Input
    >>> GlobalMaxPooling2D(keepdims=True)(Input((7, 7, 3))).shape
    (None, 1, 1, 3)
    """

    operation = ops.global_maxpool2d


class GlobalMaxPooling3D(_GlobalPooling):
    """y (N,C) = the largest value of each channel.

    >>> from minicnn.layers import GlobalMaxPooling3D, Input
    >>> GlobalMaxPooling3D()(Input((4, 7, 7, 3))).shape
    (None, 3)
    """

    input_rank = 5
    operation = ops.global_maxpool3d
