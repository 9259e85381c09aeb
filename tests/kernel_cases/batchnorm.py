"""batchnorm: cases and how a rung is run on them.

Let a = |x| + mean of |x|: each x - mean is off by a rounding of a.  A squared deviation is then off by 2 |x - mean| a,
1 / sqrt(variance + epsilon) by half the mean of that over variance + epsilon.  The other terms are plain products.
"""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays

from minicnn.kernels import batchnorm

SHAPES = [(0, 3), (1, 1), (2, 5), (0, 2, 2, 3), (1, 1, 1, 4), (3, 4, 5, 6), (2, 3, 70), (2, 17, 13, 33), (40_000, 1)]
VECTORS = ("gamma", "beta", "mean", "inverse_std")


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """x, dy, gamma and beta, and the statistics of x rounded to float32 for the gradients."""
    shape = draw(st.sampled_from(SHAPES))
    x = draw(arrays(shape))
    case = {"x": x, "dy": draw(arrays(shape)), "epsilon": draw(st.sampled_from([1e-3, 1.001e-5]))}
    case["activation"] = draw(st.sampled_from([None, "relu", "relu6"]))
    case |= {name: draw(arrays(shape[-1:])) for name in ("gamma", "beta")}
    flat = x.reshape(-1, shape[-1])
    mean, variance = (flat.mean(axis=0), flat.var(axis=0)) if len(flat) else np.zeros((2, shape[-1]))
    inverse = 1 / np.sqrt(variance + case["epsilon"])
    case |= {
        name: vector.astype(np.float32).astype(np.float64)
        for name, vector in (("mean", mean), ("variance", variance), ("inverse_std", inverse))
    }
    if case["activation"] is not None:
        case["dy"] = np.where(near_a_limit(case), 0, case["dy"])
    return case


def near_a_limit(case: dict[str, Any]) -> np.ndarray:
    """Where rounding may decide on which side of 0 or 6 the y of the gradients lies."""
    terms = [case["gamma"] * case["inverse_std"] * v for v in (case["x"], -case["mean"])] + [case["beta"]]
    return np.minimum(abs(sum(terms)), abs(sum(terms) - 6)) <= 1e-4 * (6 + sum(map(abs, terms)))


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """All outputs of one direction in one array."""
    x, dy, mean, variance = (case[name].astype(dtype) for name in ("x", "dy", "mean", "variance"))
    gamma, beta, inverse_std = (case[name].astype(dtype) for name in ("gamma", "beta", "inverse_std"))
    finishing: dict[str, Any] = {"activation": case["activation"], "rung": rung}
    if direction == "forward_infer":
        return batchnorm.forward_infer(x, gamma, beta, **finishing)
    if direction == "forward_train":
        outputs = batchnorm.forward_train(x, gamma, beta, case["epsilon"], **finishing)
    elif direction == "backward_train":
        outputs = batchnorm.backward_train(x, dy, gamma, mean, inverse_std, beta=beta, **finishing)
    else:
        outputs = batchnorm.backward_infer(x, dy, gamma, mean, variance, case["epsilon"], beta=beta, **finishing)
    return np.concatenate([output.ravel() for output in outputs])


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of the absolute values of the terms of each output number."""
    channels = case["x"].shape[-1]
    x, dy = (np.abs(case[name]).reshape(-1, channels) for name in ("x", "dy"))
    gamma, beta, average = (np.abs(case[name]) for name in ("gamma", "beta", "mean"))
    count = max(1, len(x))
    if direction == "forward_infer":
        return (x * gamma + beta).reshape(case["x"].shape)
    if direction == "forward_train":
        deviation = np.abs(case["x"].reshape(-1, channels) - case["mean"])
        off = x + x.sum(axis=0) / count
        spread = (deviation * off).sum(axis=0) / count
        inverse = case["inverse_std"]
        y = gamma * inverse * off + beta + gamma * deviation * inverse * (spread * inverse**2 + 1)
        outputs = [y, x.sum(axis=0) / count, 2 * spread, inverse * (spread * inverse**2 + 1)]
    else:
        inverse = 1 / np.sqrt(case["variance"] + case["epsilon"])
        normal = (x + average) * inverse
        dbeta, dgamma = dy.sum(axis=0), (dy * normal).sum(axis=0)
        through = (dbeta + normal * dgamma) / count if direction == "backward_train" else 0
        outputs = [gamma * inverse * (dy + through), dgamma, dbeta]
    return np.concatenate([output.ravel() for output in outputs])
