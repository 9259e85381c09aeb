"""Layers that pad, crop and repeat, along one, two and three axes."""

from collections.abc import Callable
from typing import Any, ClassVar

from minicnn import ops
from minicnn.arguments import one_of, whole_number
from minicnn.autograd import Tensor
from minicnn.kernels import Pair
from minicnn.ops.resize import METHODS

from .data_format import Spatial, check_data_format
from .layer import Layer
from .symbolic import Shape
from .window import Sizes, checked_sides, checked_sizes


class _Border(Spatial):
    """Base of the layers that add or take away (before, after) along each axis between batch and channels."""

    input_rank = 4
    argument: ClassVar[str]
    sign: ClassVar[int]
    operation: ClassVar[Callable[..., Tensor]]

    def _sides(self) -> tuple[Pair, ...]:
        return getattr(self, self.argument)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return type(self).operation(x, self._sides())

    def shape_after(self, input_shape: Shape) -> Shape:
        pairs = zip(input_shape[1:-1], self._sides())
        return (input_shape[0], *(None if n is None else n + self.sign * sum(s) for n, s in pairs), input_shape[-1])

    def working_shape(self, input_shape: Shape) -> Shape:
        return self.shape_after(input_shape) if self.sign > 0 else ()


class _Along(_Border):
    """Base of those along one axis, whose argument is one number or (before, after)."""

    input_rank = 3

    def _keep(self, value: Any) -> None:
        pair = value if isinstance(value, (tuple, list)) else (value, value)
        setattr(self, self.argument, checked_sides(self, self.argument, [pair])[0])

    def call(self, x: Tensor, training: bool) -> Tensor:
        return type(self).operation(x, *self._sides())

    def _sides(self) -> tuple[Pair, ...]:
        return (getattr(self, self.argument),)


class ZeroPadding1D(_Along):
    """y: x with steps of zeros before and after.

    >>> from minicnn.layers import Input, ZeroPadding1D
    >>> ZeroPadding1D((2, 1))(Input((8, 3))).shape
    (None, 11, 3)
    """

    argument, sign, operation = "padding", 1, ops.zero_padding1d

    def __init__(self, padding: int | Pair = 1, data_format: str | None = "channels_last", **options: Any):
        super().__init__(**options)
        self._keep(padding)
        self.data_format = check_data_format(data_format, self.name)


class ZeroPadding2D(_Border):
    """y: x with rows and columns of zeros around it.

    >>> from minicnn.layers import Input, ZeroPadding2D
    >>> ZeroPadding2D(((0, 1), (0, 1)))(Input((8, 8, 3))).shape
    (None, 9, 9, 3)
    """

    argument, sign, operation = "padding", 1, ops.zero_padding2d

    def __init__(self, padding: Any = (1, 1), data_format: str | None = "channels_last", **options: Any):
        super().__init__(**options)
        self.padding = checked_sides(self, "padding", padding)
        self.data_format = check_data_format(data_format, self.name)


class ZeroPadding3D(_Border):
    """y: x with zeros around it.

    >>> from minicnn.layers import Input, ZeroPadding3D
    >>> ZeroPadding3D((0, 1, 1))(Input((4, 8, 8, 3))).shape
    (None, 4, 10, 10, 3)
    """

    input_rank = 5
    argument, sign, operation = "padding", 1, ops.zero_padding3d

    def __init__(self, padding: Any = 1, data_format: str | None = "channels_last", **options: Any):
        super().__init__(**options)
        self.padding = checked_sides(self, "padding", padding)
        self.data_format = check_data_format(data_format, self.name)


class Cropping1D(_Along):
    """y: x without its first and last steps.

    >>> from minicnn.layers import Cropping1D, Input
    >>> Cropping1D((2, 1))(Input((8, 3))).shape
    (None, 5, 3)
    """

    argument, sign, operation = "cropping", -1, ops.cropping1d

    def __init__(self, cropping: int | Pair = (1, 1), **options: Any):
        super().__init__(**options)
        self._keep(cropping)


