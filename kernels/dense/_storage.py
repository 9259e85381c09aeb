"""Weights of a dense layer in fewer bits: where each is read once, as for a single row of x, the bytes are the time.

    float32     w itself
    bfloat16    the upper half of w's bits, rounded to nearest even:     |w' - w| <= 2^-8 |w|
    int8        w' = q s, s = max |w| of the column / 127, q = w / s rounded to a whole number:     |w' - w| <= s / 2

for normal numbers; those next to the largest float32 may become infinite.

The weights alone are stored so; they are widened in registers, and products and sums are float32 as ever.
(Wu et al., "Integer Quantization for Deep Learning Inference: Principles and Empirical Evaluation", 2020, sections 3.1
and 3.2: symmetric, one scale a channel.)
"""

from typing import NamedTuple

import numpy as np

from minicnn.errors import ArgumentError

from .._shapes import ceil_div

STORAGES = ("float32", "bfloat16", "int8")
HIGHEST = 127  # of an int8, so that -q is one too
PART = 1 << 18  # numbers that are stored together: they stay in cache between the steps
TINY = np.finfo(np.float32).tiny


class Stored(NamedTuple):
    """w (I,O) as `store` made it: bits of bfloat16 (uint16), or whole numbers (int8) with a scale (O,)."""

    data: np.ndarray
    scale: np.ndarray | None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape


def store(w: np.ndarray, storage: str) -> np.ndarray | Stored:
    """w (I,O) in one of STORAGES.

    A column of int8 with a NaN or an infinity in it is NaN as a whole.

    Raises
    ------
    ArgumentError
    """
    if storage not in STORAGES:
        raise ArgumentError(f"dense: weights are stored as one of {', '.join(STORAGES)}; not as {storage!r}")
    if w.ndim != 2 or w.dtype.kind != "f":
        raise ArgumentError(f"dense: weights (I,O) of a float type are stored; not {w.shape} of {w.dtype}")
    if storage == "float32":
        return w
    rows = max(1, PART // max(1, w.shape[1]))
    parts = [slice(i * rows, (i + 1) * rows) for i in range(ceil_div(len(w), rows))]
    if storage == "bfloat16":
        data = np.empty(w.shape, np.uint16)
        for part in parts:
            data[part] = _rounded(np.ascontiguousarray(w[part], np.float32))
        return Stored(data, None)
    peak = np.zeros(w.shape[1], np.float32)
    for part in parts:
        np.maximum(peak, np.abs(w[part]).max(0), out=peak)  # NaN stays
    scale, data = np.maximum(peak / HIGHEST, TINY), np.empty(w.shape, np.int8)
    scale[np.isinf(scale)] = np.nan
    for part in parts:
        data[part] = np.rint(np.nan_to_num(w[part] / scale.astype(np.float64)))
    return Stored(data, scale)


def _rounded(w: np.ndarray) -> np.ndarray:
    """The upper halves of float32 numbers, to nearest even; NaN stays NaN."""
    bits = w.view(np.uint32)
    halves = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    halves[np.isnan(w)] = 0x7FC0
    return halves


def restored(w: np.ndarray | Stored, dtype: np.dtype) -> np.ndarray:
    """The weights that stored ones stand for, in a float type; arrays as they are."""
    if isinstance(w, np.ndarray):
        return w
    if w.scale is None:
        return (w.data.astype(np.uint32) << 16).view(np.float32).astype(dtype, copy=False)
    return w.data.astype(dtype) * w.scale.astype(dtype)
