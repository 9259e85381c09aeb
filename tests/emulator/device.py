"""The device "cuda-emulated": arrays in the memory of this machine, kernels run by the emulator."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, DeviceError
from minicnn.kernels._device import Device, Launch, register_device

from .arrays import NAME, ArrayModule, EmulatedArray, launches_alone, refuse_in_capture, unwrapped
from .build import MODES, BuildError, without_sanitizer
from .memory import pool
from .module import EmulatorError, Module

SHARED_BYTES = {(7, 5): 65536, (8, 0): 166912, (8, 6): 101376, (8, 9): 101376, (9, 0): 232448}  # of a block


class EmulatedDevice(Device):
    """A device that runs kernels on the CPU.

    Parameters
    ----------
    mode : "fast", "checked" or "asan"
    order : int
        In which threads and blocks run: 0 as numbered, 1 reversed, more a seed.
    capability : (int, int)
        What host code chooses rungs by; it also limits the shared memory of a block.

    Raises
    ------
    ArgumentError
        There is no such mode.
    DeviceError
        The mode is "asan", in a process without AddressSanitizer.
    """

    name = NAME

    def __init__(self, mode: str = "fast", order: int = 0, capability: tuple[int, int] = (8, 0)):
        if mode not in MODES:
            raise ArgumentError(f"the emulator has no mode {mode!r}; it has {', '.join(MODES)}")
        if mode == "asan" and (remedy := without_sanitizer()):
            raise DeviceError(remedy)
        self.mode, self.order, self.capability = mode, order, capability
        self.xp = ArrayModule()
        self.launched: list[tuple[str, str]] = []  # (file, kernel)
        self._thread = threading.local()  # whose `noted` is what it launches while it captures a graph
        self._modules: dict[tuple[Path, tuple[str, ...]], Module] = {}

    def _launch(self, launch: Launch) -> None:
        if (noted := getattr(self._thread, "noted", None)) is not None:
            noted.append(launch)
            return
        key = launch.source, launch.defines
        try:
            if key not in self._modules:
                self._modules[key] = Module(launch.source, self.mode, launch.defines)
            host = [unwrapped(argument, launch.kernel) for argument in launch.arguments]
            sizes, most_shared = (launch.grid, launch.block), SHARED_BYTES[self.capability]
            self._modules[key].launch(launch.kernel, *sizes, host, launch.shared_bytes, self.order, most_shared)
        except (BuildError, EmulatorError) as error:
            raise DeviceError(str(error)) from None
        self.launched.append((launch.source.name, launch.kernel))

    def from_host(self, array: np.ndarray) -> EmulatedArray:
        refuse_in_capture("copy from the host")
        return EmulatedArray(np.array(array, order="C"))  # a copy, as on a GPU: what shares memory must not hide

    def to_host(self, array: Any) -> np.ndarray:
        return array.get()

    def write(self, place: Any, array: Any) -> None:
        refuse_in_capture("copy from the host")
        place.host[...] = unwrapped(array, "write", takes_host=True)

    def capture(self, work: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        self._thread.noted = noted = []
        try:
            with launches_alone():
                result = work()
        finally:
            self._thread.noted = None

        def replay() -> None:
            for launch in noted:
                self._launch(launch)

        return result, replay

    def address(self, array: Any) -> int:
        return array.host.ctypes.data

    def free_memory(self) -> int:
        return pool.limit - pool.used

    def memory_of(self, work: Callable[[], Any]) -> int:
        pool.most = before = pool.used
        work()
        return pool.most - before

    def synchronize(self) -> None:
        pass  # a launch ends before it returns


def install(mode: str = "fast", order: int = 0) -> EmulatedDevice:
    """Make the device known to the kernels, and give it."""
    made = EmulatedDevice(mode, order)
    register_device(NAME, lambda: made)
    return made
