"""conv2d on tensor cores: right to a float's rounding once the operands are rounded as a tensor core takes them."""

import numpy as np
import pytest
from cuda_conv_cases import ROUNDINGS, assert_within_rounding, case_of, on_emulator, rounded
from emulator.device import install
from hypothesis import given, settings
from kernel_cases import conv2d as cases

from minicnn import kernels
from minicnn.errors import UnsupportedError
from minicnn.kernels._gpu.tensor_cores import TILES, Plan, tensor_plan
from minicnn.kernels.conv2d import cuda_tensor

pytestmark = pytest.mark.cuda_emulated


every_rung = pytest.mark.parametrize("rung", ROUNDINGS)


@every_rung
@settings(max_examples=10)
@given(case=cases.cases())
def test_products_of_rounded_numbers_are_added_as_floats(rung, case):
    there, device = on_emulator(case, "fast")
    found = device.to_host(cases.run(there, np.float32, rung, "forward"))
    assert_within_rounding(found, rounded(case, rung, "x", "w"))


@every_rung
@pytest.mark.parametrize(("mode", "chunk_steps"), [("fast", 99), ("checked", 2)])
@pytest.mark.parametrize(("channels", "vector"), [(32, 4), (12, 4), (5, 1)])
@pytest.mark.parametrize("side", [side for side, _ in TILES])
def test_every_tile_on_tensor_cores(side, channels, vector, chunk_steps, mode, rung, monkeypatch):
    monkeypatch.setattr(cuda_tensor, "tensor_plan", lambda *shapes: Plan(side, vector, chunk_steps))
    case = case_of(channels, 68 if vector == 4 else 67)
    there, device = on_emulator(case, mode)
    found = device.to_host(cases.run(there, np.float32, rung, "forward"))
    assert_within_rounding(found, rounded(case, rung, "x", "w"))


def test_a_float_is_rounded_to_the_nearest_of_fewer_bits():
    third = np.array([1 / 3])
    assert ROUNDINGS["v7_tensor_tf32"](third) == 1365 / 4096
    assert ROUNDINGS["v8_tensor_bf16"](third) == 171 / 512
    assert ROUNDINGS["v9_tensor_half"](third) == 1365 / 4096


def test_numbers_that_half_has_not_become_infinite():
    device = install("fast")
    x, w = device.from_host(np.full((1, 1, 1, 4), 1e5, np.float32)), device.from_host(np.ones((1, 1, 4, 4), np.float32))
    assert np.all(np.isposinf(kernels.conv2d.forward(x, w, rung="v9_tensor_half").get()))
    assert np.all(np.isfinite(kernels.conv2d.forward(x, w, rung="v8_tensor_bf16").get()))


def test_few_outputs_are_split_and_many_are_not():
    few, many = tensor_plan(196, 512, 4608, 1, 4), tensor_plan(200704, 512, 4608, 1, 4)
    assert few.side == 64
    assert few.steps < 4608 // 16
    assert many == Plan(128, 4, 4608 // 16)


@every_rung
def test_tensor_cores_run_only_where_they_are_asked_for(rung):
    device = install("fast")
    x, w = device.xp.zeros((1, 8, 8, 16), np.float32), device.xp.zeros((3, 3, 16, 16), np.float32)
    with kernels.record() as calls:
        kernels.conv2d.forward(x, w)
        with kernels.use("conv2d", rung=rung):
            kernels.conv2d.forward(x, kernels.conv2d.prepare(w, x.shape))
    assert "tensor" not in calls[0][2]
    assert calls[1][2] == rung


@every_rung
def test_an_old_gpu_is_refused(rung):
    device = install("fast")
    device.capability = (7, 5)
    x, w = device.xp.zeros((1, 8, 8, 16), np.float32), device.xp.zeros((3, 3, 16, 16), np.float32)
    with pytest.raises(UnsupportedError, match=r"8\.0"):
        kernels.conv2d.forward(x, w, rung=rung)
