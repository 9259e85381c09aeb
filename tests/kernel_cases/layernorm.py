"""layernorm: cases and how a rung is run on them; the magnitudes follow those of batchnorm, row by row."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays

from minicnn.kernels import layernorm

SHAPES = [(0, 3), (3, 1), (5,), (2, 3, 4, 5), (1, 64), (3, 65), (2, 700), (700, 70)]


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """x, dy, gamma and beta, and the statistics of x rounded to float32 for the gradient."""
    shape = draw(st.sampled_from(SHAPES))
    x, epsilon = draw(arrays(shape)), draw(st.sampled_from([1e-3, 1e-6]))
    statistics = x.mean(axis=-1, keepdims=True), 1 / np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    mean, inverse_std = (array.astype(np.float32).astype(np.float64) for array in statistics)
    vectors = {name: draw(arrays(shape[-1:])) for name in ("gamma", "beta")}
    return {"x": x, "dy": draw(arrays(shape)), "epsilon": epsilon, "mean": mean, "inverse_std": inverse_std} | vectors


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """All outputs of one direction in one array."""
    x, dy, gamma, beta, mean, inverse_std = (
        case[name].astype(dtype) for name in ("x", "dy", "gamma", "beta", "mean", "inverse_std")
    )
    if direction == "forward":
        outputs = layernorm.forward(x, gamma, beta, case["epsilon"], rung=rung)
    else:
        outputs = layernorm.backward(x, dy, gamma, mean, inverse_std, rung=rung)
    return np.concatenate([output.ravel() for output in outputs])


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of the absolute values of the terms of each output number."""
    x, dy, gamma, beta, average = (np.abs(case[name]) for name in ("x", "dy", "gamma", "beta", "mean"))
    inverse = case["inverse_std"]
    if direction == "forward":
        deviation = np.abs(case["x"] - case["mean"])
        off = x + x.mean(axis=-1, keepdims=True)
        spread = (deviation * off).mean(axis=-1, keepdims=True)
        relative = spread * inverse**2 + 1
        y = gamma * inverse * (off + deviation * relative) + beta
        outputs = [y, x.mean(axis=-1, keepdims=True), inverse * relative]
    else:
        normal, scaled = (x + average) * inverse, gamma * dy
        axes = tuple(range(x.ndim - 1))
        through = scaled.mean(axis=-1, keepdims=True) + normal * (scaled * normal).mean(axis=-1, keepdims=True)
        outputs = [inverse * (scaled + through), (dy * normal).sum(axis=axes), dy.sum(axis=axes)]
    return np.concatenate([output.ravel() for output in outputs])
