"""channel_sum: cases and how a rung is run on them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays

from minicnn.kernels import channel_sum


@st.composite
def cases(draw: Any, values: Any = arrays) -> dict[str, Any]:
    """Arrays of one to four axes."""
    leading = draw(st.lists(st.integers(0, 9), max_size=3))
    return {"x": draw(values((*leading, draw(st.sampled_from([1, 2, 3, 17, 64, 70])))))}


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The sums."""
    return channel_sum.forward(case["x"].astype(dtype, copy=False), rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of |x|."""
    return channel_sum.forward(np.abs(case["x"]), rung="v2_reduce")
