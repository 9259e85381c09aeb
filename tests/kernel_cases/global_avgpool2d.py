"""global_avgpool2d: cases and how a rung is run on them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays, images

from minicnn.kernels import global_avgpool2d


@st.composite
def cases(draw: Any, values: Any = arrays) -> dict[str, Any]:
    """x, and dy with or without the axes of size one; dy is a multiple of the number of pixels, so dx may be whole."""
    shape = draw(images())
    keepdims = draw(st.booleans())
    dy = draw(values((shape[0], 1, 1, shape[3]) if keepdims else shape[::3]))
    return {"x": draw(values(shape)), "dy": dy * shape[1] * shape[2], "keepdims": keepdims}


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction."""
    if direction == "forward":
        return global_avgpool2d.forward(case["x"].astype(dtype, copy=False), case["keepdims"], rung=rung)
    return global_avgpool2d.backward(case["dy"].astype(dtype, copy=False), case["x"].shape, rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of |terms| behind each output."""
    absolute = {**case, "x": np.abs(case["x"]), "dy": np.abs(case["dy"])}
    return run(absolute, np.float64, "v2_reduce", direction)
