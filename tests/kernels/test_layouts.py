"""The memory order of the inputs changes no bit of the result, and no input is written."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rung_cases import cases_of, draw_case
from strategies import LAYOUTS, lay_out

from minicnn import kernels

OPS = [
    "activation",
    "avgpool2d",
    "batchnorm",
    "channel_sum",
    "concatenate",
    "conv2d",
    "conv2d_transpose",
    "dense",
    "depthwise_conv2d",
    "dropout",
    "elementwise",
    "embedding",
    "global_avgpool2d",
    "global_maxpool2d",
    "layernorm",
    "maxpool2d",
    "pad2d",
    "prelu",
    "softmax",
    "softmax_crossentropy",
    "upsample2d",
]
SPECS = [spec for spec in kernels.specs("cpu") if spec.op in OPS]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.op}-{spec.direction}-{spec.rung}")
@settings(max_examples=10)
@given(data=st.data())
def test_memory_order_does_not_matter(spec: kernels.KernelSpec, data: st.DataObject):
    cases, case = cases_of(spec), draw_case(data, spec)
    layout = data.draw(st.sampled_from(LAYOUTS))
    arrays = {name: value.astype(np.float32) for name, value in case.items() if isinstance(value, np.ndarray)}
    laid_out = {name: lay_out(value, layout) for name, value in arrays.items()}
    for array in laid_out.values():
        array.flags.writeable = False
    straight = {name: np.ascontiguousarray(value) for name, value in arrays.items()}
    expected = cases.run({**case, **straight}, np.float32, spec.rung, spec.direction)
    found = cases.run({**case, **laid_out}, np.float32, spec.rung, spec.direction)
    if spec.module.endswith("blas"):  # BLAS may sum a transposed matrix in another order
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)
    else:
        np.testing.assert_array_equal(found, expected)
