"""What the test of NaN and infinities on a GPU draws: the case of a rung with some numbers of one array replaced."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from minicnn.kernels import KernelSpec, activation, batchnorm, layernorm, softmax

# The operand that meets the zeros of padding: rungs that multiply them make NaN, where others leave the product out.
MEETS_PADDING = {
    ("conv2d", "forward"): "w",
    ("conv2d", "backward_input"): "w",
    ("conv2d", "backward_weights"): "dy",
    ("conv2d_transpose", "forward"): "w",
    ("conv2d_transpose", "backward_input"): "w",
    ("conv2d_transpose", "backward_weights"): "x",
}
# Their formulas have equal forms of which one makes NaN of an infinity and the other does not: x s - m s for (x - m) s.
EITHER_FORM = {"batchnorm", "layernorm", "optimizer_step", "softmax", "softmax_crossentropy"}
FOLLOW = {"y", "p", "mean", "variance", "inverse_std"}  # what gradients take of the forward pass


class Planted(NamedTuple):
    """A case, the name of the array in it that is no longer finite, and what it holds."""

    case: dict[str, Any]
    name: str
    value: float


def plant(data: st.DataObject, case: dict[str, Any], spec: KernelSpec) -> Iterator[Planted]:
    """The case with NaN, and then an infinity, in each of its arrays: at one place, or at a quarter of them."""
    places = [place for place in sorted(_places(case)) if place[0] not in FOLLOW and _at(case, place).size]
    assume(places)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    for place in places:
        for value in (np.nan, rng.choice([np.inf, -np.inf])):
            array = np.array(_at(case, place), order="C")
            count = rng.choice([1, 1 + array.size // 4])
            array.flat[rng.choice(array.size, count, replace=False)] = value
            yield Planted(_with_what_follows(_replaced(case, place, array), spec.op), place[0], value)


def _places(value: Any, place: tuple = ()) -> Iterator[tuple]:
    """The keys by which a case has arrays of floats."""
    if isinstance(value, (dict, list, tuple)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(item, (*place, key))
    elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
        yield place


def _at(case: Any, place: tuple) -> np.ndarray:
    for key in place:
        case = case[key]
    return case


def _replaced(case: Any, place: tuple, array: np.ndarray) -> Any:
    if not place:
        return array
    changed = case.copy()
    changed[place[0]] = _replaced(case[place[0]], place[1:], array)
    return changed


def _with_what_follows(case: dict[str, Any], op: str) -> dict[str, Any]:
    """What a gradient takes of the forward pass is that of these numbers, as float32 holds it."""
    if op == "activation":
        follows = {"y": activation.forward(case["x"], case["name"], **case["parameters"], rung="reference")}
    elif op == "softmax":
        follows = {"y": softmax.forward(case["x"], case["log"], rung="reference")}
    elif op == "softmax_crossentropy":
        follows = {"p": softmax.forward(case["x"], rung="reference")}
    elif op in ("batchnorm", "layernorm"):
        forward = batchnorm.forward_train if op == "batchnorm" else layernorm.forward
        found = forward(case["x"], case["gamma"], case["beta"], case["epsilon"], rung="reference")
        follows = {"mean": found[1], "inverse_std": found[-1]}
    else:
        return case
    return case | {name: array.astype(np.float32).astype(np.float64) for name, array in follows.items()}


def assert_not_finite_where(found: np.ndarray, expected: np.ndarray, planted: Planted, spec: KernelSpec) -> None:
    """NaN and each infinity where the reference has them and nowhere else.

    More numbers may be lost, but none be saved, where the tables above say so, and of Winograd's rungs, whose
    transforms add the numbers of a tile.
    """
    of_padding = MEETS_PADDING.get((spec.op, spec.direction)) == planted.name
    of_form = spec.op in EITHER_FORM and np.isinf(planted.value)
    if "winograd" in spec.rung or of_padding or of_form:
        kinds = {"numbers saved": lambda array: np.isfinite(array) & ~np.isfinite(expected)}
    else:
        kinds = {"NaN": np.isnan, "inf": np.isposinf, "-inf": np.isneginf}
    for what, kind in kinds.items():
        places = np.argwhere(kind(found) != kind(expected))
        if len(places):
            place = tuple(places[0].tolist())
            raise AssertionError(
                f"{spec.op} {spec.direction} {spec.rung}, {planted.value} in {planted.name}: at {place} the result is "
                f"{found[place]}, the reference's {expected[place]}; {len(places)} of {found.size} differ in {what}"
            )
