"""The device "cuda" on a CuPy that records what a GPU would be told; the kernels are compiled in earnest."""

import re
import sys
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from fake_cupy import Array, CUDADriverError, CUDARuntimeError, FakeCupy, OutOfMemoryError

from minicnn.errors import ArgumentError, DeviceError, DeviceMemoryError, DTypeError, MinicnnError, UnsupportedError
from minicnn.kernels._cuda import CupyDevice
from minicnn.kernels._gpu import cubin_cache, nvrtc

pytestmark = [
    pytest.mark.cuda_compile,
    pytest.mark.skipif(sys.platform != "linux", reason="NVRTC is installed with the tests on Linux only"),
]

SOURCE = """
#ifndef BY
#define BY 2
#endif
extern "C" __global__ void scale(const float *x, float *y, int n, float by) { y[n] = BY * by * (x ? x[n] : 1); }
extern "C" __global__ void shift(float *x, long long n, unsigned char by) { x[n] += by; }
"""


@pytest.fixture(autouse=True)
def cupy(monkeypatch, tmp_path):
    """The stand-in, imported as cupy, and an empty cache."""
    made = FakeCupy()
    monkeypatch.setitem(sys.modules, "cupy", made)
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    cubin_cache.cubin_folder.cache_clear()
    yield made
    cubin_cache.cubin_folder.cache_clear()


@pytest.fixture
def device() -> CupyDevice:
    return CupyDevice()


@pytest.fixture
def file(tmp_path) -> str:
    path = tmp_path / "cuda.cu"
    path.write_text(SOURCE)
    return str(path)


def arguments(device: CupyDevice) -> tuple:
    x, y = (device.from_host(np.arange(4, dtype=np.float32)) for _ in range(2))
    return x, y, np.int32(4), np.float32(0.5)


def scale(device: CupyDevice, file: str, taken: tuple | None = None, **options) -> tuple:
    """Launch a kernel; its arguments."""
    taken = taken or arguments(device)
    device.launch(file, "scale", (2,), (32,), taken, **options)
    return taken


def test_the_device_is_what_cuda_says_of_it(device, cupy):
    assert device.name == "cuda"
    assert device.xp is cupy
    assert device.capability == (9, 0)


def test_a_launch_reaches_the_gpu_as_it_is(device, cupy, file):
    x, y, n, by = scale(device, file, shared_bytes=1024, stream="a stream")
    (launch,) = cupy.launches
    assert (launch.kernel, launch.grid, launch.block) == ("scale", (2,), (32,))
    assert (launch.shared_mem, launch.stream) == (1024, "a stream")
    assert launch.arguments[0] is x
    assert launch.arguments[1] is y
    assert [(value.tobytes(), value.dtype) for value in launch.arguments[2:]] == [
        (n.tobytes(), "i4"),
        (by.tobytes(), "f4"),
    ]
    assert launch.cubin[:4] == b"\x7fELF"


def test_without_a_stream_it_is_cupys_current_one(device, cupy, file):
    scale(device, file)
    assert cupy.launches[0].stream is None


def test_a_pointer_that_is_not_there_is_eight_zero_bytes(device, cupy, file):
    """CuPy 13 passes None as 0xffffffff."""
    device.launch(file, "scale", (1,), (1,), (None, None, np.int32(0), np.float32(1)))
    for argument in cupy.launches[0].arguments[:2]:
        assert isinstance(argument, np.generic)
        assert argument.tobytes() == bytes(8)


def test_more_dynamic_shared_memory_than_any_kernel_has_is_asked_for(device, cupy, file):
    for size in (0, 48 << 10, (48 << 10) + 1, 200 << 10):
        scale(device, file, shared_bytes=size)
    assert [launch.most_shared for launch in cupy.launches] == [48 << 10, 48 << 10, (48 << 10) + 1, 200 << 10]


