"""The registry: which rungs an operation has, and which one runs.

An operation has directions ("forward", "backward_input", ...).  Each direction has a ladder of rungs: the
`reference`, which defines the result, and faster versions of it.  A rung is a plain function named
`<op>_<direction>_<rung>` in one of the modules of the operation's folder:

    reference.py    plain loops or the most obvious NumPy, any float dtype
    blas.py         NumPy and its BLAS, any float dtype
    cpu*.py         Numba, float32 only
    cuda.py         CUDA C++, launched on device arrays

Modules are imported when one of their rungs is first called, so listing the ladder needs NumPy alone.
"""

import importlib
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, DTypeError, MissingExtraError, UnsupportedError

from ._autotune import tuned
from ._precision import rounds, rung_of_precision
from ._threads import capturing
from ._where import ladder_of

REFERENCE = "reference"
Call = tuple[str, str, str]

_operations: dict[str, "Operation"] = {}
_forced: ContextVar[dict[str, str]] = ContextVar("minicnn_forced_rungs", default={})
_records: ContextVar[tuple[list[Call], ...]] = ContextVar("minicnn_records", default=())


@dataclass(frozen=True)
class KernelSpec:
    """One rung of one direction of an operation on one device.

    `replays` says that all it does to the numbers of its arrays, it does by `parallel_for`: then what was captured of
    one call can be run again when the arrays hold other numbers.
    """

    op: str
    direction: str
    device: str
    rung: str
    module: str
    note: str
    replays: bool = False

    @property
    def needs_numba(self) -> bool:
        return self.module.rpartition(".")[2].startswith("cpu")

    @cached_property
    def fn(self) -> Callable[..., Any]:
        """The function itself; imports its module."""
        if self.needs_numba and not numba_installed():
            raise MissingExtraError("numba", "fast", f"rung {self.rung} of {self.op}")
        return getattr(importlib.import_module(self.module), f"{self.op}_{self.direction}_{self.rung}")


class Operation:
    """The ladders of one operation; made once, in the `__init__.py` of its folder.

    `default(direction, *arguments)` names the rung for float32 arrays when Numba is there; without Numba, and
    for other float types, the highest rung that is written in NumPy runs.  With `images`, forward runs on one rung for
    every number of images, also where rungs are measured: they are measured on so many.  `on_cuda` is `default` for
    arrays of a GPU; without it, the highest rung runs there.
    """

    def __init__(
        self,
        name: str,
        package: str,
        default: Callable[..., str],
        images: int | None = None,
        on_cuda: Callable[..., str] | None = None,
    ):
        self.name, self.package, self.default, self.images, self.on_cuda = name, package, default, images, on_cuda
        self.ladder: dict[tuple[str, str], dict[str, KernelSpec]] = {}
        _operations[name] = self

    def rung(
        self,
        rung: str,
        module: str,
        directions: tuple[str, ...],
        note: str,
        device: str = "cpu",
        replays: bool = False,
    ) -> None:
        """Register a rung above those registered before it."""
        for direction in directions:
            spec = KernelSpec(self.name, direction, device, rung, f"{self.package}.{module}", note, replays)
            self.ladder.setdefault((direction, device), {})[rung] = spec

    def run(self, direction: str, array: Any, *arguments: Any, rung: str | None = None) -> Any:
        """Call the chosen rung with `arguments`; `array` decides device and dtype."""
        spec = self.select(direction, array, arguments, rung)
        if capturing() and not spec.replays:
            raise UnsupportedError(f"{self.name} {direction} on rung {spec.rung} cannot be captured")
        note_calls([(self.name, direction, spec.rung)])
        return spec.fn(*arguments)

    def select(self, direction: str, array: Any, arguments: tuple[Any, ...], rung: str | None) -> KernelSpec:
        """The rung that is asked for by name, else by `use`, else the default."""
        device = ladder_of(array)
        rungs = self.ladder.get((direction, device))
        if rungs is None:
            raise UnsupportedError(f"{self.name} has no {direction} on device {device}")
        if device == "cuda" and array.dtype != np.float32:
            raise DTypeError(f"{self.name}: kernels for a GPU are compiled for float32, the array is {array.dtype}")
        if rung is None:
            rung = _forced.get().get(self.name)
            if rung is None or rung not in rungs:
                return rungs[self._default_rung(direction, device, array, arguments, rungs)]
        elif rung not in rungs:
            raise ArgumentError(f"{self.name} {direction} has no rung {rung!r} on {device}; it has {', '.join(rungs)}")
        spec = rungs[rung]
        if spec.needs_numba and array.dtype != np.float32:
            raise DTypeError(f"rung {rung} of {self.name} is compiled for float32, the array is {array.dtype}")
        return spec

    def _default_on_cuda(self, direction: str, arguments: tuple[Any, ...], rungs: Iterable[str]) -> str:
        if self.on_cuda is not None:
            return self.on_cuda(direction, *arguments)
        return [rung for rung in rungs if not rounds(rung)][-1]

    def _default_rung(self, direction: str, device: str, array: Any, arguments: tuple[Any, ...], rungs: dict) -> str:
        if device == "cuda":
            return rung_of_precision(rungs) or self._default_on_cuda(direction, arguments, rungs)
        if array.dtype != np.float32 or not numba_wanted():
            return [name for name, spec in rungs.items() if not spec.needs_numba][-1]
        images = self.images if direction == "forward" else None
        return tuned(self.name, direction, self.default(direction, *arguments), rungs.values(), arguments, images)


