"""Noise: random numbers added or multiplied while training."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor


class Noise(Function):
    """y = x + s n, or x (1 + s n) when it is relative; n is standard normal, drawn anew for every number"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, stddev: float, generator: np.random.Generator, relative: bool) -> Any:
        drawn = (stddev * generator.standard_normal(x.shape)).astype(x.dtype)
        noise = kernels.to_device(drawn, kernels.device_of(x))
        if not relative:
            return x + noise
        noise += 1
        ctx.save(noise)
        return x * noise

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return dy * ctx.saved[0] if ctx.options["relative"] else dy


def noise(x: Tensor, stddev: float, generator: np.random.Generator, relative: bool = False) -> Tensor:
    """x with normal noise of standard deviation `stddev` added; x times noise of mean 1 when `relative`.

    >>> import numpy as np, minicnn
    >>> y = minicnn.ops.noise(minicnn.Tensor(np.zeros(1000)), 2.0, np.random.default_rng(0))
    >>> bool(1.8 < y.numpy().std() < 2.2)
    True
    """
    return Noise.apply(x, stddev=stddev, generator=generator, relative=relative)
