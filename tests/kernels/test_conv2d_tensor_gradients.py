"""conv2d's gradients on tensor cores: right to a float's rounding once the operands are rounded."""

import numpy as np
import pytest
from cuda_conv_cases import ROUNDINGS, assert_within_rounding, case_of, on_emulator, rounded
from emulator.device import install
from hypothesis import given, settings
from kernel_cases import conv2d as cases

from minicnn import kernels
from minicnn.errors import UnsupportedError
from minicnn.kernels._gpu.tensor_cores import Plan
from minicnn.kernels.conv2d import cuda_input_tensor, cuda_weights_tensor
from minicnn.kernels.conv2d.cuda_weights_tensor import weight_plan

pytestmark = pytest.mark.cuda_emulated
OPERANDS = {"backward_input": ("dy", "w"), "backward_weights": ("x", "dy")}
BUILDS = [(128, 4), (64, 4), (64, 1)]
every_rung = pytest.mark.parametrize("rung", ROUNDINGS)
both = pytest.mark.parametrize("direction", OPERANDS)


@every_rung
@both
@settings(max_examples=10)
@given(case=cases.cases())
def test_products_of_rounded_numbers_are_added_as_floats(direction, rung, case):
    there, device = on_emulator(case, "fast")
    found = device.to_host(cases.run(there, np.float32, rung, direction))
    assert_within_rounding(found, rounded(case, rung, *OPERANDS[direction]), direction)


@every_rung
@pytest.mark.parametrize(("mode", "chunk_steps"), [("fast", 99), ("checked", 2)])
@pytest.mark.parametrize("filters", [16, 12])  # of all taps before the next filters, or in the order of w
@pytest.mark.parametrize(("side", "vector"), BUILDS)
def test_every_tile_of_the_input_gradient(side, vector, filters, chunk_steps, mode, rung, monkeypatch):
    monkeypatch.setattr(cuda_input_tensor, "gradient_plan", lambda *shapes: Plan(side, vector, chunk_steps))
    case = case_of(132 if vector == 4 else 67, filters + vector % 4)
    there, device = on_emulator(case, mode)
    found = device.to_host(cases.run(there, np.float32, rung, "backward_input"))
    assert_within_rounding(found, rounded(case, rung, "dy", "w"), "backward_input")


@every_rung
@pytest.mark.parametrize(("mode", "chunk_steps"), [("fast", 99), ("checked", 2)])
@pytest.mark.parametrize(("side", "vector"), BUILDS)
def test_every_tile_of_the_weight_gradient(side, vector, chunk_steps, mode, rung, monkeypatch):
    monkeypatch.setattr(cuda_weights_tensor, "weight_plan", lambda *shapes: Plan(side, vector, chunk_steps))
    case = case_of(16, 132) if vector == 4 else case_of(15, 67)
    there, device = on_emulator(case, mode)
    found = device.to_host(cases.run(there, np.float32, rung, "backward_weights"))
    assert_within_rounding(found, rounded(case, rung, "x", "dy"), "backward_weights")


def test_few_weights_are_split_into_chunks_of_a_size_that_shapes_alone_decide():
    few, many = weight_plan(576, 64, 3211264, 1, 4), weight_plan(4608, 512, 196, 1, 4)
    assert -(-3211264 // (16 * few.steps)) >= 16
    assert 16 * many.steps >= 196


@both
def test_a_gradient_of_lower_precision_runs_on_tensor_cores_where_it_is_asked_for(direction):
    device = install("fast")
    x, w = device.xp.zeros((1, 8, 8, 16), np.float32), device.xp.zeros((3, 3, 16, 16), np.float32)
    case = {"x": x, "w": w, "bias": w[0, 0, 0], "residual": x, "dy": x, "activation": None}
    case["options"] = {"padding": "same"}
    with kernels.record() as calls:
        cases.run(case, np.float32, None, direction)
        with kernels.precision("bfloat16"):
            cases.run(case, np.float32, None, direction)
    assert "tensor" not in calls[0][2]
    assert calls[1][2] == "v8_tensor_bf16"


@every_rung
@both
def test_an_old_gpu_is_refused(direction, rung):
    device = install("fast")
    device.capability = (7, 5)
    case = case_of(4, 4)
    arrays = {key: device.from_host(v.astype(np.float32)) for key, v in case.items() if isinstance(v, np.ndarray)}
    with pytest.raises(UnsupportedError, match=r"8\.0"):
        cases.run({**case, **arrays}, np.float32, rung, direction)
