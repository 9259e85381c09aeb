"""optimizer_step: cases and how a rung is run on them.

A step writes in place, so its output here is everything it wrote: parameter and states, flat, in one array.
"""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import LAYOUTS, lay_out

from minicnn.kernels import optimizer_step

STATES = {
    "sgd": ("velocity",),
    "rmsprop": ("square", "mean", "velocity"),
    "adam": ("mean", "square", "largest"),
    "adagrad": ("total",),
}
OPTIONAL = {"velocity", "mean", "largest"}
NUMBERS = {
    "sgd": ("momentum", "nesterov"),
    "rmsprop": ("rho", "momentum", "epsilon"),
    "adam": ("step", "beta_1", "beta_2", "epsilon"),
    "adagrad": ("epsilon",),
}
SHAPES = [(1,), (7,), (3, 5), (2, 3, 1, 4), (0, 3), (3, 6000)]  # the last one spans several blocks


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """A parameter, its gradient in some memory order, states that a training could have left, and numbers."""
    shape = draw(st.sampled_from(SHAPES))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parameter, gradient, mean, velocity = rng.uniform(-2, 2, (4, *shape)).astype(np.float32).astype(np.float64)
    square = (np.square(mean) + rng.uniform(4, 8, shape)).astype(np.float32).astype(np.float64)
    return {
        "parameter": parameter,
        "gradient": lay_out(gradient, draw(st.sampled_from(LAYOUTS))),
        "states": {"mean": mean, "velocity": velocity, "square": square, "largest": 2 * square, "total": square},
        "absent": draw(st.sets(st.sampled_from(sorted(OPTIONAL)))),
        "learning_rate": draw(st.sampled_from([0.0, 1e-3, 0.1])),
        "weight_decay": draw(st.sampled_from([0.0, 0.01])),
        "momentum": draw(st.sampled_from([0.0, 0.5, 0.9])),
        "nesterov": draw(st.booleans()),
        "rho": 0.9,
        "beta_1": 0.9,
        "beta_2": draw(st.sampled_from([0.99, 0.999])),
        "epsilon": draw(st.sampled_from([1e-7, 1e-3])),
        "step": draw(st.integers(1, 1000)),
    }


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """Everything that one step wrote."""
    absent = case["absent"] - ({"mean"} if direction == "adam" else set())
    states = {
        name: None if name in absent else case["states"][name].astype(dtype, order="C") for name in STATES[direction]
    }
    parameter = case["parameter"].astype(dtype, order="C")
    options = {name: case[name] for name in ("learning_rate", "weight_decay", *NUMBERS[direction])}
    step = getattr(optimizer_step, f"{direction}_step")
    step(parameter, case["gradient"].astype(dtype), **states, **options, rung=rung)
    return np.concatenate([array.ravel() for array in (parameter, *states.values()) if array is not None])


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of the absolute values of the terms: with these signs every step adds to what is there."""
    states = {name: np.abs(array) for name, array in case["states"].items()}
    states["mean"] = -states["mean"]
    if direction != "sgd":
        states["velocity"] = -states["velocity"]
    absolute = {**case, "parameter": np.abs(case["parameter"]), "gradient": -np.abs(case["gradient"]), "states": states}
    return np.abs(run(absolute, np.float64, "reference", direction))
