"""The bounds that a kernel is measured against: what this machine multiplies, and reads from memory, in a second."""

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minicnn import kernels

ROUNDS = 9
SIDE = 1024  # of the matrices that BLAS multiplies
STREAMED = 1 << 25  # numbers, more than a cache holds


class Peaks(NamedTuple):
    """Floating point operations and bytes a second, on as many threads as kernels use."""

    flops: float
    bytes: float
    source: str

    def attainable(self, intensity: float) -> float:
        """The roofline: operations a second of a kernel that does so many for each byte from memory.

        >>> Peaks(100.0, 10.0, "").attainable(2.0), Peaks(100.0, 10.0, "").attainable(50.0)
        (20.0, 100.0)
        """
        return min(self.flops, intensity * self.bytes)

    def or_higher(self, other: "Peaks") -> "Peaks":
        """Of two measurements the higher bounds: what disturbed one of them is no bound.

        >>> Peaks(100.0, 9.0, "").or_higher(Peaks(90.0, 10.0, ""))
        Peaks(flops=100.0, bytes=10.0, source='')
        """
        return Peaks(max(self.flops, other.flops), max(self.bytes, other.bytes), self.source)

    def as_json(self) -> dict[str, Any]:
        """The figures as they are told: in GFLOP/s and GB/s."""
        rates = {"gflops": round(self.flops / 1e9, 1), "gb_per_s": round(self.bytes / 1e9, 1)}
        return {**rates, "source": self.source}


def measure(rounds: int = ROUNDS) -> Peaks:
    """Both bounds, each as reached in some rounds; by minicnn's kernels, or by NumPy where there is no Numba."""
    if kernels.numba_wanted():
        from minicnn.kernels import _peaks

        return Peaks(_peaks.multiply_adds(rounds), _peaks.memory_bytes(rounds), "register tile, row sums")
    a = np.full((SIDE, SIDE), 0.5, np.float32)
    x, y = np.ones(STREAMED, np.float32), np.empty(STREAMED, np.float32)
    flops = 2.0 * SIDE**3 / _least(lambda: np.matmul(a, a), rounds)
    return Peaks(flops, 2 * x.nbytes / _least(lambda: np.negative(x, out=y), rounds), "BLAS, NumPy")


def _least(call: Callable[[], Any], rounds: int) -> float:
    least = math.inf
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        call()
        least = min(least, time.perf_counter() - begun)
    return least
