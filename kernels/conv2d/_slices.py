"""Sums over all pixels, where the gradient of the weights has too few blocks for the threads: slice by slice."""

from typing import Any

import numpy as np

from .._memory import empty
from .._threads import parallel_for


def add_slices(kernel: Any, blocks: int, slices: int, work: float, arguments: tuple[Any, ...], dw: np.ndarray) -> None:
    """dw = the gradients that `kernel` makes of slices of the pixels, added in order; `blocks` are those of a slice."""
    parts = dw if slices == 1 else empty((slices, dw.size))
    parallel_for(kernel, blocks * slices, work, *arguments, parts.reshape(-1))
    if slices > 1:
        np.add.reduce(parts, axis=0, out=dw.reshape(-1))
