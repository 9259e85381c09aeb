"""Every registered rung of every operation, in every direction, against the float64 reference.

`kernel_cases/<op>.py` draws the cases of an operation: `cases()` is a strategy, `run(case, dtype, rung, direction)`
gives the output, `magnitude(case, direction)` the sum of the absolute values of the products behind each number of it.
The error of a float32 rung is at most 8 * 2**-24 of that sum on zero-mean data.
"""

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import kernels

SPECS = kernels.specs("cpu")
BOUND = 8 * 2.0**-24


def cases_of(op: str):
    return importlib.import_module(f"kernel_cases.{op}")


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.op}-{spec.direction}-{spec.rung}")
@given(data=st.data())
def test_rung_agrees_with_the_float64_reference(spec: kernels.KernelSpec, data: st.DataObject):
    cases = cases_of(spec.op)
    case = data.draw(cases.cases())
    expected = cases.run(case, np.float64, "reference", spec.direction)
    with kernels.record() as calls:
        found = cases.run(case, np.float32, spec.rung, spec.direction)
    assert (spec.op, spec.direction, spec.rung) in calls
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert np.all(np.abs(found - expected) <= BOUND * cases.magnitude(case, spec.direction) + 1e-37)
