"""avgpool2d: cases and how a rung is run on them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays, pools

from minicnn.kernels import avgpool2d

WHOLE = 3600  # divisible by every number of pixels in a window of up to 5 x 5: shares of whole numbers stay whole


@st.composite
def cases(draw: Any, values: Any = arrays) -> dict[str, Any]:
    """x, dy and the options of one pool."""
    shape, options = draw(pools())
    x = draw(values(shape))
    y = avgpool2d.forward(x, **options, rung="v2_taps")
    return {"x": x, "dy": draw(values(y.shape)) * WHOLE, "options": options}


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction."""
    if direction == "forward":
        return avgpool2d.forward(case["x"].astype(dtype, copy=False), **case["options"], rung=rung)
    return avgpool2d.backward(case["dy"].astype(dtype, copy=False), case["x"].shape, **case["options"], rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of |terms| behind each output."""
    absolute = {**case, "x": np.abs(case["x"]), "dy": np.abs(case["dy"])}
    return run(absolute, np.float64, "v2_taps", direction)
