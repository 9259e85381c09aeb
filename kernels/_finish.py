"""The epilogue as a pass of its own, for kernels that do not finish their sums in registers."""

import numpy as np

from ._epilogue import Epilogue
from ._jit import kernel
from ._threads import STREAMED, parallel_for


@kernel
def _finish_rows(start, stop, y, bias, residual, has_residual, limits):
    """Rows start..stop-1 of y (rows, bias.size), in place: y = clip(y + bias + residual, low, high)."""
    low, high = limits
    for r in range(start, stop):
        row = y[r * bias.size : (r + 1) * bias.size]
        for f in range(bias.size):
            row[f] += bias[f]
        if has_residual:
            other = residual[r * bias.size : (r + 1) * bias.size]
            for f in range(bias.size):
                row[f] += other[f]
        for f in range(bias.size):
            value = row[f]
            value = low if value < low else value
            row[f] = high if value > high else value


def finish(y: np.ndarray, epilogue: Epilogue) -> np.ndarray:
    """y = activation(y + bias + residual), in place; y (...,F) is contiguous"""
    if epilogue.bias is not None or epilogue.residual is not None or epilogue.clips:
        rows = y.size // max(1, y.shape[-1])
        parallel_for(_finish_rows, rows, STREAMED * y.size, y.reshape(-1), *epilogue.operands(y.shape[-1]))
    return epilogue.rest(y)
