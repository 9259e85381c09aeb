"""NaN and infinities go through every rung for a GPU as through the reference, in the emulator."""

import numpy as np
import pytest
from cuda_cases import SPECS, on_device
from cuda_not_finite import assert_not_finite_where, plant
from emulator.device import install
from hypothesis import given, settings
from hypothesis import strategies as st
from rung_cases import cases_of, draw_case

from minicnn import kernels

pytestmark = pytest.mark.cuda_emulated


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.op}-{spec.direction}-{spec.rung}")
@settings(max_examples=3)
@given(data=st.data())
def test_nan_and_infinities_are_where_the_reference_has_them(spec: kernels.KernelSpec, data: st.DataObject):
    cases, device = cases_of(spec), install("fast")
    with np.errstate(all="ignore"):
        for planted in plant(data, draw_case(data, spec), spec):
            expected = cases.run(planted.case, np.float64, "reference", spec.direction)
            there = on_device(planted.case, device)
            found = device.to_host(cases.run(there, np.float32, spec.rung, spec.direction))
            assert_not_finite_where(found, expected, planted, spec)
