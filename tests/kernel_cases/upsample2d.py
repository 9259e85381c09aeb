"""upsample2d: cases and how a rung is run on them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays

from minicnn.kernels import upsample2d


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """x, factors, an interpolation, and dy."""
    n, h, w, c = (draw(st.integers(low, high)) for low, high in ((0, 2), (1, 6), (1, 6), (1, 5)))
    fh, fw = size = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    return {
        "x": draw(arrays((n, h, w, c))),
        "dy": draw(arrays((n, h * fh, w * fw, c))),
        "options": (size, draw(st.sampled_from(upsample2d.INTERPOLATIONS))),
    }


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction."""
    if direction == "forward":
        return upsample2d.forward(case["x"].astype(dtype), *case["options"], rung=rung)
    return upsample2d.backward(case["dy"].astype(dtype), *case["options"], rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of |products| behind each output number; the weights are not negative."""
    absolute = {name: np.abs(case[name]) for name in ("x", "dy")}
    return run(absolute | {"options": case["options"]}, np.float64, "reference", direction)
