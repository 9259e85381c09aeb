"""activation: cases and how a rung is run on them.

The magnitude is the sum of the absolute values of the terms that a formula adds up.  A formula of products and
exponentials has a small relative error, so its magnitude is |y|; where it takes a difference (1 - y of a sigmoid's
slope) both terms count; exp(-x^2/2) feels the rounding of its argument x^2/2 times.
"""

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import arrays

from minicnn.kernels import activation
from minicnn.kernels.activation.erfc import erfc

SHAPES = [(1,), (7,), (0, 3), (2, 3, 1, 5), (1, 1, 1, 1), (4, 33), (9000,)]  # the last one spans two blocks
CORNERS = [-6.0, -3.0, -2.5, 0.0, 0.5, 2.5, 3.0, 6.0, -40.0, 40.0, -200.0, 200.0]
PARAMETERS = {
    "relu": st.fixed_dictionaries(
        {},
        optional={
            "negative_slope": st.sampled_from([0.0, 0.25]),
            "max_value": st.sampled_from([None, 2.5, 6.0]),
            "threshold": st.sampled_from([0.0, 0.5]),
        },
    ),
    "leaky_relu": st.fixed_dictionaries({}, optional={"negative_slope": st.sampled_from([0.125, 0.3])}),
    "elu": st.fixed_dictionaries({}, optional={"alpha": st.sampled_from([0.5, 2.0])}),
    "gelu": st.fixed_dictionaries({}, optional={"approximate": st.booleans()}),
}


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """A name with parameters, numbers up to the size where exp overflows, some of them at corners, their y, and dy."""
    name = draw(st.sampled_from(sorted(activation.ACTIVATIONS)))
    parameters = draw(PARAMETERS.get(name, st.just({})))
    shape = draw(st.sampled_from(SHAPES))
    reach = draw(st.sampled_from([1.0, 8.0, 80.0]))
    x = draw(arrays(shape, -reach, reach))
    if x.size >= len(CORNERS) and draw(st.booleans()):
        x[np.unravel_index(np.arange(len(CORNERS)), shape)] = CORNERS if name != "exponential" else 0.0
    return {
        "x": x,
        "y": activation.forward(x, name, **parameters, rung="reference"),
        "dy": draw(arrays(shape)),
        "name": name,
        "parameters": parameters,
    }


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction; the y that backward takes is the reference's, rounded to dtype."""
    (x, y, dy), name, parameters = (case[i].astype(dtype) for i in ("x", "y", "dy")), case["name"], case["parameters"]
    if direction == "forward":
        return activation.forward(x, name, **parameters, rung=rung)
    return activation.backward(x, y, dy, name, **parameters, rung=rung)


def tanh_of_gelu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(u, tanh(u)) of the tanh formula."""
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return u, np.tanh(u)


def value_terms(formula: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if formula == "gelu":
        return np.abs(y) * (1 + x * x / 2)
    if formula == "gelu_tanh":
        u, t = tanh_of_gelu(x)
        return np.abs(x) / 2 * (1 + np.abs(t) + np.abs(u) * (1 - t * t))
    return np.abs(y)


def slope_terms(formula: str, numbers: tuple[float, ...], x: np.ndarray, y: np.ndarray) -> Any:
    size = np.abs(x)
    sigmoid = 1 / (1 + np.exp(-x))
    if formula == "elu":
        return np.where(x > 0, numbers[1], np.abs(y) + numbers[0] * numbers[1])
    if formula == "gelu":
        density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        return (0.5 * erfc(-x * math.sqrt(0.5)) + size * density) * (1 + x * x / 2)
    if formula == "gelu_tanh":
        _, t = tanh_of_gelu(x)
        return (1 + np.abs(t)) / 2 + size / 2 * (1 + t * t) * math.sqrt(2 / math.pi) * (1 + 0.134145 * x * x)
    if formula == "sigmoid":
        return y * (1 + y)
    if formula == "tanh":
        return 1 + y * y
    if formula == "swish":
        return sigmoid * (1 + size * (1 + sigmoid))
    if formula == "hard_swish":
        return np.where(size < numbers[0], (size + numbers[0] + size) / (2 * numbers[0]), 1)
    if formula == "mish":
        t = np.tanh(np.logaddexp(0, x))
        return t + size * (1 + t * t) * sigmoid
    return None


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of the absolute values of the terms of each output number."""
    x, parameters = case["x"], case["parameters"]
    formula, numbers = activation.resolve(case["name"], parameters)
    y = case["y"]
    if direction == "forward":
        return value_terms(formula, x, y)
    terms = slope_terms(formula, numbers, x, y)
    if terms is None:
        slope = activation.backward(x, y, np.ones_like(x), case["name"], **parameters, rung="reference")
        terms = np.abs(slope)
    return terms * np.abs(case["dy"])
