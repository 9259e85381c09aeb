"""Dropout: numbers left out at random while training."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor

LOW = -1.6732632423543772 * 1.0507009873554805  # what selu tends to at minus infinity


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


class AlphaDropout(Function):
    """y = a (x where it is kept, else LOW) + b, with a and b that keep mean 0 and variance 1"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, rate: float, generator: np.random.Generator, noise_shape: Any) -> Any:
        drawn = kernels.dropout.draw_mask(x.shape, rate, generator, noise_shape)
        kept = kernels.to_device(drawn, kernels.device_of(x))
        scale = ((1 - rate) * (1 + rate * LOW**2)) ** -0.5 if rate < 1 else 0.0
        ctx.save(kept, scale)
        return (scale * np.where(kept, x, LOW) - scale * LOW * rate).astype(x.dtype)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        kept, scale = ctx.saved
        return dy * (kept * dy.dtype.type(scale))


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


def alpha_dropout(
    x: Tensor, rate: float, generator: np.random.Generator, noise_shape: tuple[int | None, ...] | None = None
) -> Tensor:
    """x with a part `rate` of its numbers set to the lowest value of selu, then all scaled to mean 0 and variance 1.

    Source: Klambauer et al., "Self-Normalizing Neural Networks", 2017, section "New Dropout Technique".

    >>> import numpy as np, minicnn
    >>> rng = np.random.default_rng(0)
    >>> y = minicnn.ops.alpha_dropout(minicnn.Tensor(rng.standard_normal(10_000)), 0.2, rng).numpy()
    >>> bool(abs(y.mean()) < 0.05), bool(abs(y.std() - 1) < 0.05)
    (True, True)
    """
    return AlphaDropout.apply(x, rate=rate, generator=generator, noise_shape=noise_shape)
