"""dense: cases and how a rung is run on them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays

from minicnn.kernels import dense


@st.composite
def cases(draw: Any, values: Any = arrays) -> dict[str, Any]:
    """x, w, bias, residual and dy; up to three leading axes."""
    leading = tuple(draw(st.lists(st.sampled_from([0, 1, 2, 3, 5]), max_size=3)))
    inputs, outputs = draw(st.integers(0, 40)), draw(st.sampled_from([0, 1, 2, 7, 32, 33, 70]))
    return {
        "x": draw(values((*leading, inputs))), "w": draw(values((inputs, outputs))),
        "bias": draw(values((outputs,))), "residual": draw(values((*leading, outputs))),
        "dy": draw(values((*leading, outputs))), "activation": draw(st.sampled_from([None, "relu", "relu6"])),
    }  # fmt: skip


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction."""
    x, w, bias, residual, dy = (case[name].astype(dtype, copy=False) for name in ("x", "w", "bias", "residual", "dy"))
    if direction == "forward":
        if "storage" in case:
            w = dense.store(w.astype(np.float32), case["storage"])
        return dense.forward(x, w, bias, residual=residual, activation=case["activation"], rung=rung)
    if direction == "backward_input":
        return dense.backward_input(dy, w, rung=rung)
    return dense.backward_weights(x, dy, rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of |products| behind each output."""
    absolute = {name: np.abs(value) for name, value in case.items() if name not in ("activation", "storage")}
    return run({**case, **absolute, "activation": None}, np.float64, "v2_blas", direction)