class Cropping2D(_Border):
    """y: x without rows and columns at its sides.

    >>> from minicnn.layers import Cropping2D, Input
    >>> Cropping2D(1)(Input((8, 8, 3))).shape
    (None, 6, 6, 3)
    """

    argument, sign, operation = "cropping", -1, ops.cropping2d

    def __init__(self, cropping: Any = (0, 0), data_format: str | None = "channels_last", **options: Any):
        super().__init__(**options)
        self.cropping = checked_sides(self, "cropping", cropping)
        self.data_format = check_data_format(data_format, self.name)


class Cropping3D(_Border):
    """y: x without what lies at its sides.

    >>> from minicnn.layers import Cropping3D, Input
    >>> Cropping3D()(Input((4, 8, 8, 3))).shape
    (None, 2, 6, 6, 3)
    """

    input_rank = 5
    argument, sign, operation = "cropping", -1, ops.cropping3d

    def __init__(self, cropping: Any = 1, data_format: str | None = "channels_last", **options: Any):
        super().__init__(**options)
        self.cropping = checked_sides(self, "cropping", cropping)
        self.data_format = check_data_format(data_format, self.name)


class _UpSampling(Spatial):
    """Base of the layers that enlarge by whole factors."""

    size: Any

    def shape_after(self, input_shape: Shape) -> Shape:
        sides = (None if n is None else n * factor for n, factor in zip(input_shape[1:-1], self.size))
        return (input_shape[0], *sides, input_shape[-1])

    def working_shape(self, input_shape: Shape) -> Shape:
        return self.shape_after(input_shape)


class UpSampling1D(Layer):
    """y: each step of x `size` times.

    >>> from minicnn.layers import Input, UpSampling1D
    >>> UpSampling1D(3)(Input((4, 2))).shape
    (None, 12, 2)
    """

    input_rank = 3

    def __init__(self, size: int = 2, **options: Any):
        super().__init__(**options)
        self.size = whole_number(f"layer {self.name}", "size", size, 1)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.upsampling1d(x, self.size)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        steps = None if input_shape[1] is None else input_shape[1] * self.size
        return (input_shape[0], steps, input_shape[2])

    def working_shape(self, input_shape: Shape) -> Shape:
        return self.compute_output_shape(input_shape)


class UpSampling2D(_UpSampling):
    """y: x enlarged by whole factors, interpolation "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".

    >>> from minicnn.layers import Input, UpSampling2D
    >>> UpSampling2D((2, 3))(Input((4, 4, 3))).shape
    (None, 8, 12, 3)
    """

    input_rank = 4

    def __init__(
        self,
        size: int | Sizes = 2,
        data_format: str | None = "channels_last",
        interpolation: str = "nearest",
        **options: Any,
    ):
        super().__init__(**options)
        self.size = checked_sizes(self, "size", size)
        self.data_format = check_data_format(data_format, self.name)
        self.interpolation = one_of(f"layer {self.name}", "interpolation", interpolation, METHODS)

    def call(self, x: Tensor, training: bool) -> Tensor:
        if self.interpolation in ("nearest", "bilinear"):
            return ops.upsampling2d(x, self.size, self.interpolation)
        height, width = (old * factor for old, factor in zip(x.shape[1:3], self.size))
        return ops.resize(x, (height, width), self.interpolation)


class UpSampling3D(_UpSampling):
    """y: x enlarged by whole factors, by repetition.

    >>> from minicnn.layers import Input, UpSampling3D
    >>> UpSampling3D((1, 2, 2))(Input((4, 4, 4, 3))).shape
    (None, 4, 8, 8, 3)
    """

    input_rank = 5

    def __init__(self, size: int | Sizes = 2, data_format: str | None = "channels_last", **options: Any):
        super().__init__(**options)
        self.size = checked_sizes(self, "size", size)
        self.data_format = check_data_format(data_format, self.name)

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.upsampling3d(x, self.size)
