"""Whole numbers: every order of summation gives the same float32, so every rung must be exact to the last bit.

Except for Winograd's: its points have fractions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rung_cases import cases_of, draw_case
from strategies import integer_arrays

from minicnn import kernels

EXACT = [
    "avgpool2d",
    "channel_sum",
    "conv2d",
    "conv2d_transpose",
    "dense",
    "depthwise_conv2d",
    "global_avgpool2d",
    "global_maxpool2d",
    "maxpool2d",
]
SPECS = [spec for spec in kernels.specs("cpu") if spec.op in EXACT and "winograd" not in spec.rung]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.op}-{spec.direction}-{spec.rung}")
@settings(max_examples=10)
@given(data=st.data())
def test_rung_is_exact_on_whole_numbers(spec: kernels.KernelSpec, data: st.DataObject):
    cases, case = cases_of(spec), draw_case(data, spec, integer_arrays)
    expected = cases.run(case, np.float64, "reference", spec.direction)
    found = cases.run(case, np.float32, spec.rung, spec.direction)
    np.testing.assert_array_equal(found, expected.astype(np.float32))
