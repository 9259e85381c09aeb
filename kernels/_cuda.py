"""The GPU, by CuPy: its arrays and its launches; the only file that imports cupy.

CuPy loads and launches what `cubin_cache` compiled.  Its own compilers are not asked: they want a device to compile
for, and CI, which has none, could not run the same path.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.errors import DeviceError, DeviceMemoryError, MinicnnError, UnsupportedError

from ._device import Device, Launch
from ._gpu.check import NEEDED, OUT_OF_MEMORY, capability, examine, in_short, properties
from ._gpu.cubin_cache import cached_cubin
from ._gpu.driver import driver_version
from ._gpu.graph_memory import GraphMemory
from ._gpu.nvrtc import target_for
from ._gpu.packages import install_cupy, replace_cupy
from ._gpu.source import Parameter
from ._gpu.transfers import Downloads, PinnedMemoryError, Uploads

SHARED_WITHOUT_ASKING = 48 << 10  # bytes of dynamic shared memory that any kernel may have
NULL = np.uintp(0)  # None is not one: CuPy 13 passes it as 0xffffffff


class CupyDevice(Device):
    """The GPU that is CuPy's current one when it is first asked for; CUDA_VISIBLE_DEVICES hides others.

    Raises
    ------
    DeviceError
        There is none that can be used: the sentence of `cuda_usable`.
    """

    name = "cuda"

    def __init__(self) -> None:
        usable, reason = cuda_usable()
        if not usable:
            raise DeviceError(reason)
        self.xp = _cupy()
        self.capability = capability(properties(self.xp))
        self._thread = threading.local()
        self._number = self.xp.cuda.runtime.getDevice()
        self._uploads, self._downloads = Uploads(self.xp.cuda), Downloads(self.xp.cuda)
        self._modules: dict[tuple[Path, tuple[str, ...]], Any] = {}
        self._functions: dict[tuple[Path, str, tuple[str, ...]], Any] = {}

    def _check(self, kernel: str, parameter: Parameter, argument: Any) -> None:
        super()._check(kernel, parameter, argument)
        if parameter.is_pointer and argument is not None:
            self._check_here(f"{kernel}: argument {parameter.name}", argument)

    def _check_here(self, what: str, array: Any) -> None:
        """Refuse an array of another GPU, whose addresses are none here."""
        if array.device.id != self._number:
            raise DeviceError(
                f"{what} is on GPU {array.device.id}, and kernels run on GPU {self._number}: make it there, or start "
                "with CUDA_VISIBLE_DEVICES naming the one GPU to use"
            )

    def _launch(self, launch: Launch) -> None:
        wanted = launch.source, launch.kernel, launch.defines
        with self.guard(launch.kernel):
            function = self._functions.get(wanted) or self._load(*wanted)
            if launch.shared_bytes > SHARED_WITHOUT_ASKING:
                driver = self.xp.cuda.driver
                most = driver.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
                driver.funcSetAttribute(function.ptr, most, launch.shared_bytes)
            taken = tuple(NULL if argument is None else argument for argument in launch.arguments)
            function(launch.grid, launch.block, taken, shared_mem=launch.shared_bytes, stream=launch.stream)

    def _load(self, source: Path, kernel: str, defines: tuple[str, ...]) -> Any:
        if (source, defines) not in self._modules:
            module = self.xp.cuda.Module()
            module.load(cached_cubin(source, target_for(self.capability), defines).cubin)
            self._modules[source, defines] = module
        function = self._modules[source, defines].get_function(kernel)
        self._functions[source, kernel, defines] = function
        return function

    @contextmanager
    def guard(self, what: str) -> Iterator[None]:
        cuda = self.xp.cuda
        try:
            yield
        except (cuda.memory.OutOfMemoryError, cuda.runtime.CUDARuntimeError, cuda.driver.CUDADriverError) as error:
            if getattr(error, "status", OUT_OF_MEMORY) != OUT_OF_MEMORY:  # CuPy's own, of its pool, has no status
                raise DeviceError(f"{what}: {error}") from error
            raise DeviceMemoryError(f"{what}: the GPU has too little memory: take smaller batches ({error})") from error

    def from_host(self, array: np.ndarray) -> Any:
        self._refuse_in_capture()
        with self.guard("copy to the GPU"):
            made = self.xp.empty(array.shape, array.dtype)
            self.write(made, array)
            return made

    def to_host(self, array: Any) -> np.ndarray:
        self._refuse_in_capture()
        with self.guard("copy from the GPU"):
            return array.get()

    def fetch(self, array: Any) -> Callable[[], np.ndarray]:
        self._refuse_in_capture()
        with self.guard("copy from the GPU"):
            array = self.xp.ascontiguousarray(array)
            try:
                finish = self._downloads.begin(array)
            except PinnedMemoryError:
                return super().fetch(array)

        def finished() -> np.ndarray:
            with self.guard("copy from the GPU"):
                return finish()

        return finished

    def write(self, place: Any, array: Any) -> None:
        if not isinstance(array, np.ndarray):
            self._check_here("the array to copy", array)
            with self.guard("copy on the GPU"):
                place[...] = array
            return
        self._refuse_in_capture()
        with self.guard("copy to the GPU"):
            try:
                self._uploads.write(place, array)
            except (self.xp.cuda.memory.OutOfMemoryError, PinnedMemoryError):
                place.set(array.astype(place.dtype, order="C", copy=False))  # through no memory beside its own

    def capture(self, work: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        """As `Device.capture`, by a CUDA graph; the modules of all kernels must have been loaded by an earlier run."""
        cuda = self.xp.cuda
        memory, stream = GraphMemory(cuda), cuda.Stream(non_blocking=True)
        with stream, cuda.using_allocator(memory.allocate):
            stream.begin_capture()
            self._thread.captures = True
            try:
                result = work()
                graph = stream.end_capture()
            except BaseException as error:
                with suppress(Exception):
                    stream.end_capture()  # ends it also where the error has broken it
                if isinstance(error, RuntimeError) and not isinstance(error, MemoryError):
                    raise UnsupportedError(f"it cannot be captured in a CUDA graph: {error}") from error
                raise
            finally:
                self._thread.captures = False
        return result, partial(self._replay, graph, memory)

    def _refuse_in_capture(self) -> None:
        """Raise where this thread captures: CuPy would keep the memory of a copy for ever that was begun and failed."""
        if getattr(self._thread, "captures", False):
            raise UnsupportedError("it copies between the host and the GPU")

    def _replay(self, graph: Any, memory: GraphMemory) -> None:
        """Launch a graph on the current stream; what it writes to lives as long as this may be called."""
        with self.guard("launch of a CUDA graph"):
            graph.launch()

    def mark(self) -> Any:
        event = self.xp.cuda.Event(disable_timing=True)
        event.record(self.xp.cuda.get_current_stream())
        return event

    def after(self, mark: Any) -> None:
        self.xp.cuda.get_current_stream().wait_event(mark)

    def address(self, array: Any) -> int:
        return array.data.ptr

    def free_memory(self) -> int:
        pool = self.xp.get_default_memory_pool()
        free = self.xp.cuda.Device().mem_info[0] + pool.free_bytes()
        return max(0, min(free, pool.get_limit() - pool.used_bytes()) if pool.get_limit() else free)

    def memory_of(self, work: Callable[[], Any]) -> int:
        pool = self.xp.get_default_memory_pool()
        pool.free_all_blocks()  # so that the pool grows by what is taken
        before = pool.total_bytes()
        work()
        return pool.total_bytes() - before

    def synchronize(self) -> None:
        with self.guard("work on the GPU"):
            self.xp.cuda.Device().synchronize()

    def wait(self) -> None:
        with self.guard("work on the GPU"):
            self.xp.cuda.get_current_stream().synchronize()


def cuda_usable() -> tuple[bool, str]:
    """Whether kernels can run on a GPU here: (True, its name), or (False, what is missing and what to do).

    Never raises.  Arithmetic on the GPU is tried, since devices are also listed where they cannot be used.

    >>> from minicnn import kernels
    >>> usable, said = kernels.cuda_usable()
    """
    try:
        return True, examine(_cupy())
    except Exception as error:  # also what CuPy, its libraries and damaged installations come up with
        said = str(error) if isinstance(error, MinicnnError) else f"the GPU cannot be used ({in_short(error)})"
        return False, said


def _cupy() -> Any:
    try:
        import cupy  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError as error:
        if error.name == "cupy":
            raise DeviceError(_without_cupy()) from None
        raise _broken(error) from error
    except Exception as error:
        raise _broken(error) from error
    return cupy


def _without_cupy() -> str:
    driver = driver_version()
    if driver is None:
        return f"there is neither an NVIDIA driver nor CuPy: {NEEDED}; then {install_cupy()}"
    if driver < (12, 0):
        old = f"the NVIDIA driver is one of CUDA {driver[0]}.{driver[1]}, and CuPy needs CUDA 12"
        return f"{old}: update the driver; then {install_cupy()}"
    return f"CuPy is not installed: {install_cupy()}"


def _broken(error: Exception) -> DeviceError:
    return DeviceError(f"CuPy is installed but cannot be imported ({in_short(error)}): {replace_cupy()}")
