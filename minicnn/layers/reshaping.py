"""Layers that move numbers without changing them."""

from math import prod
from typing import Any

from minicnn import ops
from minicnn.arguments import whole_numbers
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, ShapeError
from minicnn.kernels import Pair, padding_sides

from .convolution import check_data_format, checked_pair
from .layer import Layer
from .symbolic import Shape


class Flatten(Layer):
    """y (N, product of the rest), each sample in row-major order (H,W,C).

    >>> from minicnn.layers import Flatten, Input
    >>> Flatten()(Input((4, 4, 3))).shape
    (None, 48)
    """

    def __init__(self, data_format: str | None = "channels_last", **options: Any):
        super().__init__(**options)
        self.data_format = check_data_format(data_format, self.name)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.flatten(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sizes = input_shape[1:]
        return (input_shape[0], None if None in sizes else prod(size for size in sizes if size is not None))


class Reshape(Layer):
    """y: each sample in another shape; one size may be -1.

    >>> from minicnn.layers import Input, Reshape
    >>> Reshape((2, -1))(Input((4, 3))).shape
    (None, 2, 6)
    """

    def __init__(self, target_shape: Any, **options: Any):
        super().__init__(**options)
        self.target_shape = whole_numbers(f"layer {self.name}", "target_shape", target_shape, -1)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.reshape(x, self.target_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sizes = input_shape[1:]
        if None in sizes:
            return (input_shape[0], *(None if size == -1 else size for size in self.target_shape))
        total = prod(size for size in sizes if size is not None)
        known = prod(size for size in self.target_shape if size != -1)
        free = self.target_shape.count(-1)
        if free > 1 or not known or (total % known if free else total != known):
            raise ShapeError(f"layer {self.name}: a sample of shape {sizes} cannot become {self.target_shape}")
        return (input_shape[0], *(total // known if size == -1 else size for size in self.target_shape))


class Permute(Layer):
    """y: the axes of each sample in another order, counted from 1.

    >>> from minicnn.layers import Input, Permute
    >>> Permute((2, 1))(Input((4, 3))).shape
    (None, 3, 4)
    """

    def __init__(self, dims: Any, **options: Any):
        super().__init__(**options)
        self.dims = whole_numbers(f"layer {self.name}", "dims", dims, 0)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(f"layer {self.name}: dims {self.dims} must be an order of 1..{len(self.dims)}")
        self.input_rank = len(self.dims) + 1

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.permute(x, self.dims)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))


class ZeroPadding2D(Layer):
    """y: x with rows and columns of zeros around it.

    >>> from minicnn.layers import Input, ZeroPadding2D
    >>> ZeroPadding2D(((0, 1), (0, 1)))(Input((8, 8, 3))).shape
    (None, 9, 9, 3)
    """

    input_rank = 4

    def __init__(self, padding: Any = (1, 1), data_format: str | None = "channels_last", **options: Any):
        super().__init__(**options)
        self.padding = padding_sides(padding, f"layer {self.name}: padding")
        self.data_format = check_data_format(data_format, self.name)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.zero_padding2d(x, self.padding)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sides = (None if n is None else n + sum(side) for n, side in zip(input_shape[1:3], self.padding))
        return (input_shape[0], *sides, input_shape[3])

    def working_shape(self, input_shape: Shape) -> Shape:
        return self.compute_output_shape(input_shape)


class Cropping2D(Layer):
    """y: x without rows and columns at its sides.

    >>> from minicnn.layers import Cropping2D, Input
    >>> Cropping2D(1)(Input((8, 8, 3))).shape
    (None, 6, 6, 3)
    """

    input_rank = 4

    def __init__(self, cropping: Any = (0, 0), data_format: str | None = "channels_last", **options: Any):
        super().__init__(**options)
        self.cropping = padding_sides(cropping, f"layer {self.name}: cropping")
        self.data_format = check_data_format(data_format, self.name)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.cropping2d(x, self.cropping)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sides = (None if n is None else n - sum(side) for n, side in zip(input_shape[1:3], self.cropping))
        return (input_shape[0], *sides, input_shape[3])


class UpSampling2D(Layer):
    """y: x enlarged by whole factors, interpolation "nearest" or "bilinear".

    >>> from minicnn.layers import Input, UpSampling2D
    >>> UpSampling2D((2, 3))(Input((4, 4, 3))).shape
    (None, 8, 12, 3)
    """

    input_rank = 4

    def __init__(
        self,
        size: int | Pair = (2, 2),
        data_format: str | None = "channels_last",
        interpolation: str = "nearest",
        **options: Any,
    ):
        super().__init__(**options)
        self.size = checked_pair(self, "size", size)
        self.data_format = check_data_format(data_format, self.name)
        if interpolation not in ("nearest", "bilinear"):
            raise ArgumentError(f"layer {self.name}: interpolation {interpolation!r} is not 'nearest' or 'bilinear'")
        self.interpolation = interpolation

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.upsampling2d(x, self.size, self.interpolation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sides = (None if n is None else n * factor for n, factor in zip(input_shape[1:3], self.size))
        return (input_shape[0], *sides, input_shape[3])

    def working_shape(self, input_shape: Shape) -> Shape:
        return self.compute_output_shape(input_shape)
