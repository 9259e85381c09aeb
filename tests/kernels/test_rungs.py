"""Every registered rung of every operation, in every direction, against the float64 reference.

`kernel_cases/<op>.py` draws the cases of an operation: `cases()` is a strategy, `run(case, dtype, rung, direction)`
gives the output, `magnitude(case, direction)` the sum of the absolute values of the products behind each number of it.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rung_cases import assert_close, cases_of, draw_case

from minicnn import kernels

SPECS = kernels.specs("cpu")


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.op}-{spec.direction}-{spec.rung}")
@given(data=st.data())
def test_rung_agrees_with_the_float64_reference(spec: kernels.KernelSpec, data: st.DataObject):
    cases, case = cases_of(spec), draw_case(data, spec)
    expected = cases.run(case, np.float64, "reference", spec.direction)
    with kernels.record() as calls:
        found = cases.run(case, np.float32, spec.rung, spec.direction)
    assert (spec.op, spec.direction, spec.rung) in calls
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert_close(found, expected, case, spec)


@pytest.mark.numpy_only
@pytest.mark.parametrize(("op", "direction"), sorted({(spec.op, spec.direction) for spec in SPECS}))
@settings(max_examples=5)
@given(data=st.data())
def test_the_default_is_a_rung_that_can_do_the_case(op: str, direction: str, data: st.DataObject):
    spec = next(spec for spec in SPECS if (spec.op, spec.direction) == (op, direction))
    cases, case = cases_of(spec), draw_case(data, spec)
    with kernels.record() as calls:
        found = cases.run(case, np.float32, None, direction)
    assert {call[2] for call in calls if call[:2] == (op, direction)} <= set(kernels.rungs(op))
    expected = cases.run(case, np.float64, None, direction)
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(cases.magnitude(case, direction)) + 1e-37
