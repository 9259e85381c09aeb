"""What the tests over all rungs draw: the cases of an operation, narrowed to those that the rung can do."""

import importlib
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minicnn import kernels

BOUND = 8 * 2.0**-24


def cases_of(spec: kernels.KernelSpec) -> Any:
    """The module of tests/kernel_cases that draws and runs the cases of an operation."""
    return importlib.import_module(f"kernel_cases.{spec.op}")


def draw_case(data: st.DataObject, spec: kernels.KernelSpec, *values: Any) -> dict[str, Any]:
    """A case that the rung can do; `values` is the strategy for its arrays."""
    cases = cases_of(spec)
    narrowed = {kind: True for kind in ("winograd", "columns") if kind in spec.rung}
    return data.draw(cases.cases(*values, **narrowed))


def assert_close(found: np.ndarray, expected: np.ndarray, case: dict[str, Any], spec: kernels.KernelSpec) -> None:
    """Within the rounding errors that a rung may make.

    The error of each number is at most 8 * 2**-24 of the sum of the absolute values of the products behind it;
    Winograd's, which spreads over a tile, is at most 1e-5 of all numbers together.
    """
    cases = cases_of(spec)
    if "winograd" in spec.rung:
        unclipped = cases.run({**case, "activation": None}, np.float64, "v2_im2col", spec.direction)
        assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(unclipped)
    else:
        assert np.all(np.abs(found - expected) <= BOUND * cases.magnitude(case, spec.direction) + 1e-37)
