"""Dropout: numbers left out at random while training."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor


class Dropout(Function):
    """y = x mask / (1 - rate), where mask is 0 with probability `rate` and 1 otherwise"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, rate: float, generator: np.random.Generator, noise_shape: Any) -> Any:
        y, mask = kernels.dropout.forward(x, rate, generator, noise_shape)
        ctx.save(mask)
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return kernels.dropout.backward(dy, ctx.saved[0], ctx.options["rate"])


def dropout(
    x: Tensor, rate: float, generator: np.random.Generator, noise_shape: tuple[int | None, ...] | None = None
) -> Tensor:
    """x with a part `rate` of its numbers zeroed and the others raised by 1 / (1 - rate).

    `noise_shape` gives the mask's shape; its None and 1 entries stand for x's size and for "the same along here".
    Source: Srivastava et al., "Dropout", 2014.

    >>> import numpy as np, minicnn
    >>> y = minicnn.ops.dropout(minicnn.Tensor(np.ones(1000)), 0.5, np.random.default_rng(0))
    >>> sorted(set(y.numpy().tolist()))
    [0.0, 2.0]
    """
    return Dropout.apply(x, rate=rate, generator=generator, noise_shape=noise_shape)
