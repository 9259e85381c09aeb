"""Arrays between the host, devices and other libraries."""

from types import SimpleNamespace

import numpy as np
import pytest
from emulator.arrays import EmulatedArray
from emulator.device import NAME, install

import minicnn
from minicnn import kernels
from minicnn.errors import DeviceError, DTypeError
from minicnn.kernels import _device
from minicnn.layers import Dense, Input
from minicnn.models import Sequential
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


class OfDlpackAlone:
    """An array of the host that another library tells by DLPack, and by nothing else."""

    def __init__(self, array: np.ndarray):
        self.array = array

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def __dlpack__(self, **options: object) -> object:
        return self.array.__dlpack__(**options)


@pytest.fixture
def model() -> Sequential:
    return Sequential([Input((3,)), Dense(2)])


def test_an_array_of_the_host_that_has_dlpack_alone_is_taken(model):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    source = OfDlpackAlone(array)
    np.testing.assert_array_equal(model.predict(source), model.predict(array))
    np.testing.assert_array_equal(model(source).numpy(), model(array).numpy())
    for found in (as_array(source, "x"), minicnn.Tensor(source).array, minicnn.from_dlpack(source).array):
        assert np.shares_memory(found, array)


class Bfloat16(OfDlpackAlone):
    """What PyTorch says of numbers that NumPy has not."""

    dtype = "torch.bfloat16"
    shape = (2, 3)

    def __dlpack__(self, **options: object) -> object:
        raise BufferError("Unsupported dtype in DLTensor.")

    def __array__(self, *arguments: object, **options: object) -> np.ndarray:
        raise TypeError("Got unsupported ScalarType BFloat16")


class Meta(OfDlpackAlone):
    """What PyTorch says of a tensor that has a shape and no memory."""

    def __dlpack_device__(self) -> tuple[int, int]:
        raise ValueError("Unknown device type meta for Dlpack")


def test_numbers_that_numpy_has_not_are_refused_in_one_line(model):
    source = Bfloat16(np.zeros((2, 3), np.float32))
    said = r"Bfloat16 of torch.bfloat16 cannot be taken as an array: .*; convert it first, as to float32$"
    for call in (model.predict, model, minicnn.Tensor, minicnn.from_dlpack):
        with pytest.raises(DTypeError, match=said):
            call(source)
    with pytest.raises(DTypeError, match=r"^x: a "):
        model.predict(source)


def test_an_array_in_no_memory_is_refused_in_one_line(model):
    source = Meta(np.zeros((2, 3), np.float32))
    for call in (model.predict, model, minicnn.from_dlpack):
        with pytest.raises(DeviceError, match="Meta is in no memory that can be shared: Unknown device type meta"):
            call(source)


class OfApple(Bfloat16):
    """What PyTorch says of a tensor on a GPU of Apple's."""

    dtype = "torch.float32"

    def __dlpack_device__(self) -> tuple[int, int]:
        return 8, 0


def test_an_array_on_a_gpu_that_is_not_nvidias_is_refused_in_one_line(model):
    source = OfApple(np.zeros((2, 3), np.float32))
    said = r"OfApple of torch.float32 cannot be taken as an array: .*; bring it to the host first$"
    for call in (model.predict, model, minicnn.Tensor, minicnn.from_dlpack):
        with pytest.raises(DeviceError, match=said):
            call(source)


def test_arrays_of_the_host_are_none_of_a_device():
    assert kernels.device_array(np.ones(1)) is None
    assert kernels.device_array([1.0]) is None
