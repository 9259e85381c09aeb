"""softmax: cases and how a rung is run on them.

exp(x - m) feels the rounding of x - m as many times as x - m is large; a power's share of the sum carries that of all
powers, each by its own share.
"""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays

from minicnn.kernels import softmax

SHAPES = [(1,), (7,), (0, 3), (3, 1), (2, 3, 1, 5), (5, 64), (3, 65), (2, 1000)]


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """Rows of numbers, some of them far apart, dy, and the reference's y."""
    shape = draw(st.sampled_from(SHAPES))
    reach = draw(st.sampled_from([1.0, 8.0, 300.0]))
    x, log = draw(arrays(shape, -reach, reach)), draw(st.booleans())
    return {"x": x, "dy": draw(arrays(shape)), "log": log, "y": softmax.forward(x, log, rung="reference")}


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction; the y that backward takes is the reference's, rounded to dtype."""
    if direction == "forward":
        return softmax.forward(case["x"].astype(dtype), case["log"], rung=rung)
    return softmax.backward(case["y"].astype(dtype), case["dy"].astype(dtype), case["log"], rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of the absolute values of the terms of each output number."""
    x, dy = case["x"], np.abs(case["dy"])
    size = np.abs(x - x.max(axis=-1, keepdims=True))
    y = softmax.forward(x, rung="reference")
    spread = (y * size).sum(axis=-1, keepdims=True)
    if direction == "forward":
        return 2 * size + spread + 1 if case["log"] else y * (1 + size + spread)
    if case["log"]:
        return dy + y * (1 + np.abs(np.log(np.maximum(y, 1e-300)))) * dy.sum(axis=-1, keepdims=True)
    return y * (dy + (dy * y).sum(axis=-1, keepdims=True))
