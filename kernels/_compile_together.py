"""Compile several kernels on several cores: other processes fill the cache while this one compiles too.

Numba compiles in one thread at a time, and a first prediction with a network needs a dozen kernels.  Every process
takes the next one that nobody has claimed, until all are; then each is on disk, and is loaded where it is called.
Where no other process can be started, or one fails, kernels are compiled when they are called, as ever.
"""

import importlib
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numba
from numba import types
from numba.core.serialize import dumps, loads

from . import _jit
from ._bound import MEMORY, binder
from ._compile_cache import compile_cache_folder
from ._pool import COMPILED

LEAST = 3  # kernels for each process: starting Numba takes as long as compiling one
PATIENCE = 120  # seconds that another process may take for its last kernel
PROGRAM = f"from {__name__} import help_compiling; help_compiling()"

_one_caller = threading.Lock()


class Wanted(NamedTuple):
    """A kernel for arguments of these types; `bound`: with the function that binds it to them."""

    kernel: Any
    types: tuple[Any, ...]  # start and stop first
    bound: bool

    def is_kept(self) -> bool:
        """Whether it is compiled already, in this process or on disk."""
        if self.types in self.kernel.overloads:
            return True
        path = self.kernel._cache._path(self.types, self.kernel.targetctx.codegen())
        return path is not None and path.exists()

    def compile(self) -> None:
        """Compile it, or load it where another process has."""
        if self.bound:
            bind: Any = binder(self.kernel)
            bind.compile((MEMORY, types.Tuple(self.types[2:])))
        else:
            self.kernel.compile(self.types)


def compile_together(calls: Sequence[tuple[Any, tuple[Any, ...]]], processes: int) -> None:
    """Compile what calls (kernel, arguments) need, and no cache has, on so many processes at the most.

    Few kernels are not worth it: they are left to be compiled when they are called.  Of callers in several threads one
    starts processes, and the others find what these have compiled.
    """
    if processes < 2:
        return
    with _one_caller:
        missing = [one for one in _needed(calls) if not one.is_kept()]
        processes = min(processes, len(missing) // LEAST)
        if processes > 1 and compile_cache_folder() is not None and _is_python(sys.executable):
            _share_out(missing, processes)


def _share_out(missing: list[Wanted], processes: int) -> None:
    try:
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    except OSError:  # there is nowhere to write down who compiles what
        return
    with folder as claims, ExitStack() as started:
        listed = [(one.kernel.py_func.__module__, one.kernel.py_func.__qualname__, *one[1:]) for one in missing]
        helpers = [_start(dumps((claims, listed)), started) for _ in range(processes - 1)]
        _compile_claimed(Path(claims), missing)
        for helper in filter(None, helpers):
            with suppress(subprocess.TimeoutExpired):
                helper.wait(PATIENCE)


def _needed(calls: Sequence[tuple[Any, tuple[Any, ...]]]) -> list[Wanted]:
    """The kernels of calls, each once, and the pool that runs them."""
    typed = [(kernel, tuple(map(numba.typeof, arguments))) for kernel, arguments in calls]
    bound = [Wanted(kernel, (types.intp, types.intp, *of_arguments), True) for kernel, of_arguments in typed]
    return list(dict.fromkeys(bound)) + [Wanted(kernel, of_arguments, False) for kernel, of_arguments in COMPILED]


def _is_python(executable: str | None) -> bool:
    """Whether a program is Python itself: one that embeds Python would begin its own work anew."""
    name = Path(executable or "").stem.lower()
    return not getattr(sys, "frozen", False) and re.fullmatch(r"python[\d.]*(w|_d)?", name) is not None


def _start(message: bytes, started: ExitStack) -> subprocess.Popen | None:
    """Another process, which is ended at the latest when `started` is; None where none can be had."""
    paths = os.pathsep.join(path for path in sys.path if path and isinstance(path, str))
    try:  # -P: a file of the current folder is not taken for a module
        helper = subprocess.Popen(
            [sys.executable, "-P", "-c", PROGRAM],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    started.callback(helper.wait)
    started.callback(helper.kill)
    with suppress(OSError):  # it has ended
        stdin: Any = helper.stdin
        stdin.write(message)
        stdin.close()
    return helper


def help_compiling() -> None:
    """What another process does: compile what is listed on its standard input, and exists here too."""
    claims, listed = loads(sys.stdin.buffer.read())
    for module in {module for module, *_ in listed}:
        importlib.import_module(module)
    known = {(kernel.py_func.__module__, kernel.py_func.__qualname__): kernel for kernel in _jit.kernels}
    wanted = [Wanted(known.get((module, name)), *rest) for module, name, *rest in listed]
    _compile_claimed(Path(claims), wanted)


def _compile_claimed(claims: Path, wanted: list[Wanted]) -> None:
    """Compile those that no other process has claimed."""
    for number, one in enumerate(wanted):
        if one.kernel is None:  # the other process made it when it was first asked for
            continue
        try:
            (claims / str(number)).touch(exist_ok=False)
        except OSError:  # claimed; or the process that wanted it has ended
            continue
        one.compile()


def _forget_caller() -> None:
    """A forked child has none of its parent's threads."""
    global _one_caller
    _one_caller = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_caller)
