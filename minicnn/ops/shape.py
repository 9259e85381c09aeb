"""Operations that move or repeat numbers: padding, cropping, upsampling, concatenation, reshaping."""

from math import prod
from typing import Any

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor
from minicnn.errors import ShapeError
from minicnn.kernels import Pair, padding_sides, pair


class ZeroPadding2D(Function):
    """y is x with rows and columns of zeros around it"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, padding: tuple[Pair, Pair]) -> Any:
        return kernels.pad2d.forward(x, padding)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return kernels.pad2d.backward(dy, ctx.options["padding"])


class ConstantPadding2D(Function):
    """y is x with rows and columns of one value around it"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, padding: tuple[Pair, Pair], value: float) -> Any:
        return kernels.pad2d.forward(x, padding, value)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return kernels.pad2d.backward(dy, ctx.options["padding"])


class Cropping2D(Function):
    """y is x without some rows and columns at its sides"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, cropping: tuple[Pair, Pair]) -> Any:
        return kernels.pad2d.backward(x, cropping)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return kernels.pad2d.forward(dy, ctx.options["cropping"])


class UpSampling2D(Function):
    """y is x enlarged by whole factors, by repetition or by bilinear interpolation at half-pixel centres"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, size: Pair, interpolation: str) -> Any:
        return kernels.upsample2d.forward(x, size, interpolation)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return kernels.upsample2d.backward(dy, ctx.options["size"], ctx.options["interpolation"])


class Concatenate(Function):
    """y is the inputs one after another along an axis"""

    @staticmethod
    def forward(ctx: Context, *arrays: Any, axis: int) -> Any:
        y = kernels.concatenate.forward(arrays, axis)
        ctx.save([array.shape[axis] for array in arrays])
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return tuple(kernels.concatenate.backward(dy, ctx.saved[0], ctx.options["axis"]))


class SampleReshape(Function):
    """y has the numbers of each sample in another shape; the batch axis stays"""

    is_view = True

    @staticmethod
    def forward(ctx: Context, x: Any, *, shape: tuple[int, ...]) -> Any:
        ctx.save(x.shape)
        return x.reshape(x.shape[0], *shape)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return dy.reshape(ctx.saved[0])


class Permute(Function):
    """y has the axes of each sample in another order; the batch axis stays"""

    is_view = True

    @staticmethod
    def forward(ctx: Context, x: Any, *, order: tuple[int, ...]) -> Any:
        return x.transpose(0, *order)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        order = (0, *ctx.options["order"])
        return dy.transpose(sorted(range(len(order)), key=order.__getitem__))


def zero_padding2d(x: Tensor, padding: Any = 1) -> Tensor:
    """Zeros around x (N,H,W,C); `padding` is a number, two, or ((top, bottom), (left, right)).

    >>> import numpy as np, minicnn
    >>> minicnn.ops.zero_padding2d(minicnn.Tensor(np.ones((1, 2, 2, 1))), ((1, 0), (0, 2))).shape
    (1, 3, 4, 1)
    """
    return ZeroPadding2D.apply(x, padding=padding_sides(padding))


def constant_padding2d(x: Tensor, padding: Any, value: float) -> Tensor:
    """`value` around x (N,H,W,C); `padding` is a number, two, or ((top, bottom), (left, right)).

    >>> import numpy as np, minicnn
    >>> minicnn.ops.constant_padding2d(minicnn.Tensor(np.zeros((1, 1, 1, 1))), ((0, 0), (1, 2)), 5.0).numpy().ravel()
    array([5., 0., 5., 5.])
    """
    return ConstantPadding2D.apply(x, padding=padding_sides(padding), value=value)


def cropping2d(x: Tensor, cropping: Any = 0) -> Tensor:
    """x (N,H,W,C) without rows and columns; `cropping` is a number, two, or ((top, bottom), (left, right)).

    >>> import numpy as np, minicnn
    >>> minicnn.ops.cropping2d(minicnn.Tensor(np.ones((1, 4, 4, 1))), ((1, 0), (0, 2))).shape
    (1, 3, 2, 1)
    """
    (top, bottom), (left, right) = sides = padding_sides(cropping, "cropping")
    if x.ndim != 4:
        raise ShapeError(f"cropping2d: x must be (N,H,W,C); it is {x.shape}")
    if top + bottom >= x.shape[1] or left + right >= x.shape[2]:
        raise ShapeError(f"cropping2d: {cropping} leaves nothing of an image of {x.shape[1:3]}")
    return Cropping2D.apply(x, cropping=sides)


def upsampling2d(x: Tensor, size: int | Pair = 2, interpolation: str = "nearest") -> Tensor:
    """x (N,H,W,C) enlarged by whole factors; interpolation is "nearest" or "bilinear".

    >>> import numpy as np, minicnn
    >>> minicnn.ops.upsampling2d(minicnn.Tensor(np.ones((1, 2, 2, 1))), (2, 3)).shape
    (1, 4, 6, 1)
    """
    return UpSampling2D.apply(x, size=pair(size, "size"), interpolation=interpolation)


def concatenate(tensors: list[Tensor], axis: int = -1) -> Tensor:
    """Tensors one after another along an axis; their other sizes are equal.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.concatenate([minicnn.Tensor(np.ones((1, 2))), minicnn.Tensor(np.ones((1, 3)))]).shape
    (1, 5)
    """
    return Concatenate.apply(*tensors, axis=axis)


def reshape(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Each sample of x (N,...) in another shape, which leaves the batch axis out; one size may be -1.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.reshape(minicnn.Tensor(np.ones((2, 4, 3))), (2, -1)).shape
    (2, 2, 6)
    """
    total, known = prod(x.shape[1:]), prod(size for size in shape if size != -1)
    free = shape.count(-1)
    if free > 1 or (free and not known) or (total % known if free else total != known):
        raise ShapeError(f"reshape: a sample of shape {x.shape[1:]} cannot become {tuple(shape)}")
    return SampleReshape.apply(x, shape=tuple(total // known if size == -1 else size for size in shape))


def flatten(x: Tensor) -> Tensor:
    """Each sample of x (N,...) as one row: (N, product of the rest).

    >>> import numpy as np, minicnn
    >>> minicnn.ops.flatten(minicnn.Tensor(np.ones((2, 4, 3)))).shape
    (2, 12)
    """
    return SampleReshape.apply(x, shape=(prod(x.shape[1:]),))


def permute(x: Tensor, order: tuple[int, ...]) -> Tensor:
    """The axes of each sample of x (N,...) in another order, counted from 1 as in Keras.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.permute(minicnn.Tensor(np.ones((2, 4, 3))), (2, 1)).shape
    (2, 3, 4)
    """
    if sorted(order) != list(range(1, x.ndim)):
        raise ShapeError(f"permute: {order} is no order of the axes 1..{x.ndim - 1}")
    return Permute.apply(x, order=tuple(order))
