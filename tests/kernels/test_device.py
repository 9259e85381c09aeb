"""The door to the kernels of a device: what it lets in, and what it refuses."""

import re
from pathlib import Path

import numpy as np
import pytest

from minicnn import kernels
from minicnn.errors import ArgumentError, DeviceError, DTypeError
from minicnn.kernels import _device

pytestmark = pytest.mark.numpy_only

SOURCE = """
extern "C" __global__ void scale(const float *x, float *y, int n, float by) {}
extern "C" __global__ void __launch_bounds__(256) count(const unsigned char *x, unsigned *y, long long n) {}
"""


class Recording(kernels.Device):
    """A device of NumPy's arrays that notes what reaches it."""

    name = "recording"
    xp = np
    capability = (8, 0)

    def __init__(self):
        self.launched = []

    def _launch(self, launch):
        self.launched.append(launch)


@pytest.fixture
def device() -> Recording:
    return Recording()


@pytest.fixture
def file(tmp_path) -> str:
    path = tmp_path / "cuda.cu"
    path.write_text(SOURCE)
    return str(path)


def arguments(**other) -> tuple:
    """Those of the kernel `scale`, some of them others."""
    taken = {"x": np.zeros(4, np.float32), "y": np.zeros(4, np.float32), "n": np.int32(4), "by": np.float32(2)}
    return tuple((taken | other).values())


def test_what_fits_the_kernel_is_launched_as_it_is(device, file):
    taken, stream = arguments(y=None), object()
    device.launch(file, "scale", [2, 3], [32], taken, shared_bytes=64, defines=("TILE=8",), stream=stream)
    device.launch(file, "count", (np.int64(1),), (1, 2, 3), (None, None, np.int64(1)))
    assert device.launched == [
        (Path(file), "scale", (2, 3), (32,), taken, 64, ("TILE=8",), stream),
        (Path(file), "count", (1,), (1, 2, 3), (None, None, np.int64(1)), 0, (), None),
    ]


@pytest.mark.parametrize("grid", [(0,), (3, 0), (0, 1, 2)])
def test_a_grid_without_blocks_is_no_launch(device, file, grid):
    device.launch(file, "scale", grid, (32,), arguments())
    assert device.launched == []


def test_arguments_are_checked_although_there_are_no_blocks(device, file):
    with pytest.raises(DTypeError):
        device.launch(file, "scale", (0,), (32,), arguments(n=4))


def test_an_unknown_kernel_is_named_with_those_that_there_are(device, file):
    with pytest.raises(ArgumentError, match=r"cuda\.cu has no kernel scaled; it has scale, count$"):
        device.launch(file, "scaled", (1,), (1,), ())


@pytest.mark.parametrize("count", [0, 3, 5])
def test_the_number_of_arguments_is_the_kernels(device, file, count):
    with pytest.raises(ArgumentError, match=rf"^scale takes 4 arguments, got {count}$"):
        device.launch(file, "scale", (1,), (1,), (*arguments(), np.int32(1))[:count])


@pytest.mark.parametrize(("grid", "block"), [((), (1,)), ((1,), ()), ((1, 1, 1, 1), (1,)), ((1,), (1, 1, 1, 1))])
def test_grid_and_block_have_one_to_three_sizes(device, file, grid, block):
    said = f"scale: grid and block have one to three sizes, got {grid}, {block}"
    with pytest.raises(ArgumentError, match=f"^{re.escape(said)}$"):
        device.launch(file, "scale", grid, block, arguments())


