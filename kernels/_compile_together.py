"""Compile several kernels on several cores: other processes fill the cache while this one compiles too.

Numba compiles in one thread at a time, and a first prediction with a network needs a dozen kernels.  Every process
takes the next one that nobody has claimed, until all are; then each is on disk, and is loaded where it is called.
Where no other process can be started, or one fails, kernels are compiled when they are called, as ever.
"""

import importlib
import os
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numba
from numba import types
from numba.core.registry import cpu_target
from numba.core.serialize import dumps, loads

from . import _jit
from ._bound import MEMORY, binder
from ._compile_cache import compile_cache_folder
from ._other_processes import Others, started_ahead
from ._pool import COMPILED

LEAST = 3  # kernels for each process: starting Numba takes as long as compiling one
AHEAD = 3  # processes that start before it is known what is missing: most networks need a dozen kernels

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
    folder = compile_cache_folder()
    if processes < 2 or folder is None:
        return
    with _one_caller, ExitStack() as block:
        missing = [one for one in _needed(calls) if not one.is_kept()]
        others = started_ahead()
        if missing and others is not None:
            others.start(min(processes - 1, AHEAD), folder)
        processes = min(processes, len(missing) // LEAST)
        if processes > 1:
            others = others or block.enter_context(Others())
            others.start(processes - 1, folder)
            _share_out(missing, others)


def _share_out(missing: list[Wanted], others: Others) -> None:
    try:
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    except OSError:  # there is nowhere to write down who compiles what
        return
    with folder as claims:
        listed = [(one.kernel.py_func.__module__, one.kernel.py_func.__qualname__, *one[1:]) for one in missing]
        others.give(dumps((claims, listed)))
        _compile_claimed(Path(claims), missing)
        others.wait()


def _needed(calls: Sequence[tuple[Any, tuple[Any, ...]]]) -> list[Wanted]:
    """The kernels of calls, each once, and the pool that runs them."""
    typed = [(kernel, tuple(map(numba.typeof, arguments))) for kernel, arguments in calls]
    bound = [Wanted(kernel, (types.intp, types.intp, *of_arguments), True) for kernel, of_arguments in typed]
    return list(dict.fromkeys(bound)) + [Wanted(kernel, of_arguments, False) for kernel, of_arguments in COMPILED]


def help_compiling() -> None:
    """What another process does: compile what is listed on its standard input, and exists here too."""
    parent = os.getppid()
    target: Any = cpu_target.target_context
    target.refresh()  # Numba makes ready to compile; meanwhile the list is made
    claims, listed = loads(sys.stdin.buffer.read())
    for module in {module for module, *_ in listed}:
        importlib.import_module(module)
    known = {(kernel.py_func.__module__, kernel.py_func.__qualname__): kernel for kernel in _jit.kernels}
    wanted = [Wanted(known.get((module, name)), *rest) for module, name, *rest in listed]
    _compile_claimed(Path(claims), wanted, parent)


def _compile_claimed(claims: Path, wanted: list[Wanted], parent: int | None = None) -> None:
    """Compile those that no other process has claimed; for a parent, as long as it lives."""
    for number, one in enumerate(wanted):
        if parent is not None and os.getppid() != parent:
            return
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
