"""The device "cuda-emulated": launches through the door that a GPU has too, and copies to and from the host."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicnn.errors import ArgumentError, DeviceError, DTypeError, UnsupportedError
from minicnn.kernels._device import device

from .arrays import NAME, EmulatedArray
from .device import EmulatedDevice, install
from .launching import KERNELS

pytestmark = pytest.mark.cuda_emulated
MEMORY, RACES, LANGUAGE = (str(KERNELS / name) for name in ("memory.cu", "races.cu", "language.cu"))
N = np.int32(64)


def ones(there: EmulatedDevice, count: int = 64) -> EmulatedArray:
    return there.from_host(np.ones(count, np.float32))


@pytest.mark.parametrize("mode", ["fast", "checked"])
def test_kernel_changes_an_array_of_the_device(mode: str):
    there = EmulatedDevice(mode)
    x = ones(there)
    there.launch(RACES, "removed_barrier", (1,), (64,), (x, N))
    there.launch(RACES, "plain_sum", (1,), (64,), (x, N))
    assert x.tolist() == [17] * 4 + [1] * 60
    assert there.launched == [("races.cu", "removed_barrier"), ("races.cu", "plain_sum")]


def test_fault_is_an_error_of_the_device_that_names_the_line():
    there = EmulatedDevice("checked")
    with pytest.raises(DeviceError, match=r"^past_the_end_fault: memory\.cu:\d+: out of bounds: write of 4 bytes"):
        there.launch(MEMORY, "past_the_end_fault", (1,), (64,), (ones(there), N))
    assert not there.launched


def test_file_that_does_not_compile_is_an_error_of_the_device(tmp_path: Path):
    source = tmp_path / "broken.cu"
    source.write_text('extern "C" __global__ void broken(float *x) { x[0] = nothing; }\n')
    there = EmulatedDevice()
    with pytest.raises(DeviceError, match=r"broken\.cu does not compile: .*nothing"):
        there.launch(str(source), "broken", (1,), (1,), (ones(there),))


@pytest.mark.parametrize(
    ("argument", "error", "said"),
    [
        (64, DTypeError, "must be one NumPy int32, got Python's int"),
        (np.int64(64), DTypeError, "must be one NumPy int32, got numpy.int64 of int64"),
    ],
)
def test_numbers_have_the_width_that_the_kernel_reads(argument: Any, error: type[Exception], said: str):
    there = EmulatedDevice()
    with pytest.raises(error, match=said):
        there.launch(MEMORY, "past_the_end", (1,), (64,), (ones(there), argument))


def test_arrays_are_of_the_device_and_contiguous():
    there = EmulatedDevice()
    with pytest.raises(DTypeError, match="argument x must be an array of float32 on cuda-emulated, got numpy"):
        there.launch(MEMORY, "past_the_end", (1,), (64,), (np.ones(64, np.float32), N))
    with pytest.raises(ArgumentError, match="is not contiguous"):
        there.launch(MEMORY, "past_the_end", (1,), (64,), (ones(there, 128)[::2], N))


def test_mode_that_is_none_is_refused_when_it_is_asked_for():
    with pytest.raises(ArgumentError, match="no mode 'chekced'; it has fast, checked, asan"):
        install("chekced")


def test_grid_without_blocks_is_nothing():
    there = EmulatedDevice()
    there.launch(MEMORY, "past_the_end", (0,), (64,), (ones(there), N))
    assert not there.launched


def test_inputs_and_outputs_may_be_one_array():
    there = EmulatedDevice("checked")
    x = there.from_host(np.arange(80, dtype=np.float32).reshape(20, 4))
    letters = there.from_host(np.arange(80, dtype=np.uint8))
    there.launch(LANGUAGE, "vectors", (1,), (20,), (x, x, letters, letters))
    np.testing.assert_array_equal(x.get(), np.arange(80, dtype=np.float32).reshape(20, 4)[:, ::-1])


@pytest.mark.parametrize(
    ("capability", "most"), [((7, 5), 65536), ((8, 0), 166912), ((8, 6), 101376), ((8, 9), 101376), ((9, 0), 232448)]
)
def test_shared_memory_is_the_devices(capability: tuple[int, int], most: int):
    there = EmulatedDevice(capability=capability)
    found = there.from_host(np.zeros(1, np.int32))
    there.launch(LANGUAGE, "dynamic_size", (1,), (1,), (found, np.int32(most // 8)), shared_bytes=most)
    assert found.item() == most // 8
    with pytest.raises(DeviceError, match=f"where the device has {most}"):
        there.launch(LANGUAGE, "dynamic_size", (1,), (1,), (found, np.int32(1)), shared_bytes=most + 1)


def test_copies_share_nothing_with_the_host():
    there, host = EmulatedDevice(), np.arange(6, dtype=np.float32).reshape(2, 3)
    x = there.from_host(host.T)
    assert x.flags.c_contiguous
    host[...] = 0
    assert x.tolist() == [[0, 3], [1, 4], [2, 5]]
    there.to_host(x)[...] = 9
    assert x.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_writing_takes_arrays_of_the_host_and_of_the_device():
    there = EmulatedDevice()
    x = there.from_host(np.zeros(3, np.float32))
    there.write(x, np.array([1, 2, 3], np.float32))
    assert x.tolist() == [1, 2, 3]
    there.write(x, x[::-1].copy())
    assert x.tolist() == [3, 2, 1]


def test_what_is_captured_is_launched_when_it_is_replayed():
    there = EmulatedDevice()
    x = ones(there)
    found, replay = there.capture(lambda: there.launch(RACES, "plain_sum", (1,), (64,), (x, N)) or x)
    assert found is x
    assert x.tolist() == [1] * 64
    replay()
    replay()
    assert x.tolist()[:4] == [33] * 4


AT_ONCE: dict[str, Callable[[EmulatedDevice, Any], Any]] = {
    "add": lambda there, x: x + 1,
    "assignment": lambda there, x: x.__setitem__(0, 1),
    "copy": lambda there, x: there.xp.ascontiguousarray(x[::2]),
    "reshape": lambda there, x: x.reshape(8, 8).T.reshape(64),
    "copy to the host": lambda there, x: float(x[0]),
    "copy from the host": lambda there, x: there.from_host(np.ones(3)),
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_what_is_no_launch_cannot_be_captured(name):
    there = EmulatedDevice()
    x = ones(there)
    with pytest.raises(UnsupportedError, match=f"^{name} of arrays cannot be captured"):
        there.capture(lambda: AT_ONCE[name](there, x))
    AT_ONCE[name](there, x)
    there.capture(lambda: [there.xp.empty(3), x[2:], x.reshape(8, 8).T, x.T, np.may_share_memory(x, x)])


def test_device_is_known_by_its_name_once_it_is_installed():
    made = install("checked", 7)
    assert device(NAME) is made
    assert (made.mode, made.order) == ("checked", 7)
