"""MINICNN_AUTOTUNE=1: the rung that runs by default is the one that was measured to be the fastest on this machine.

The first time that an operation meets arrays of some shapes, its compiled rungs are timed in turns on these arrays, and
the choice is kept in a file beside the compiled kernels: for this processor, these kernels and these versions.  The
number of threads is no part of it, so that results do not depend on them.  Rungs differ in their last bits: what is
chosen on another machine, or after the files were removed, may change those.
"""

import hashlib
import json
import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import Context
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from minicnn.errors import ArgumentError, UnsupportedError

from ._cache_folder import keep

OPERATIONS = ("conv2d", "conv2d_transpose", "depthwise_conv2d", "dense")  # may be run again: they write y alone
LOOPS = "v1_direct"  # slower than all above it by far
ROUNDS = 5
GAIN = 0.95  # of the default's time: a rung that saves less is not worth other bits

Call = Callable[[], Any]
clock = time.perf_counter
_chosen: dict[str, str] = {}


@cache
def autotune_wanted() -> bool:
    """Whether MINICNN_AUTOTUNE says "1"."""
    choice = os.environ.get("MINICNN_AUTOTUNE", "")
    if choice not in ("", "0", "1"):
        raise ArgumentError(f"MINICNN_AUTOTUNE is {choice!r}; it may be '1', '0' or unset")
    return choice == "1"


def tuned(
    op: str, direction: str, default: str, specs: Iterable[Any], arguments: tuple[Any, ...], images: int | None = None
) -> str:
    """The rung that runs where `default` would: with MINICNN_AUTOTUNE=1, the fastest of those above the plain loops.

    With `images`, it is chosen by so many images in the place of the batch in the first argument and in the last.
    """
    if op not in OPERATIONS or not autotune_wanted():
        return default
    if any(isinstance(argument, np.ndarray) and not argument.size for argument in arguments):
        return default
    if images is not None:
        x, *others, y = arguments
        arguments = np.empty((images, *x.shape[1:]), x.dtype), *others, np.empty((images, *y.shape[1:]), y.dtype)
    rungs = {
        spec.rung: partial(_call, spec, arguments, images is not None)
        for spec in specs
        if spec.needs_numba and spec.rung != LOOPS
    }
    return fastest(f"{op} {direction} {described(arguments)}", default, rungs) if len(rungs) > 1 else default


def _call(spec: Any, arguments: tuple[Any, ...], fill: bool) -> Call:
    if fill:
        arguments[0][:] = 1
    return partial(spec.fn, *arguments)


def described(argument: Any) -> str:
    """What a choice depends on: the shapes of arrays, and options."""
    if isinstance(argument, np.ndarray):
        return "x".join(map(str, argument.shape))
    return f"({', '.join(map(described, argument))})" if isinstance(argument, tuple) else str(argument)


def fastest(case: str, default: str, rungs: Mapping[str, Callable[[], Call]]) -> str:
    """The rung for a case: what this process or an earlier one chose, else the fastest now.

    Each of `rungs` makes the call that is timed.  Threads that measure at once end with the same choice.
    """
    if case not in _chosen:
        rung = _recalled(case, rungs)
        if rung is None:
            # A context of its own: nothing that is captured or recorded here hears of the calls.
            seconds = Context().run(_measured, rungs)
            best = min(seconds, key=seconds.__getitem__)
            rung = best if seconds[best] < GAIN * seconds.get(default, np.inf) else default
            _remember(case, rung, seconds)
        _chosen.setdefault(case, rung)
    return _chosen[case]


def _measured(rungs: Mapping[str, Callable[[], Call]]) -> dict[str, float]:
    """The least seconds of each rung that can do the case, in turns; what disturbs a call makes it longer."""
    calls: dict[str, Call] = {}
    for rung, make in rungs.items():
        with suppress(UnsupportedError):
            call = make()
            call()  # compiles
            calls[rung] = call
    seconds = dict.fromkeys(calls, np.inf)
    for _ in range(ROUNDS):
        for rung, call in calls.items():
            begun = clock()
            call()
            seconds[rung] = min(seconds[rung], clock() - begun)
    return seconds


def _path(case: str) -> Path | None:
    """The file of a choice; None where nothing can be kept."""
    from numba.core.registry import cpu_target

    from ._compile_cache import compile_cache_folder

    folder, target = compile_cache_folder(), cast(Any, cpu_target.target_context)
    key = repr((case, target.codegen().magic_tuple()))  # triple, name and vector extensions of the processor
    return folder and folder / f"autotune-{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _recalled(case: str, rungs: Mapping[str, Any]) -> str | None:
    path = _path(case)
    if path is None or not path.exists():
        return None
    with suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads(path.read_bytes())
        if found["case"] == case and found["rung"] in rungs:
            return found["rung"]
    warnings.warn(f"{path} does not hold a choice of a rung: it is measured and written anew", stacklevel=2)
    return None


def _remember(case: str, rung: str, seconds: Mapping[str, float]) -> None:
    path = _path(case)
    if path is not None:
        keep(path, json.dumps({"case": case, "rung": rung, "seconds": seconds}).encode())
