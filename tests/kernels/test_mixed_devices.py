"""Arrays of one call that are on several devices: refused in a sentence that names them, before anything is done."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from emulator.device import NAME, EmulatedDevice, install

from minicnn import kernels
from minicnn.errors import ArgumentError, DeviceError
from minicnn.kernels._warmup import examples

pytestmark = pytest.mark.cuda_emulated
CALLS = examples(lambda *shape: np.ones(shape, np.float32))


@pytest.fixture
def device() -> EmulatedDevice:
    return install()


def mixed(call: partial, place: Callable[[Any], Any], other: Callable[[Any], Any]) -> Iterator[partial]:
    """The call with one of its arrays at the one place and all others at the other, for each of them."""
    given = {**dict(enumerate(call.args)), **call.keywords}
    arrays = [key for key, value in given.items() if isinstance(value, np.ndarray)]
    for odd in arrays if len(arrays) > 1 else ():
        moved = {key: (place if key == odd else other)(value) for key, value in given.items() if key in arrays}
        taken = {**given, **moved}
        yield partial(call.func, *(taken.pop(i) for i in range(len(call.args))), **taken)


@pytest.mark.parametrize(("op", "direction"), sorted(CALLS))
def test_an_operand_on_another_device_is_refused(device, op, direction):
    said = rf"^{op}: all arrays must be on one device; found .*\w+ on cpu.*: bring them together by"
    for call in CALLS[op, direction]:
        for places in ((device.from_host, np.copy), (np.copy, device.from_host)):
            for wrong in mixed(call, *places):
                with pytest.raises(DeviceError, match=said) as found:
                    wrong()
                assert f" on {NAME}" in str(found.value)
    assert not device.launched


@pytest.mark.parametrize(("op", "direction"), sorted(CALLS))
def test_an_out_on_another_device_is_refused(device, op, direction):
    for call in (call for call in CALLS[op, direction] if "out" not in call.keywords):
        made = call()
        if isinstance(made, np.ndarray) and op != "concatenate":
            with pytest.raises(DeviceError, match=f"out on {NAME}, the operands on cpu"):
                call(out=device.from_host(made))


def test_arrays_in_a_list_are_told_apart_by_their_number(device):
    x = np.ones((2, 3), np.float32)
    for arrays in ([x, device.from_host(x)], [device.from_host(x), x]):
        with pytest.raises(DeviceError, match=r"array 0 on cpu, array 1|array 1 on cpu"):
            kernels.concatenate.forward(arrays)


def test_a_mask_of_dropout_is_where_the_gradient_is(device):
    dy, mask = np.ones((2, 3), np.float32), np.ones((2, 3), bool)
    for places in ((device.from_host(dy), mask), (dy, device.from_host(mask))):
        with pytest.raises(DeviceError, match=r"dropout: .* dy on .*, mask on"):
            kernels.dropout.backward(*places, 0.5)


def test_the_rows_of_an_embedding_are_where_the_gradient_is(device):
    dy, rows = np.ones((2, 3), np.float32), np.array([1, 0])
    for places in ((device.from_host(rows), dy), (rows, device.from_host(dy))):
        with pytest.raises(DeviceError, match=r"embedding: .* rows on .*, dy on"):
            kernels.embedding.backward(*places, 4)


def test_a_prepared_kernel_is_where_the_image_is(device, monkeypatch):
    x, w = np.ones((1, 32, 32, 64), np.float32), np.ones((3, 3, 64, 64), np.float32)
    for move, place, other in ((device.from_host, "cpu", NAME), (np.copy, NAME, "cpu")):
        with kernels.use("conv2d", rung="v6_winograd_4"):
            prepared = kernels.conv2d.prepare(w if place == "cpu" else device.from_host(w), x.shape)
        monkeypatch.setattr(device.xp, "empty", lambda *_: pytest.fail("memory was asked for"), raising=False)
        with pytest.raises(ArgumentError, match=f"w was prepared on {place}, not on {other}, where x is: prepare it"):
            kernels.conv2d.forward(move(x), prepared)
        monkeypatch.undo()
