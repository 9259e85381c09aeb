"""Every compiled rung also runs as the plain Python that it is written in (NUMBA_DISABLE_JIT=1)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rung_cases import assert_close, cases_of, draw_case

from minicnn import kernels

pytestmark = pytest.mark.no_jit
SPECS = [spec for spec in kernels.specs("cpu") if spec.needs_numba]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.op}-{spec.direction}-{spec.rung}")
@settings(max_examples=8)
@given(data=st.data())
def test_rung_runs_without_the_compiler(spec: kernels.KernelSpec, data: st.DataObject):
    cases, case = cases_of(spec), draw_case(data, spec)
    expected = cases.run(case, np.float64, "reference", spec.direction)
    with np.errstate(all="ignore"):  # NumPy's scalars warn where machine code is silent
        found = cases.run(case, np.float32, spec.rung, spec.direction)
    assert found.dtype == np.float32
    assert_close(found, expected, case, spec)