class Other(np.ndarray):
    """An array of another library, for `xp` to tell from its own."""


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"n": 4}, "argument n must be one NumPy int32, got Python's int"),
        ({"n": True}, "argument n must be one NumPy int32, got Python's bool"),
        ({"by": 2.0}, "argument by must be one NumPy float32, got Python's float"),
        ({"n": np.int64(4)}, "argument n must be one NumPy int32, got numpy.int64 of int64"),
        ({"n": np.uint32(4)}, "argument n must be one NumPy int32, got numpy.uint32 of uint32"),
        ({"by": np.float64(2)}, "argument by must be one NumPy float32, got numpy.float64 of float64"),
        ({"by": np.zeros(1, np.float32)}, "argument by must be one NumPy float32, got numpy.ndarray of float32"),
        ({"n": None}, "argument n must be one NumPy int32, got NoneType"),
        ({"x": np.zeros(4)}, "argument x must be an array of float32 on recording, got numpy.ndarray of float64"),
        ({"y": np.zeros(4, "i4")}, "argument y must be an array of float32 on recording, got numpy.ndarray of int32"),
        ({"x": np.float32(1)}, "argument x must be an array of float32 on recording, got numpy.float32 of float32"),
        ({"x": [1.0]}, "argument x must be an array of float32 on recording, got list"),
        ({"x": 0}, "argument x must be an array of float32 on recording, got Python's int"),
    ],
)  # fmt: skip
def test_what_a_kernel_would_read_as_something_else_is_refused(device, file, other, said):
    with pytest.raises(DTypeError) as found:
        device.launch(file, "scale", (1,), (1,), arguments(**other))
    assert str(found.value) == f"scale: {said}"
    assert device.launched == []


def test_an_array_of_the_host_is_refused(device, file):
    device.xp = type("module", (), {"ndarray": Other})
    own = np.zeros(4, np.float32).view(Other)
    with pytest.raises(
        DTypeError, match=r"^scale: argument y must be an array of float32 on recording, got numpy\.ndarray"
    ):
        device.launch(file, "scale", (1,), (1,), arguments(x=own))
    device.launch(file, "scale", (1,), (1,), arguments(x=own, y=own))
    assert len(device.launched) == 1


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4), np.float32).T[1:], np.zeros((4, 4), np.float32)[:, :2], np.zeros(8, np.float32)[::2]]
)
def test_an_array_with_gaps_is_refused(device, file, array):
    with pytest.raises(ArgumentError, match=rf"^scale: argument x is not contiguous: its shape is \({array.shape[0]},"):
        device.launch(file, "scale", (1,), (1,), arguments(x=array))


def test_the_host_may_not_launch(monkeypatch):
    with pytest.raises(ArgumentError, match=r"^'cpu' is no device to launch on: its kernels are called with NumPy arr"):
        kernels.device("cpu")


# ---- names of devices --------------------------------------------------------------------------------------------


@pytest.fixture
def registered(monkeypatch) -> list[Recording]:
    """The devices that were made under the name "recording", which is forgotten afterwards."""
    monkeypatch.setattr(_device, "_makers", dict(_device._makers))
    monkeypatch.setattr(_device, "_known", {})
    made = []
    _device.register_device("recording", lambda: made.append(Recording()) or made[-1])
    return made


def test_a_device_is_made_when_it_is_first_asked_for(registered):
    assert kernels.devices() == ["cpu", *_device._makers]
    assert {"cuda", "recording"} <= set(kernels.devices())
    assert registered == []
    assert kernels.device("recording") is kernels.device("recording") is registered[0]
    assert len(registered) == 1


def test_a_device_that_is_registered_anew_is_made_anew(registered):
    first = kernels.device("recording")
    _device.register_device("recording", Recording)
    assert kernels.device("recording") is not first


def test_an_unknown_device_is_named_with_those_that_there_are(registered):
    with pytest.raises(ArgumentError, match=r"^there is no device 'gpu'; there are cpu, cuda.*, recording$"):
        kernels.device("gpu")


def test_one_gpu_of_several_is_chosen_by_the_environment():
    with pytest.raises(ArgumentError, match=r"no device 'cuda:1'; .*; the variable CUDA_VISIBLE_DEVICES=1 makes"):
        kernels.device("cuda:1")


def test_a_device_that_could_not_be_made_is_tried_again(registered):
    reasons = ["no driver", "no memory"]

    def make():
        if reasons:
            raise DeviceError(reasons.pop())
        return Recording()

    _device.register_device("recording", make)
    for reason in ("no memory", "no driver"):
        with pytest.raises(DeviceError, match=reason):
            kernels.device("recording")
    assert kernels.device("recording").name == "recording"
