"""softmax_crossentropy: cases and how a rung is run on them; the magnitudes follow those of softmax."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import LAYOUTS, arrays, lay_out

from minicnn.kernels import softmax, softmax_crossentropy

SHAPES = [(0, 3), (1, 1), (4, 7), (5, 64), (3, 65), (2, 1000)]


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """Logits, one-hot or smooth targets, dloss, and the reference's probabilities."""
    shape = draw(st.sampled_from(SHAPES))
    reach = draw(st.sampled_from([1.0, 8.0, 300.0]))
    targets = np.abs(draw(arrays(shape)))
    if draw(st.booleans()):
        targets = (targets == targets.max(axis=-1, keepdims=True)).astype(np.float64)
    x = draw(arrays(shape, -reach, reach))
    return {
        "x": x,
        "targets": lay_out(targets, draw(st.sampled_from(LAYOUTS))),
        "dloss": draw(arrays(shape[:1])),
        "p": softmax.forward(x, rung="reference"),
    }


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """Loss and probabilities in one array, or dlogits for the reference's probabilities, rounded to dtype."""
    x, targets, dloss = (case[name].astype(dtype) for name in ("x", "targets", "dloss"))
    if direction == "forward":
        loss, p = softmax_crossentropy.forward(x, targets, rung=rung)
        return np.concatenate([loss, p.ravel()])
    return softmax_crossentropy.backward(case["p"].astype(dtype), targets, dloss, rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of the absolute values of the terms of each output number."""
    x, targets = case["x"], case["targets"]
    size = np.abs(x - x.max(axis=-1, keepdims=True))
    p = softmax.forward(x, rung="reference")
    spread = (p * size).sum(axis=-1, keepdims=True)
    if direction == "forward":
        loss = (targets * (2 * size + spread + 1)).sum(axis=-1)
        return np.concatenate([loss, (p * (1 + size + spread)).ravel()])
    return (p * targets.sum(axis=-1, keepdims=True) + targets) * np.abs(case["dloss"])[:, None]
