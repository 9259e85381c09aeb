"""pad2d: cases and how a rung is run on them; numbers are copied, so nothing may differ."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays

from minicnn.kernels import pad2d

SIDE = st.tuples(st.integers(0, 3), st.integers(0, 3))


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """x, its padding, the value around it, and a padded array for the way back."""
    n, h, w, c = (draw(st.integers(low, high)) for low, high in ((0, 2), (1, 5), (1, 5), (1, 4)))
    (top, bottom), (left, right) = padding = draw(st.tuples(SIDE, SIDE))
    return {
        "x": draw(arrays((n, h, w, c))),
        "dy": draw(arrays((n, top + h + bottom, left + w + right, c))),
        "padding": padding,
        "value": draw(st.sampled_from([0.0, -1.5])),
    }


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction."""
    if direction == "forward":
        return pad2d.forward(case["x"].astype(dtype), case["padding"], case["value"], rung=rung)
    return pad2d.backward(case["dy"].astype(dtype), case["padding"], rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> float:
    """No rounding at all."""
    return 0.0
