"""dropout: cases and how a rung is run on them; the mask follows from a seed."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays

from minicnn.kernels import dropout


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """x, a rate, a seed, and a mask shared along drawn axes."""
    shape = draw(st.sampled_from([(1,), (0, 3), (2, 3, 4, 5)]))
    shared = draw(st.none() | st.tuples(*(st.sampled_from([None, 1, size]) for size in shape)))
    rate = draw(st.sampled_from([0.0, 0.3, 0.5, 1.0]))
    return {"x": draw(arrays(shape)), "rate": rate, "noise_shape": shared, "seed": draw(st.integers(0, 99))}


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction."""
    x, rate, generator = case["x"].astype(dtype), case["rate"], np.random.default_rng(case["seed"])
    y, mask = dropout.forward(x, rate, generator, case["noise_shape"], rung=rung)
    return y if direction == "forward" else dropout.backward(x, mask, rate, rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """|x| / (1 - rate)"""
    return np.abs(case["x"]) * (0 if case["rate"] == 1 else 1 / (1 - case["rate"]))
