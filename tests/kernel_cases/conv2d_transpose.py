"""conv2d_transpose: cases and how a rung is run on them."""

from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from strategies import arrays

from minicnn.errors import ShapeError
from minicnn.kernels import conv2d_transpose

NAMES = ("x", "w", "bias", "dy")


@st.composite
def cases(draw: Any, values: Any = arrays, winograd: bool = False) -> dict[str, Any]:
    """x, w, bias, dy and the options of one transposed convolution; `winograd`: one that Winograd's rungs can do."""
    steps, sides = (st.just(1), st.just(3)) if winograd else (st.integers(1, 3), st.integers(1, 5))
    strides = draw(st.tuples(steps, steps))
    extra = draw(st.sampled_from([None, (0, 0), (strides[0] - 1, strides[1] - 1)]))
    options = {"strides": strides, "padding": draw(st.sampled_from(["valid", "same"])), "output_padding": extra}
    size = (draw(st.integers(0, 2)), draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    taps = draw(st.tuples(sides, sides))
    x = draw(values((*size, draw(st.sampled_from([1, 3, 17])))))
    w = draw(values((*taps, draw(st.sampled_from([1, 2, 33])), x.shape[3])))
    try:
        y = conv2d_transpose.forward(x, w, **options, rung="v2_im2col")
    except ShapeError:
        assume(False)
        raise
    activation = draw(st.sampled_from([None, "relu", "relu6"]))
    return {
        "x": x, "w": w, "bias": draw(values(y.shape[3:])), "dy": draw(values(y.shape)),
        "options": options, "activation": activation,
    }  # fmt: skip


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction."""
    x, w, bias, dy = (case[name].astype(dtype, copy=False) for name in NAMES)
    options = case["options"]
    if direction == "forward":
        return conv2d_transpose.forward(x, w, bias, activation=case["activation"], **options, rung=rung)
    if direction == "backward_input":
        return conv2d_transpose.backward_input(dy, w, x.shape, **options, rung=rung)
    return conv2d_transpose.backward_weights(x, dy, w.shape, **options, rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of |products| behind each output."""
    absolute = {**case, "activation": None, **{name: np.abs(case[name]) for name in NAMES}}
    return run(absolute, np.float64, "v2_im2col", direction)