def test_a_module_is_loaded_once_for_each_choice_of_macros(device, cupy, file):
    choices = ((), ("BY=3",), (), ("BY=3",))
    for defines in choices:
        scale(device, file, defines=defines)
    for defines in choices:
        device.launch(file, "shift", (1,), (1,), (None, np.int64(1), np.uint8(2)), defines=defines)
    assert len(cupy.loaded) == len(set(cupy.loaded)) == 2
    assert len(cupy.functions) == 4
    assert [launch.cubin for launch in cupy.launches] == cupy.loaded * 4


def test_a_second_program_compiles_nothing(device, cupy, file, monkeypatch):
    scale(device, file)
    monkeypatch.setattr(nvrtc, "compile_cubin", lambda *_: pytest.fail("compiled again"))
    scale(CupyDevice(), file)
    assert cupy.loaded[0] == cupy.loaded[1]


@pytest.mark.parametrize(
    ("capability", "target"),
    [
        ((7, 5), 75),
        ((8, 0), 80),
        ((8, 6), 86),
        ((8, 7), 87),
        ((8, 9), 89),
        ((9, 0), 90),
        ((10, 0), 100),
        ((12, 9), 121),
    ],
)
def test_a_file_is_compiled_for_the_gpu_or_the_nearest_before_it(monkeypatch, file, capability, target):
    cupy = FakeCupy(capability=capability)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    device = CupyDevice()
    assert device.capability == capability
    scale(device, file)
    assert cupy.loaded[0][49] == target


def test_what_does_not_fit_the_kernel_never_reaches_the_gpu(device, cupy, file):
    x = device.from_host(np.zeros((4, 4), np.float32))
    for error, taken in (
        (DTypeError, (np.zeros(4, np.float32), x, np.int32(0), np.float32(0))),
        (DTypeError, (x, x, 4, np.float32(0))),
        (ArgumentError, (x[:, 1:], x, np.int32(0), np.float32(0))),
        (ArgumentError, (x, x)),
    ):
        with pytest.raises(error):
            device.launch(file, "scale", (1,), (1,), taken)
    device.launch(file, "scale", (0,), (1,), (x, x, np.int32(0), np.float32(0)))
    assert cupy.launches == cupy.loaded == []


def test_an_array_of_another_gpu_is_refused(device, cupy, file):
    """Its address is none on this one: the kernel would fail, and all that is launched after it."""
    x, y = (device.from_host(np.zeros(4, np.float32)) for _ in range(2))
    x.device = SimpleNamespace(id=3)
    said = "is on GPU 3, and kernels run on GPU 0: .* CUDA_VISIBLE_DEVICES"
    with pytest.raises(DeviceError, match=f"^scale: argument x {said}"):
        device.launch(file, "scale", (1,), (1,), (x, y, np.int32(4), np.float32(1)))
    with pytest.raises(DeviceError, match=said):
        device.write(y, x)
    assert cupy.launches == []


def test_arrays_go_there_and_back_as_copies(device):
    host = np.arange(12, dtype=np.float32).reshape(3, 4).T
    there = device.from_host(host)
    assert isinstance(there, Array)
    assert there.flags.c_contiguous
    back = device.to_host(there)
    host[0, 0] = 9
    assert type(back) is np.ndarray
    assert back.shape == (4, 3)
    assert back[0, 0] == there.host[0, 0] == 0


def test_an_array_is_written_to_from_the_host_and_from_the_device(device):
    place = device.from_host(np.zeros((2, 3), np.float32))
    device.write(place, np.arange(6, dtype=np.uint8).reshape(3, 2).T)
    assert device.to_host(place).tolist() == [[0, 2, 4], [1, 3, 5]]
    device.write(place, device.from_host(np.ones((2, 3), np.float32)))
    assert device.to_host(place).tolist() == [[1, 1, 1]] * 2


def test_an_array_begins_where_its_memory_is(device):
    array = device.from_host(np.zeros(8, np.float32))
    assert device.address(array[3:]) - device.address(array) == 12


