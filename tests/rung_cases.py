"""What the tests over all rungs draw: the cases of an operation, narrowed to those that the rung can do."""

import importlib
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minicnn import kernels

BOUND = 8 * 2.0**-24
TENSOR = {"tensor_tf32": 1e-3, "tensor_bf16": 1e-2, "tensor_half": 1e-3}  # of all numbers, by what is rounded to
FEW = 32  # numbers whose errors need not be those of an average


def cases_of(spec: kernels.KernelSpec) -> Any:
    """The module of tests/kernel_cases that draws and runs the cases of an operation."""
    return importlib.import_module(f"kernel_cases.{spec.op}")


def draw_case(data: st.DataObject, spec: kernels.KernelSpec, *values: Any) -> dict[str, Any]:
    """A case that the rung can do; `values` is the strategy for its arrays."""
    cases = cases_of(spec)
    narrowed = {kind: spec for kind in ("winograd", "columns") if kind in spec.rung}
    return data.draw(cases.cases(*values, **narrowed))


def assert_close(found: np.ndarray, expected: np.ndarray, case: dict[str, Any], spec: kernels.KernelSpec) -> None:
    """Within the rounding errors that a rung may make.

    The error of each number is at most 8 * 2**-24 of the sum of the absolute values of the products behind it;
    Winograd's, which spreads over a tile, is at most 1e-5 of all numbers together.  Where one or two numbers are all,
    they may cancel, and the tile's others are not there: then it is 1e-5 of what so many products of any sign come to.
    Tensor cores round each operand: that is as much of a product, and less of many numbers together.
    """
    cases = cases_of(spec)
    magnitude = cases.magnitude(case, spec.direction)
    rounding = next((bound for word, bound in TENSOR.items() if word in spec.rung), None)
    if rounding and found.size < FEW:
        assert np.all(np.abs(found - expected) <= rounding * magnitude)
    elif rounding or "winograd" in spec.rung:
        unclipped = cases.run({**case, "activation": None}, np.float64, None, spec.direction)
        ones = {name: np.ones_like(value) if isinstance(value, np.ndarray) else value for name, value in case.items()}
        random_sums = magnitude / np.sqrt(np.maximum(1, cases.magnitude(ones, spec.direction)))
        most = (rounding or 1e-5) * max(np.linalg.norm(unclipped), np.linalg.norm(random_sums))
        assert np.linalg.norm(found - expected) <= most
    else:
        assert np.all(np.abs(found - expected) <= BOUND * magnitude + 1e-37)
