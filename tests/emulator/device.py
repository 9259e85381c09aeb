"""The device "cuda-emulated": arrays in the memory of this machine, kernels run by the emulator."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.errors import DeviceError
from minicnn.kernels._device import Device, register_device

from .build import BuildError
from .module import EmulatorError, Module

NAME = "cuda-emulated"


class EmulatedArray(np.ndarray):
    """An array of the device: NumPy's, but as particular about company as CuPy's.

    Arithmetic with an array of the host is an error, as it is between CuPy and NumPy; only single numbers mix.
    """

    minicnn_device = NAME

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        inputs = [_own(value, ufunc.__name__) for value in inputs]
        if out is not None:
            options["out"] = tuple(_own(value, ufunc.__name__) for value in out)
        result = getattr(ufunc, method)(*inputs, **options)
        if out is not None:
            return out[0] if len(out) == 1 else out
        return tuple(map(_ours, result)) if isinstance(result, tuple) else _ours(result)

    def get(self) -> np.ndarray:
        """A copy for the host."""
        return np.array(self, subok=False)


def _own(value: Any, what: str) -> Any:
    """An operand as NumPy sees it, when it may take part."""
    if isinstance(value, EmulatedArray):
        return value.view(np.ndarray)
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError(f"{what}: an array of the host among arrays of {NAME}")
    return value


def _ours(value: Any) -> Any:
    return np.asarray(value).view(EmulatedArray)


class EmulatedDevice(Device):
    """A device that runs kernels on the CPU.

    Parameters
    ----------
    mode : "fast", "checked" or "asan"
    order : int
        In which threads and blocks run: 0 as numbered, 1 reversed, more a seed.
    """

    name = NAME

    def __init__(self, mode: str = "fast", order: int = 0, capability: tuple[int, int] = (8, 0)):
        self.mode, self.order, self.capability = mode, order, capability
        self.xp = _ArrayModule()
        self.launched: list[tuple[str, str]] = []  # (file, kernel)
        self._noted: list[tuple] | None = None  # what is launched while a graph is captured
        self._modules: dict[tuple[Path, tuple[str, ...]], Module] = {}

    def _launch(
        self,
        source: Path,
        kernel: str,
        grid: Sequence[int],
        block: Sequence[int],
        arguments: Sequence[Any],
        shared_bytes: int,
        defines: tuple[str, ...],
        stream: Any,
    ) -> None:
        if self._noted is not None:
            self._noted.append((source, kernel, grid, block, arguments, shared_bytes, defines, stream))
            return
        key = (source, defines)
        try:
            if key not in self._modules:
                self._modules[key] = Module(source, self.mode, defines)
            self._modules[key].launch(kernel, grid, block, arguments, shared_bytes, self.order)
        except (BuildError, EmulatorError) as error:
            raise DeviceError(str(error)) from None
        self.launched.append((source.name, kernel))

    def from_host(self, array: np.ndarray) -> EmulatedArray:
        return np.array(array, order="C").view(EmulatedArray)  # a copy, as on a GPU: what shares memory must not hide

    def to_host(self, array: Any) -> np.ndarray:
        return array.get()

    def write(self, place: Any, array: Any) -> None:
        place.view(np.ndarray)[...] = np.asarray(array)

    def capture(self, work: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        self._noted, noted = [], []
        try:
            result, noted = work(), self._noted
        finally:
            self._noted = None

        def replay() -> None:
            for launch in noted:
                self._launch(*launch)

        return result, replay

    def free_memory(self) -> int:
        return 1 << 30


class _ArrayModule:
    """NumPy, whose new arrays are of the device."""

    ndarray = EmulatedArray

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        if not callable(found) or isinstance(found, type):
            return found

        def wrapped(*arguments: Any, **options: Any) -> Any:
            result = found(*arguments, **options)
            return result.view(EmulatedArray) if type(result) is np.ndarray else result

        return wrapped


def install(mode: str = "fast", order: int = 0) -> EmulatedDevice:
    """Make the device known to the kernels, and give it."""
    made = EmulatedDevice(mode, order)
    register_device(NAME, lambda: made)
    return made
