"""prelu: cases and how a rung is run on them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays

from minicnn.kernels import prelu

SAMPLES = [(1,), (7,), (0,), (2, 3, 5), (1, 1, 4), (9, 8, 33)]  # the last one spans several blocks


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """x with a few zeros, alpha shared along drawn axes, and dy."""
    sample = draw(st.sampled_from(SAMPLES))
    shape = (draw(st.integers(0, 3)), *sample)
    x = draw(arrays(shape))
    x[np.abs(x) < 0.1] = 0
    alpha = draw(arrays(tuple(1 if draw(st.booleans()) else size for size in sample)))
    return {"x": x, "alpha": alpha, "dy": draw(arrays(shape))}


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """y, or dx and dalpha in one array."""
    x, alpha, dy = (case[name].astype(dtype) for name in ("x", "alpha", "dy"))
    if direction == "forward":
        return prelu.forward(x, alpha, rung=rung)
    return np.concatenate([gradient.ravel() for gradient in prelu.backward(x, alpha, dy, rung=rung)])


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of |products| behind each output number."""
    absolute = {"x": case["x"], "alpha": np.abs(case["alpha"]), "dy": np.abs(case["dy"])}
    return np.abs(run(absolute, np.float64, "reference", direction))
