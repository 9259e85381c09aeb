"""conv2d: cases and how a rung is run on them."""

from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from strategies import arrays, paddings

from minicnn.errors import ShapeError
from minicnn.kernels import conv2d


@st.composite
def cases(draw: Any, values: Any = arrays, winograd: bool = False) -> dict[str, Any]:
    """x, w, bias, dy and the options of one convolution; `winograd`: one that Winograd's rungs can do."""
    groups = draw(st.sampled_from([1] if winograd else [1, 1, 1, 2, 3]))
    channels = groups * draw(st.sampled_from([1, 2, 5, 17, 35]) if winograd else st.integers(1, 5))
    filters = groups * draw(st.sampled_from([1, 2, 5, 17, 35]))
    side = st.just(3) if winograd else st.integers(1, 4)
    taps = draw(st.tuples(side, side))
    size = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    steps = st.sampled_from([1] if winograd else [1, 1, 2, 3])
    options = {
        "strides": draw(st.tuples(steps, steps)),
        "dilation": draw(st.tuples(steps, steps)),
        "padding": draw(paddings()),
        "groups": groups,
    }
    x = draw(values((draw(st.integers(0, 3)), *size, channels)))
    w = draw(values((*taps, channels // groups, filters)))
    try:
        y = conv2d.forward(x, w, **options, rung="v2_im2col")
    except ShapeError:
        assume(False)
        raise
    activation = draw(st.sampled_from([None, "relu", "relu6"]))
    return {
        "x": x,
        "w": w,
        "bias": draw(values((filters,))),
        "residual": draw(values(y.shape)),
        "dy": draw(values(y.shape)),
        "options": options,
        "activation": activation,
    }


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction."""
    x, w, bias, residual, dy = (case[name].astype(dtype) for name in ("x", "w", "bias", "residual", "dy"))
    options = case["options"]
    if direction == "forward":
        return conv2d.forward(x, w, bias, residual=residual, activation=case["activation"], **options, rung=rung)
    if direction == "backward_input":
        return conv2d.backward_input(dy, w, x.shape, **options, rung=rung)
    return conv2d.backward_weights(x, dy, w.shape, **options, rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of |products| behind each output: what rounding errors are measured against."""
    absolute = {**case, "activation": None}
    for name in ("x", "w", "bias", "residual", "dy"):
        absolute[name] = np.abs(case[name])
    return run(absolute, np.float64, "v2_im2col", direction)