@pytest.mark.parametrize(("limit", "free"), [(0, 1300), (5000, 1300), (1500, 800), (600, 0)])
def test_free_memory_is_the_gpus_and_the_pools_within_its_limit(device, cupy, limit, free):
    cupy.pool.get_limit = lambda: limit
    assert device.free_memory() == free


# ---- errors ------------------------------------------------------------------------------------------------------

FAILURES = {
    "launch": lambda device, file: scale(device, file),
    "load": lambda device, file: scale(device, file),
    "allocate": lambda device, file: device.from_host(np.zeros(3)),
    "pinned": lambda device, file: device.from_host(np.zeros(3)),
    "get": lambda device, file: device.to_host(device.from_host(np.zeros(3))),
    "synchronize": lambda device, file: device.synchronize(),
}
WORDS = {
    "launch": "scale",
    "load": "scale",
    "allocate": "copy to the GPU",
    "pinned": "copy to the GPU",
    "get": "copy from the GPU",
    "synchronize": "work on the GPU",
}


@pytest.mark.parametrize("where", FAILURES)
@pytest.mark.parametrize("error", [CUDARuntimeError(700), CUDADriverError(1)])
def test_what_cuda_refuses_is_an_error_of_the_device(device, cupy, file, where, error):
    cupy.fails[where] = error
    with pytest.raises(DeviceError) as found:
        FAILURES[where](device, file)
    assert str(found.value) == f"{WORDS[where]}: {error}"
    assert found.value.__cause__ is error
    assert not isinstance(found.value, MemoryError)


@pytest.mark.parametrize("where", [where for where in FAILURES if where != "pinned"])
@pytest.mark.parametrize(
    "error",
    [
        OutOfMemoryError("Out of memory allocating 4,096 bytes (allocated so far: 0 bytes)."),
        CUDARuntimeError(2),
        CUDADriverError(2),
    ],
    ids=["pool", "runtime", "driver"],
)
def test_too_little_memory_is_an_error_of_the_device_and_of_memory(device, cupy, file, where, error):
    cupy.fails[where] = error
    said = rf"GPU has too little memory: take smaller batches \({re.escape(str(error))}\)$"
    with pytest.raises(DeviceMemoryError, match=said):
        FAILURES[where](device, file)
    assert issubclass(DeviceMemoryError, (DeviceError, MemoryError))


def test_where_the_host_pins_no_memory_arrays_go_without(device, cupy):
    """It is not the GPU's that is short, so smaller batches are no remedy."""
    cupy.fails["pinned"] = CUDARuntimeError(2)
    host = np.arange(12, dtype=np.float32).reshape(3, 4)
    there = device.from_host(host)
    for array, expected in ((there, host), (there[:, 1:], host[:, 1:])):
        assert device.fetch(array)().tolist() == expected.tolist()


def test_errors_of_the_program_itself_are_left_as_they_are(device, cupy, file):
    for error in (TypeError("mine"), KeyboardInterrupt()):
        cupy.fails["launch"] = error
        with pytest.raises(type(error)) as found:
            scale(device, file)
        assert found.value is error


def test_a_guard_says_what_was_done(device):
    said = r"^convolution of 512 images: the GPU has too little"
    with pytest.raises(DeviceMemoryError, match=said), device.guard("convolution of 512 images"):
        raise OutOfMemoryError("Out of memory")
    with device.guard("nothing"):
        pass


def test_a_file_that_does_not_compile_says_where(device, tmp_path):
    path = tmp_path / "cuda.cu"
    path.write_text('extern "C" __global__ void f(int n) {\n  nothing();\n}')
    with pytest.raises(DeviceError, match=r"cuda\.cu, line 2: identifier \"nothing\" is undefined \(for sm_90\)"):
        device.launch(str(path), "f", (1,), (1,), (np.int32(0),))


# ---- graphs ------------------------------------------------------------------------------------------------------