@cache
def numba_installed() -> bool:
    """Whether Numba can be imported."""
    return find_spec("numba") is not None


@cache
def numba_wanted() -> bool:
    """Whether the defaults use Numba: it is installed and MINICNN_KERNELS does not say "numpy"."""
    choice = os.environ.get("MINICNN_KERNELS", "")
    if choice not in ("", "numpy", "numba"):
        raise ArgumentError(f"MINICNN_KERNELS is {choice!r}; it may be 'numpy', 'numba' or unset")
    if choice == "numpy":
        return False
    if not numba_installed():
        missing = "numba is not installed, so NumPy kernels run: pip install numba (extra 'fast')"
        warnings.warn(missing, stacklevel=_calls_inside() + 1)
        return False
    return True


def _calls_inside() -> int:
    """How many of the calls that led here are this package's own: a warning points at the line that made the first."""
    frame, depth = sys._getframe(1), 0
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "minicnn":
        frame, depth = frame.f_back, depth + 1
    return depth


def operations() -> list[str]:
    """Names of all registered operations."""
    return sorted(_operations)


def specs(device: str = "cpu") -> list[KernelSpec]:
    """Every registered rung of every direction on a device that can run here."""
    ladders = [ladder for op in operations() for key, ladder in _operations[op].ladder.items() if key[1] == device]
    return [s for ladder in ladders for s in ladder.values() if numba_installed() or not s.needs_numba]


def rungs(op: str, device: str = "cpu") -> list[str]:
    """Names of the rungs of an operation on a device, lowest first, those of all directions together.

    >>> from minicnn import kernels
    >>> kernels.rungs("conv2d")[:2]
    ['reference', 'v1_direct']
    """
    _known(op)
    return list(dict.fromkeys(spec.rung for spec in specs(device) if spec.op == op))


def use(op: str, rung: str) -> AbstractContextManager[None]:
    """For a `with` block, within which `op` runs on `rung` in every direction that the rung has.

    Other directions keep their default.  A case that the rung cannot do raises; nothing else runs in its place.

    Raises
    ------
    ArgumentError
        There is no such operation, or it has no such rung.

    >>> from minicnn import kernels
    >>> with kernels.use("conv2d", rung="v1_direct"):
    ...     pass
    """
    known = {spec.rung for ladder in _known(op).ladder.values() for spec in ladder.values()}
    if rung not in known:
        raise ArgumentError(f"{op} has no rung {rung!r}; it has {', '.join(sorted(known))}")
    return _forced_to(op, rung)


@contextmanager
def _forced_to(op: str, rung: str) -> Iterator[None]:
    token = _forced.set({**_forced.get(), op: rung})
    try:
        yield
    finally:
        _forced.reset(token)


def forced_rung(op: str) -> str | None:
    """The rung that `use` asks for, or None."""
    return _forced.get().get(op)


def forced_rungs() -> dict[str, str]:
    """The rungs that `use` asks for, by operation."""
    return _forced.get()


def note_calls(calls: list[Call]) -> None:
    """Tell `record` of calls that have been made."""
    for record_of in _records.get():
        record_of.extend(calls)


@contextmanager
def record() -> Iterator[list[Call]]:
    """Within the block, every kernel call of this thread is noted as (op, direction, rung)."""
    calls: list[Call] = []
    token = _records.set((*_records.get(), calls))
    try:
        yield calls
    finally:
        _records.reset(token)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Within the block, no `record` that was begun before hears of kernel calls: they only prepare others."""
    token = _records.set(())
    try:
        yield
    finally:
        _records.reset(token)


def _known(op: str) -> Operation:
    if op not in _operations:
        raise ArgumentError(f"there is no operation {op!r}; there are {', '.join(operations())}")
    return _operations[op]
