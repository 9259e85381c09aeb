"""Operations that put numbers around those of x, or between them, along any axes of the samples."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.autograd import Context, Function, Tensor
from minicnn.errors import ShapeError
from minicnn.kernels import Pair


class Surround(Function):
    """y is x with one value before and after it along each axis of a sample"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, sides: tuple[Pair, ...], value: float) -> Any:
        ctx.save(x.shape)
        return np.pad(x, ((0, 0), *sides), constant_values=value)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        inside = (slice(before, before + size) for (before, _), size in zip(ctx.options["sides"], ctx.saved[0][1:]))
        return dy[(slice(None), *inside)].copy()


class Spread(Function):
    """y[i s, j t, ...] = x[i, j, ...] for steps (s, t, ...) of the first axes or those after the batch; else 0"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, steps: tuple[int, ...], first: int) -> Any:
        sizes = [(n - 1) * step + 1 if n else 0 for n, step in zip(x.shape[first:], steps)]
        places = (*[slice(None)] * first, *(slice(None, None, step) for step in steps))
        y = np.zeros_like(x, shape=(*x.shape[:first], *sizes, *x.shape[first + len(steps) :]))
        y[places] = x
        ctx.save(places)
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return dy[ctx.saved[0]].copy()


def surround(x: Tensor, sides: Sequence[Pair], value: float = 0.0) -> Tensor:
    """x (N,...) with `value` around it: a pair (before, after) for each axis of a sample.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.surround(minicnn.Tensor(np.ones((1, 2, 3))), [(0, 1), (2, 0)]).shape
    (1, 3, 5)
    """
    pairs = tuple((int(before), int(after)) for before, after in sides)
    if len(pairs) != x.ndim - 1 or any(side < 0 for pair in pairs for side in pair):
        raise ShapeError(f"surround: {list(sides)} is no pair (before, after) for each axis of a sample of {x.shape}")
    return Surround.apply(x, sides=pairs, value=float(value))


def spread(x: Tensor, steps: Sequence[int], first: int = 1) -> Tensor:
    """x with steps - 1 zeros between the numbers along the axes from `first` on.

    >>> import minicnn
    >>> minicnn.ops.spread(minicnn.Tensor([[1.0, 2.0]]), [3]).numpy()
    array([[1., 0., 0., 2.]])
    """
    return Spread.apply(x, steps=tuple(steps), first=first)
