"""elementwise: cases and how a rung is run on them."""

from contextlib import nullcontext
from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import LAYOUTS, arrays, lay_out

from minicnn import kernels
from minicnn.kernels import elementwise

IMAGE, GATE = (2, 3, 4, 5), (2, 1, 1, 5)
PAIRS = [
    ((3,), (3,)), ((0, 4), (0, 4)), (IMAGE, IMAGE), (IMAGE, GATE), (GATE, IMAGE), ((2, 3), (3,)), ((4, 1), (1, 3)),
    ((5, 2), (1,)), ((1, 1), (6, 2)), ((70_000, 2), (70_000, 2)), ((3, 40_000), (40_000,)),
    ((2, 1, 3, 1), (1, 4, 1, 5)),
]  # fmt: skip


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """Two arrays that broadcast, of small whole numbers where ties are wanted, and dy."""
    shapes = draw(st.sampled_from(PAIRS))
    a, b = (draw(arrays(shape)) for shape in shapes)
    if draw(st.booleans()):
        a, b = (lay_out(np.round(array), draw(st.sampled_from(LAYOUTS))) for array in (a, b))
    shape = np.broadcast_shapes(*shapes)
    reduced = tuple(draw(st.sampled_from([1, size])) for size in shape)
    activation = draw(st.sampled_from([None, "relu", "relu6"]))
    return {"a": a, "b": b, "dy": draw(arrays(shape)), "reduced": reduced, "activation": activation}


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """y, or da and db in one array; `reduce` sums two dy to a shape that lacks an axis and has others once."""
    a, b, dy = (case[name].astype(dtype) for name in ("a", "b", "dy"))
    if direction == "add":
        return elementwise.add(a, b, activation=case["activation"], rung=rung)
    if direction in elementwise.FORWARD:
        return getattr(elementwise, direction)(a, b, rung=rung)
    with kernels.use("elementwise", rung) if rung else nullcontext():
        return _gradients(case, a, b, dy, direction)


def _gradients(case: dict[str, Any], a: np.ndarray, b: np.ndarray, dy: np.ndarray, direction: str) -> np.ndarray:
    if direction == "reduce":
        return elementwise.add_backward(np.stack([dy, 2 * dy]), case["reduced"], ())[0]
    return np.concatenate([gradient.ravel() for gradient in elementwise.maximum_backward(a, b, dy)])


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of |terms| behind each output number."""
    absolute = case | {name: np.abs(case[name]) for name in ("a", "b", "dy")} | {"activation": None}
    if direction == "maximum":
        return np.zeros(case["dy"].shape)
    if direction == "maximum_backward":
        absolute |= {"a": case["a"], "b": case["b"]}
    return run(absolute, np.float64, "reference", direction)
