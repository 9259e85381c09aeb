"""A stand-in for cupy on a machine without a GPU: it records what a GPU would be told, and fails where it is told to.

It has what `minicnn.kernels._cuda` uses of CuPy 14, in the same shapes; arrays are NumPy's in a class of their own.
Programs of their own import it as cupy by a file cupy.py on their path:

    import sys, fake_cupy
    sys.modules["cupy"] = fake_cupy.FakeCupy(driver=0)
"""

from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from fake_streams import Block, Memory, Stream, Streams

TEXTS = {
    2: "cudaErrorMemoryAllocation: out of memory",
    35: "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version",
    100: "cudaErrorNoDevice: no CUDA-capable device is detected",
    700: "cudaErrorIllegalAddress: an illegal memory access was encountered",
    803: "cudaErrorSystemDriverMismatch: system has unsupported display driver / cuda driver combination",
    906: "cudaErrorStreamCaptureImplicit: operation would make the legacy stream depend on a capturing blocking stream",
}


DRIVER_TEXTS = {
    1: "CUDA_ERROR_INVALID_VALUE: invalid argument",
    2: "CUDA_ERROR_OUT_OF_MEMORY: out of memory",
    500: "CUDA_ERROR_NOT_FOUND: named symbol not found",
}


class CUDARuntimeError(RuntimeError):
    def __init__(self, status: int):
        super().__init__(TEXTS[status])
        self.status = status


class CUDADriverError(RuntimeError):
    def __init__(self, status: int):
        super().__init__(DRIVER_TEXTS[status])
        self.status = status


class OutOfMemoryError(MemoryError):
    pass


class Launch(NamedTuple):
    """One launch: the program that it is of, and what the kernel was called with."""

    cubin: bytes
    kernel: str
    grid: tuple
    block: tuple
    arguments: tuple
    shared_mem: int
    stream: Any
    most_shared: int


class Array:
    """An array of the device; what is done with it is done in the order of the current stream."""

    __module__ = "cupy"
    device = SimpleNamespace(id=0)

    def __init__(self, host: np.ndarray, cupy: "FakeCupy", block: Block | None = None):
        self.host, self.dtype, self.shape, self.flags, self.cupy = host, host.dtype, host.shape, host.flags, cupy
        self.size, self.nbytes, self.block = host.size, host.nbytes, block or cupy.streams.block(host)

    @property
    def data(self) -> Memory:
        assert self.flags.c_contiguous
        return Memory(self.cupy.streams, self.block, self.host.reshape(-1).view(np.uint8))

    def __len__(self) -> int:
        return len(self.host)

    def __add__(self, other: float) -> "Array":
        self.cupy.fail("arithmetic")
        return Array(self.host + other, self.cupy)

    def __getitem__(self, key: Any) -> "Array":
        return Array(self.host[key], self.cupy, self.block)

    def reshape(self, *shape: int) -> "Array":
        return Array(self.host.reshape(*shape), self.cupy, self.block)

    def __setitem__(self, key: Any, value: Any) -> None:
        assert isinstance(value, Array), "CuPy takes no array of the host"
        self.cupy.streams.current.do(partial(self.host.__setitem__, key, value.host))

    def set(self, array: np.ndarray) -> None:
        assert type(array) is np.ndarray
        assert (array.dtype, array.shape) == (self.dtype, self.shape)
        self.cupy.fail("set")
        self.cupy.streams.current.do(partial(np.copyto, self.host, array.copy()))

    def get(self) -> np.ndarray:
        self.cupy.fail("get")
        self.cupy.streams.synchronize()
        return self.host.copy()


class Function:
    def __init__(self, cupy: "FakeCupy", cubin: bytes, name: str):
        self.cupy, self.cubin, self.name, self.ptr, self.most_shared = cupy, cubin, name, id(self), 48 << 10
        cupy.functions[self.ptr] = self

    def __call__(self, grid: tuple, block: tuple, arguments: tuple, shared_mem: int = 0, stream: Any = None) -> None:
        assert isinstance(grid, tuple)
        assert isinstance(block, tuple)
        self.cupy.fail("launch")
        self.cupy.launches.append(
            Launch(self.cubin, self.name, grid, block, arguments, shared_mem, stream, self.most_shared)
        )


class Module:
    def __init__(self, cupy: "FakeCupy"):
        self.cupy = cupy

    def load(self, cubin: bytes) -> None:
        assert isinstance(cubin, bytes)
        self.cupy.fail("load")
        self.cubin = cubin
        self.cupy.loaded.append(cubin)

    def get_function(self, name: str) -> Function:
        if name.encode() not in self.cubin:
            raise CUDADriverError(500)
        return Function(self.cupy, self.cubin, name)


