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
kernels: list[Callable[..., Any]] = []  # every compiled function, for warm-up


def jit(function: Function) -> Function:
    """The compiled form of `function`; its source stays callable as `.py_func`."""
    if JIT_OFF:
        return function
    compiled: Any = numba.njit(nogil=True, fastmath={"contract"}, error_model="numpy", boundscheck=False)(function)
    compiled._cache = CompileCache(function)
    kernels.append(compiled)
    return compiled
