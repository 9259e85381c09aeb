"""Arrays between the host, devices and other libraries."""

from types import SimpleNamespace

import numpy as np
import pytest
from emulator.arrays import EmulatedArray
from emulator.device import NAME, install

import minicnn
from minicnn import kernels
from minicnn.errors import DeviceError
from minicnn.kernels import _device
from minicnn.models.arrays import as_array

DLPACK = ("__dlpack__", "__dlpack_device__")
pytestmark = pytest.mark.cuda_emulated


class OfAnotherLibrary:
    """An array on an NVIDIA GPU, as DLPack tells of one: by the number of its kind of memory."""

    def __init__(self, kind: int = 2):
        self.kind = kind

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.kind, 0


class Torch(OfAnotherLibrary):
    """PyTorch's, which is shared only without its gradient."""

    requires_grad = True

    def detach(self) -> OfAnotherLibrary:
        return OfAnotherLibrary(self.kind)

    def __dlpack__(self, **_: object) -> object:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")

    def numpy(self) -> np.ndarray:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")


@pytest.fixture
def gpu(monkeypatch) -> list[object]:
    """A device "cuda" that notes what it is given by DLPack."""
    given: list[object] = []

    class Module:
        def from_dlpack(self, source: object) -> EmulatedArray:
            given.append(source)
            return EmulatedArray(np.arange(3, dtype=np.float32))

    class Gpu(kernels.Device):
        xp = Module()

    monkeypatch.setitem(_device._known, "cuda", Gpu())
    return given


def test_an_array_goes_to_a_device_and_back():
    install()
    array = np.arange(6.0).reshape(2, 3)[:, ::-1]
    there = kernels.to_device(array, NAME)
    assert kernels.device_of(there) == NAME
    assert kernels.to_device(there, NAME) is there
    np.testing.assert_array_equal(kernels.to_host(there), array)
    assert kernels.to_host(array) is array


def test_arrays_of_the_host_follow_those_on_a_device():
    install()
    host, there = np.ones(2, np.float32), kernels.to_device(np.ones(2, np.float32), NAME)
    first, absent, second = kernels.together([host, None, there])
    assert (kernels.device_of(first), absent, second) == (NAME, None, there)
    assert kernels.together([host, None])[0] is host


def test_arrays_on_several_devices_are_refused():
    class Elsewhere(EmulatedArray):
        minicnn_device = "cuda:1"

    with pytest.raises(DeviceError, match="cuda-emulated, cuda:1"):
        kernels.together([EmulatedArray(np.ones(1)), Elsewhere(np.ones(1))])


@pytest.mark.parametrize("kind", [2, 13], ids=["of the GPU", "managed"])
def test_memory_of_another_library_on_a_gpu_is_shared(gpu, kind):
    source = OfAnotherLibrary(kind)
    tensor = minicnn.from_dlpack(source)
    assert gpu == [source]
    assert tensor.shape == (3,)
    assert kernels.device_array(source) is not None
    assert gpu == [source, source]


def test_a_tensor_with_a_gradient_is_shared_without_it(gpu):
    minicnn.from_dlpack(Torch())
    assert kernels.device_array(Torch()) is not None
    assert [type(source) for source in gpu] == [OfAnotherLibrary] * 2


def test_a_tensor_of_the_host_with_a_gradient_is_read_without_it():
    class OnHost(Torch):
        def detach(self) -> SimpleNamespace:
            array = np.ones((2, 3), np.float32)
            return SimpleNamespace(requires_grad=False, numpy=array.copy, **{n: getattr(array, n) for n in DLPACK})

    assert minicnn.from_dlpack(OnHost(kind=1)).shape == (2, 3)
    assert as_array(OnHost(kind=1), "x").tolist() == [[1] * 3] * 2


def test_arrays_of_the_host_are_none_of_a_device():
    assert kernels.device_array(np.ones(1)) is None
    assert kernels.device_array([1.0]) is None