class CapturingStream(Stream):
    """A stream; while it captures, launches are noted for its graph."""

    def __init__(self, cupy: "FakeCupy"):
        super().__init__(cupy.streams)
        self.cupy, self.before = cupy, None

    def begin_capture(self) -> None:
        self.before = len(self.cupy.launches)

    def end_capture(self) -> Any:
        assert self.before is not None, "the stream does not capture"
        noted, self.before = self.cupy.launches[self.before :], None
        del self.cupy.launches[len(self.cupy.launches) - len(noted) :]
        self.cupy.fail("end_capture")

        def launch() -> None:
            self.cupy.fail("graph")
            self.cupy.launches.extend(noted)

        return SimpleNamespace(launch=launch)


class UnownedMemory(NamedTuple):
    """Memory that belongs to an object."""

    ptr: int
    size: int
    owner: Any
    device_id: int


class MemoryPointer:
    """What an allocator gives."""

    def __init__(self, mem: Any, offset: int):
        self.mem, self.ptr, self.device_id = mem, mem.ptr + offset, 0


class FakeCupy(ModuleType):
    """The module: versions as CUDA gives them, 13020 for 13.2, and what fails: {"launch": error}."""

    def __init__(
        self,
        driver: int = 13000,
        runtime: int = 13020,
        count: int = 1,
        name: str = "NVIDIA H200",
        capability: tuple[int, int] = (9, 0),
        fails: dict[str, Exception] | None = None,
        seed: int | None = None,
    ):
        super().__init__("cupy")
        self.streams = Streams(seed)
        self.launches: list[Launch] = []
        self.loaded: list[bytes] = []
        self.functions: dict[int, Function] = {}
        self.allocated: list[Any] = []
        self.fails, self.allocator = fails or {}, self._allocate
        self.pool = SimpleNamespace(get_limit=lambda: 0, free_bytes=lambda: 300, used_bytes=lambda: 700)
        self.ndarray = Array

        self.driver, self.runtime, self.count = driver, runtime, count
        self.cuda = SimpleNamespace(
            runtime=self._runtime_functions(name, capability),
            driver=SimpleNamespace(
                CUDADriverError=CUDADriverError,
                CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES=8,
                funcSetAttribute=self._set_attribute,
            ),
            memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
            UnownedMemory=UnownedMemory,
            MemoryPointer=MemoryPointer,
            Module=lambda: Module(self),
            Device=lambda: SimpleNamespace(mem_info=(1000, 5000), synchronize=lambda: self.fail("synchronize")),
            get_allocator=lambda: self.allocator,
            using_allocator=self._using,
            **self.streams.namespace(OutOfMemoryError, self.fail),
        )
        self.cuda.Stream = self._stream

    def _runtime_functions(self, name: str, capability: tuple[int, int]) -> SimpleNamespace:
        major, minor = capability
        return SimpleNamespace(
            CUDARuntimeError=CUDARuntimeError,
            getDeviceCount=self._count_devices,
            getDevice=lambda: 0,
            getDeviceProperties=lambda number: {"name": name.encode(), "major": major, "minor": minor},
            driverGetVersion=lambda: self.driver,
            runtimeGetVersion=lambda: self.runtime,
        )

    def _count_devices(self) -> int:
        if self.driver < self.runtime // 1000 * 1000:
            raise CUDARuntimeError(35)
        self.fail("count")
        return self.count

    def fail(self, what: str) -> None:
        """Raise what this is to fail with."""
        if what in self.fails:
            raise self.fails[what]

    def _stream(self, non_blocking: bool) -> CapturingStream:
        assert non_blocking, "the stream waits for the default one"
        self.streams.all.append(CapturingStream(self))
        return self.streams.all[-1]

    def _set_attribute(self, pointer: int, attribute: int, value: int) -> None:
        assert attribute == 8
        self.functions[pointer].most_shared = value

    def _allocate(self, size: int) -> Any:
        self.fail("allocate")
        assert getattr(self.streams.current, "before", None) is None, (
            "it would be the store of a stream that is gone soon"
        )
        made = MemoryPointer(SimpleNamespace(ptr=4096 * (1 + len(self.allocated)), size=-(-size // 512) * 512), 0)
        self.allocated.append(made)
        return made

    @contextmanager
    def _using(self, allocator: Callable[[int], Any]):
        before, self.allocator = self.allocator, allocator
        try:
            yield
        finally:
            self.allocator = before

    def get_default_memory_pool(self) -> Any:
        return self.pool

    def empty(self, shape: Any, dtype: Any) -> Array:
        made = Array(np.empty(shape, dtype), self)
        made.memory = self.allocator(made.host.nbytes)
        return made

    def zeros(self, shape: Any, dtype: Any) -> Array:
        self.fail("zeros")
        return Array(np.zeros(shape, dtype), self)

    def ascontiguousarray(self, array: Array) -> Array:
        return array if array.flags.c_contiguous else Array(np.ascontiguousarray(array.host), self)
