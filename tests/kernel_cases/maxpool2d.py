"""maxpool2d: cases and how a rung is run on them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays, integer_arrays, pools

from minicnn.kernels import maxpool2d


@st.composite
def cases(draw: Any, values: Any = arrays) -> dict[str, Any]:
    """x, with ties or without, dy and the options of one pool."""
    shape, options = draw(pools())
    x = draw(draw(st.sampled_from([values, integer_arrays]))(shape))
    y = maxpool2d.forward(x, **options, rung="v2_taps")
    return {"x": x, "dy": draw(values(y.shape)), "options": options}


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction; float32 holds x exactly, so every rung meets the same ties."""
    x, dy, options = case["x"].astype(dtype, copy=False), case["dy"].astype(dtype, copy=False), case["options"]
    if direction == "forward":
        return maxpool2d.forward(x, **options, rung=rung)
    y = maxpool2d.forward(x, **options)  # every rung finds the same
    return maxpool2d.backward(x, y, dy, **options, rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Forward is exact; backward adds |dy|."""
    if direction == "forward":
        return np.zeros(maxpool2d.forward(case["x"], **case["options"]).shape)
    return run({**case, "dy": np.abs(case["dy"])}, np.float64, "v2_taps", direction)
