"""Arithmetic of tensors, with NumPy's broadcasting; the gradient of a broadcast operand is summed back to its shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.errors import ShapeError

from .function import Context, Function, check_dtypes


def unbroadcast(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over the axes along which an operand of `shape` was repeated."""
    if gradient.shape == shape:
        return gradient
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    repeated = tuple(axis for axis, size in enumerate(shape) if size == 1 and gradient.shape[axis] != 1)
    return gradient.sum(axis=repeated, keepdims=True) if repeated else gradient


def _check(name: str, a: Any, b: Any) -> None:
    check_dtypes(name, a, b)
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ShapeError(f"{name}: shapes {a.shape} and {b.shape} do not broadcast together") from None


def _axes(name: str, axes: Any, a: Any) -> tuple[int, ...]:
    """One axis or several, counted from the first."""
    axes = np.atleast_1d(np.asarray(axes, int)).tolist()
    if not all(-a.ndim <= axis < a.ndim for axis in axes):
        raise ShapeError(f"{name}: an array of shape {a.shape} does not have all the axes {axes}")
    return tuple(axis % a.ndim for axis in axes)


def _elementwise() -> Any:
    """The kernels, imported when they are first needed: `import minicnn` alone loads NumPy and little else."""
    from minicnn.kernels import elementwise

    return elementwise


class Add(Function):
    """y = a + b"""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        _check("add", a, b)
        ctx.save(a.shape, b.shape)
        return _elementwise().add(a, b)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return _elementwise().add_backward(dy, *ctx.saved)


class Subtract(Function):
    """y = a - b"""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        _check("subtract", a, b)
        ctx.save(a.shape, b.shape)
        return a - b

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        a_shape, b_shape = ctx.saved
        return unbroadcast(dy, a_shape), unbroadcast(-dy, b_shape)


class Multiply(Function):
    """y = a b"""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        _check("multiply", a, b)
        ctx.save(a, b)
        return _elementwise().multiply(a, b)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        a, b = ctx.saved
        return _elementwise().multiply_backward(a, b, dy)


class Divide(Function):
    """y = a / b"""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        _check("divide", a, b)
        ctx.save(a, b)
        return a / b

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        a, b = ctx.saved
        return unbroadcast(dy / b, a.shape), unbroadcast(-dy * a / (b * b), b.shape)


class Power(Function):
    """y = a ** p for a fixed number p"""

    @staticmethod
    def forward(ctx: Context, a: Any, *, p: float) -> Any:
        ctx.save(a, p)
        return a**p

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        a, p = ctx.saved
        return dy * (p * a ** (p - 1)) if p else np.zeros_like(a)  # 0 a⁻¹ would be NaN at 0


class Absolute(Function):
    """y = |a|, with gradient 0 at 0"""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        ctx.save(a)
        return abs(a)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return dy * np.sign(ctx.saved[0])


class MatMul(Function):
    """y (...,I,K) = a (...,I,J) @ b (...,J,K)"""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        check_dtypes("matmul", a, b)
        if min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2]:
            raise ShapeError(f"matmul: shapes {a.shape} and {b.shape} do not fit: (...,I,J) @ (...,J,K)")
        ctx.save(a, b)
        return a @ b

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        a, b = ctx.saved
        return unbroadcast(dy @ np.swapaxes(b, -1, -2), a.shape), unbroadcast(np.swapaxes(a, -1, -2) @ dy, b.shape)


class Sum(Function):
    """y = the sum over some axes, or all"""

    @staticmethod
    def forward(ctx: Context, a: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        axes = tuple(range(a.ndim)) if axis is None else _axes("sum", axis, a)
        if len(set(axes)) != len(axes):
            raise ShapeError(f"sum: an axis of an array of shape {a.shape} is named twice in {axes}")
        ctx.save(a.shape, axes)
        return a.sum(axis=axes, keepdims=keepdims)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        shape, axes = ctx.saved
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
        return np.broadcast_to(dy.reshape(kept), shape).copy()


class Reshape(Function):
    """y has the numbers of a in their order, in another shape; -1 stands for what is left"""

    is_view = True

    @staticmethod
    def forward(ctx: Context, a: Any, *, shape: tuple[int, ...]) -> Any:
        ctx.save(a.shape)
        try:
            return a.reshape(shape)
        except ValueError:
            raise ShapeError(f"reshape: {a.shape} cannot become {shape}") from None

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return dy.reshape(ctx.saved[0])


class Transpose(Function):
    """y has the axes of a in another order"""

    is_view = True

    @staticmethod
    def forward(ctx: Context, a: Any, *, axes: tuple[int, ...]) -> Any:
        order = _axes("transpose", axes, a)
        if sorted(order) != list(range(a.ndim)):
            raise ShapeError(f"transpose: {axes} is no order of the axes of {a.shape}")
        ctx.save(order)
        return a.transpose(order)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        order = ctx.saved[0]
        return dy.transpose(sorted(range(len(order)), key=order.__getitem__))


class Cast(Function):
    """y = a in another floating-point dtype"""

    @staticmethod
    def forward(ctx: Context, a: Any, *, dtype: Any) -> Any:
        ctx.save(a.dtype)
        return a.astype(dtype)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return dy.astype(ctx.saved[0])
