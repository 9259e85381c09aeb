"""concatenate: cases and how a rung is run on them; numbers are copied, so nothing may differ."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays

from minicnn.kernels import concatenate


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """Arrays that differ along one axis, and that axis, counted from either end."""
    shape = draw(st.lists(st.integers(0, 4), min_size=1, max_size=4))
    axis = draw(st.integers(0, len(shape) - 1))
    sizes = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    pieces = [draw(arrays((*shape[:axis], size, *shape[axis + 1 :]))) for size in sizes]
    return {"arrays": pieces, "sizes": sizes, "axis": axis - draw(st.sampled_from([0, len(shape)]))}


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The whole, or its pieces, flat, in one array."""
    pieces, axis = [array.astype(dtype) for array in case["arrays"]], case["axis"]
    if direction == "forward":
        return concatenate.forward(pieces, axis, rung=rung)
    found = concatenate.backward(np.concatenate(pieces, axis), case["sizes"], axis, rung=rung)
    return np.concatenate([piece.ravel() for piece in found])


def magnitude(case: dict[str, Any], direction: str) -> float:
    """No rounding at all."""
    return 0.0
