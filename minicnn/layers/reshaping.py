"""Layers that give the numbers of a sample another order or shape."""

from math import prod
from typing import Any

from minicnn import ops
from minicnn.arguments import whole_number, whole_numbers
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, ShapeError

from .data_format import Spatial, check_data_format
from .layer import Layer
from .symbolic import Shape


class Flatten(Spatial):
    """y (N, product of the rest), each sample in row-major order (H,W,C), also where its channels lie first.

    >>> from minicnn.layers import Flatten, Input
    >>> Flatten()(Input((4, 4, 3))).shape
    (None, 48)
    """

    def __init__(self, data_format: str | None = "channels_last", **options: Any):
        super().__init__(**options)
        self.data_format = check_data_format(data_format, self.name)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.flatten(x)

    def shape_after(self, input_shape: Shape) -> Shape:
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


class RepeatVector(Layer):
    """y (N,n,C): x (N,C) n times.

    >>> from minicnn.layers import Input, RepeatVector
    >>> RepeatVector(4)(Input((3,))).shape
    (None, 4, 3)
    """

    input_rank = 2

    def __init__(self, n: int, **options: Any):
        super().__init__(**options)
        self.n = whole_number(f"layer {self.name}", "n", n, 1)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.repeat_vector(x, self.n)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.n, input_shape[1])

    def working_shape(self, input_shape: Shape) -> Shape:
        return self.compute_output_shape(input_shape)
