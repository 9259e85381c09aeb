"""Whole numbers: every order of summation gives the same float32, so every rung must be exact to the last bit."""

import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
SPECS = [spec for spec in kernels.specs("cpu") if spec.op in EXACT]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.op}-{spec.direction}-{spec.rung}")
@settings(max_examples=10)
@given(data=st.data())
def test_rung_is_exact_on_whole_numbers(spec: kernels.KernelSpec, data: st.DataObject):
    cases = importlib.import_module(f"kernel_cases.{spec.op}")
    case = data.draw(cases.cases(integer_arrays))
    expected = cases.run(case, np.float64, "reference", spec.direction)
    found = cases.run(case, np.float32, spec.rung, spec.direction)
    np.testing.assert_array_equal(found, expected.astype(np.float32))