def test_captured_work_is_launched_again_and_not_while_it_is_captured(device, cupy, file):
    taken = arguments(device)

    def work():
        scale(device, file, taken)
        return scale(device, file, taken)[1]

    result, replay = device.capture(work)
    assert isinstance(result, Array)
    assert cupy.launches == []
    replay()
    replay()
    assert [launch.kernel for launch in cupy.launches] == ["scale"] * 4


def test_what_a_graph_writes_to_lives_as_long_as_the_graph(device, cupy):
    """A pool would give the memory of an array that is gone to another, and the graph would write there."""

    def work():
        gone = device.xp.empty(300, np.float32)
        again = device.xp.empty(1, np.float32)
        places = [gone.memory.ptr, again.memory.ptr]
        del gone
        third = device.xp.empty(290, np.float32)  # in its place
        return third, [*places, third.memory.ptr]

    (result, places), replay = device.capture(work)
    blocks = [weakref.ref(pointer) for pointer in cupy.allocated]
    cupy.allocated.clear()
    assert places[2] == places[0] != places[1]
    assert len(blocks) == 2
    del result
    assert all(block() is not None for block in blocks), "the graph still writes there"
    del replay
    assert all(block() is None for block in blocks)
    assert cupy.allocator == cupy._allocate, "the allocator from before is in place again"


def test_an_array_of_a_graph_lives_without_it(device, cupy):
    result, replay = device.capture(lambda: device.xp.empty(3, np.float32))
    block = weakref.ref(cupy.allocated.pop())
    del replay
    assert block() is not None
    del result
    assert block() is None


@pytest.mark.parametrize("copy", ["from_host", "to_host", "write", "fetch"])
def test_a_copy_is_refused_while_a_graph_is_captured_before_cupy_hears_of_it(device, cupy, copy):
    host, there = np.zeros(3, np.float32), device.from_host(np.zeros(3, np.float32))
    given = {"from_host": (host,), "write": (there, host)}.get(copy, (there,))
    cupy.streams.queue = lambda *of: pytest.fail("it was begun")
    with pytest.raises(UnsupportedError, match="cannot be captured in a CUDA graph: it copies between"):
        device.capture(lambda: getattr(device, copy)(*given))
    del cupy.streams.queue
    getattr(device, copy)(*given)


@pytest.mark.parametrize("error", [CUDARuntimeError(906), RuntimeError("Device to host copies are not allowed")])
def test_work_that_waits_for_the_device_cannot_be_captured(device, cupy, file, error):
    taken = arguments(device)

    def work():
        scale(device, file, taken)
        raise error

    with pytest.raises(UnsupportedError, match=f"^it cannot be captured in a CUDA graph: {error}$"):
        device.capture(work)
    assert cupy.launches == []
    assert cupy.allocator == cupy._allocate
    cupy.fails["end_capture"] = CUDARuntimeError(906)
    with pytest.raises(UnsupportedError, match=r"^it cannot be captured"):
        device.capture(lambda: None)


@pytest.mark.parametrize("error", [OutOfMemoryError("Out of memory"), KeyboardInterrupt(), DeviceMemoryError("small")])
def test_other_errors_end_the_capture_and_are_left_as_they_are(device, cupy, error):
    def work():
        raise error

    with pytest.raises(type(error)) as found:
        device.capture(work)
    assert found.value is error
    device.capture(lambda: None)


def test_a_graph_that_fails_is_an_error_of_the_device(device, cupy):
    _, replay = device.capture(lambda: None)
    for status, error, text in ((700, DeviceError, "cudaErrorIllegalAddress"), (2, DeviceMemoryError, "the GPU has")):
        cupy.fails["graph"] = CUDARuntimeError(status)
        with pytest.raises(error, match=f"^launch of a CUDA graph: {text}"):
            replay()


def test_a_gpu_that_cannot_be_used_is_no_device(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", FakeCupy(driver=0))
    with pytest.raises(DeviceError, match=r"^there is no NVIDIA driver") as found:
        CupyDevice()
    assert isinstance(found.value, MinicnnError)
