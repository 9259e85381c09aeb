"""global_maxpool2d: cases and how a rung is run on them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays, images, integer_arrays

from minicnn.kernels import global_maxpool2d


@st.composite
def cases(draw: Any, values: Any = arrays) -> dict[str, Any]:
    """x, with ties or without, and dy with or without the axes of size one."""
    shape = draw(images())
    keepdims = draw(st.booleans())
    x = draw(draw(st.sampled_from([values, integer_arrays]))(shape))
    dy = draw(values((shape[0], 1, 1, shape[3]) if keepdims else shape[::3]))
    return {"x": x, "dy": dy, "keepdims": keepdims}


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction."""
    x, dy = case["x"].astype(dtype, copy=False), case["dy"].astype(dtype, copy=False)
    if direction == "forward":
        return global_maxpool2d.forward(x, case["keepdims"], rung=rung)
    y = global_maxpool2d.forward(x, case["keepdims"])  # every rung finds the same
    return global_maxpool2d.backward(x, y, dy, rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Numbers are only moved."""
    return np.zeros(1)
