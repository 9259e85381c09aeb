"""`jit`: compile a kernel with Numba, lazily, for the arrays it is first called with.

Kernels are compiled without the interpreter lock, without bounds checks, and with one fast-math liberty alone:
`contract` may fuse a multiply and an add.  NaN and inf propagate as in NumPy.
With NUMBA_DISABLE_JIT=1 a kernel stays the plain Python function that it is written as.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba.core import config as numba_config

from ._compile_cache import CompileCache

Function = TypeVar("Function", bound=Callable[..., Any])
config: Any = numba_config  # Numba makes the names in it when it starts
JIT_OFF = bool(config.DISABLE_JIT)
kernels: list[Any] = []  # every compiled function, for warm-up


def jit(function: Function) -> Function:
    """The compiled form of `function`, for Python to call; its source stays callable as `.py_func`."""
    return _compiled(function, python=True)


def kernel(function: Function) -> Function:
    """The compiled form of `function(start, stop, *arrays)`, for `parallel_for` to call."""
    return _compiled(function)


def helper(function: Function) -> Function:
    """A part of kernels, for them to call."""
    return _compiled(function)


def _compiled(function: Function, python: bool = False) -> Function:
    if JIT_OFF:
        return function
    cache = CompileCache(function)
    if function.__closure__:  # kernels are called by name across files: two closures of one function need two names
        function.__qualname__ += f"_{cache.digest()}"
    options: dict[str, Any] = {"no_cpython_wrapper": not python, "no_cfunc_wrapper": True}  # nothing in C calls it
    compiled: Any = numba.njit(nogil=True, fastmath={"contract"}, error_model="numpy", boundscheck=False, **options)(
        function
    )
    compiled._cache = cache
    kernels.append(compiled)
    return compiled
