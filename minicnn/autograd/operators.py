"""The operators of a tensor: `a + b`, `a @ b`, `a.sum()` and their like, as a mixin of Tensor."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.errors import ArgumentError

from .arithmetic import Absolute, Add, Divide, MatMul, Multiply, Power, Reshape, Subtract, Sum, Transpose

if TYPE_CHECKING:
    from .tensor import Tensor


class Operators:
    """Python's operators, each one differentiable operation."""

    @property
    def shape(self) -> tuple[int, ...]:
        raise NotImplementedError

    @property
    def dtype(self) -> np.dtype:
        raise NotImplementedError

    def _operand(self, value: Any) -> Any:
        """A tensor of a number or an array; a number takes this tensor's dtype."""
        if isinstance(value, Operators):
            return value
        from .tensor import Tensor

        return Tensor(np.asarray(value, self.dtype) if isinstance(value, Real) else value)

    def __add__(self, other: Any) -> Tensor:
        return Add.apply(self, self._operand(other))

    def __radd__(self, other: Any) -> Tensor:
        return Add.apply(self._operand(other), self)

    def __sub__(self, other: Any) -> Tensor:
        return Subtract.apply(self, self._operand(other))

    def __rsub__(self, other: Any) -> Tensor:
        return Subtract.apply(self._operand(other), self)

    def __mul__(self, other: Any) -> Tensor:
        return Multiply.apply(self, self._operand(other))

    def __rmul__(self, other: Any) -> Tensor:
        return Multiply.apply(self._operand(other), self)

    def __truediv__(self, other: Any) -> Tensor:
        return Divide.apply(self, self._operand(other))

    def __rtruediv__(self, other: Any) -> Tensor:
        return Divide.apply(self._operand(other), self)

    def __neg__(self) -> Tensor:
        return self * -1.0

    def __abs__(self) -> Tensor:
        return Absolute.apply(self)

    def __pow__(self, p: float) -> Tensor:
        if not isinstance(p, Real):
            raise ArgumentError(f"power: the exponent must be a number; it is {p!r}")
        return Power.apply(self, p=float(p))

    def __matmul__(self, other: Any) -> Tensor:
        return MatMul.apply(self, self._operand(other))

    def __rmatmul__(self, other: Any) -> Tensor:
        return MatMul.apply(self._operand(other), self)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The sum over some axes, or all."""
        return Sum.apply(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The mean over some axes, or all."""
        total = self.sum(axis=axis, keepdims=keepdims)
        count = int(np.prod(self.shape)) / max(int(np.prod(total.shape)), 1)
        return total * (1.0 / max(count, 1.0))

    def reshape(self, *shape: int) -> Tensor:
        """The same numbers in another shape."""
        return Reshape.apply(self, shape=shape)

    def transpose(self, *axes: int) -> Tensor:
        """The axes in another order; reversed when none is given."""
        return Transpose.apply(self, axes=axes or tuple(reversed(range(len(self.shape)))))
