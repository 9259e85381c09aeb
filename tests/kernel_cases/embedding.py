"""embedding: cases and how a rung is run on them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays

from minicnn.kernels import embedding


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """A table, numbers of its rows of which some come often and some never, and dy."""
    shape = draw(st.sampled_from([(1,), (0, 3), (2, 5), (4, 3, 7)]))
    count, columns = draw(st.integers(1, 9)), draw(st.sampled_from([1, 3, 4, 8, 33]))
    often = draw(st.integers(1, count))
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    x = np.asarray(generator.integers(0, often, shape) + (count - often))
    return {"x": x, "w": draw(arrays((count, columns))), "dy": draw(arrays((*shape, columns)))}


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """y or dw."""
    x, w, dy = case["x"], case["w"].astype(dtype), case["dy"].astype(dtype)
    if direction == "forward":
        return embedding.forward(x, w, rung=rung)[0]
    return embedding.backward(x.astype(np.int64), dy, len(w), rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of |numbers| behind each output number."""
    absolute = {"x": case["x"], "w": np.abs(case["w"]), "dy": np.abs(case["dy"])}
    return run(absolute, np.float64, "reference", direction)
