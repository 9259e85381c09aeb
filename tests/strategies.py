"""What hypothesis draws: arrays in awkward memory orders, and window geometries that leave remainders."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

LAYOUTS = ("contiguous", "fortran", "strided", "reversed", "unaligned")


def lay_out(array: np.ndarray, layout: str) -> np.ndarray:
    """The same values in another memory order."""
    if layout == "fortran":
        return np.asfortranarray(array)
    if layout == "strided":
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]
    if layout == "reversed":
        return array[::-1].copy()[::-1]
    if layout == "unaligned":
        return unaligned(array)
    return np.ascontiguousarray(array)


def unaligned(array: np.ndarray) -> np.ndarray:
    """The same values at an odd address, as a buffer read from a file may have."""
    copy = np.ndarray(array.shape, array.dtype, bytearray(array.nbytes + 1), offset=1)
    copy[...] = array
    return copy


@st.composite
def arrays(draw: Any, shape: tuple[int, ...], low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Zero-mean float64 numbers that float32 holds exactly, in a drawn memory order."""
    seed = draw(st.integers(0, 2**32 - 1))
    values = np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32).astype(np.float64)
    return lay_out(values, draw(st.sampled_from(LAYOUTS)))


@st.composite
def integer_arrays(draw: Any, shape: tuple[int, ...], most: int = 3) -> np.ndarray:
    """Small whole numbers: every order of summation gives the same float32."""
    seed = draw(st.integers(0, 2**32 - 1))
    return np.random.default_rng(seed).integers(-most, most + 1, shape).astype(np.float64)


def paddings() -> st.SearchStrategy:
    """ "valid", "same", one number, or four."""
    side = st.tuples(st.integers(0, 3), st.integers(0, 3))
    return st.one_of(st.sampled_from(["valid", "same"]), st.integers(0, 2), st.tuples(side, side))


@st.composite
def images(draw: Any) -> tuple[int, int, int, int]:
    """Shapes (N,H,W,C), batch 0 and 1x1 images among them."""
    size = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    return draw(st.integers(0, 3)), *size, draw(st.sampled_from([1, 2, 5, 16, 23]))


@st.composite
def pools(draw: Any) -> tuple[tuple[int, int, int, int], dict[str, Any]]:
    """The shape of an image and the options of a pool that fits it; overlapping, with gaps, larger than the image."""
    shape = draw(images())
    taps = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    fits = taps[0] <= shape[1] and taps[1] <= shape[2]
    sides = tuple((draw(st.integers(0, size - 1)), draw(st.integers(0, size - 1))) for size in taps)
    reached = all(size + sum(side) >= tap for size, side, tap in zip(shape[1:3], sides, taps))
    padding = draw(st.sampled_from(["same", *(["valid"] if fits else []), *([sides] if reached else [])]))
    strides = draw(st.one_of(st.none(), st.tuples(st.integers(1, 4), st.integers(1, 4))))
    return shape, {"pool_size": taps, "strides": strides, "padding": padding}
