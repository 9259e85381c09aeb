"""The NVIDIA driver, asked directly, so that nothing needs to be installed to know whether there is one."""

import ctypes
from functools import cache

LIBRARIES = ("libcuda.so.1", "nvcuda.dll")


@cache
def driver_version() -> tuple[int, int] | None:
    """The newest CUDA that the driver can run, as (13, 0); None where there is no driver."""
    number = ctypes.c_int(0)
    for name in LIBRARIES:
        try:
            failed = ctypes.CDLL(name).cuDriverGetVersion(ctypes.byref(number))
        except OSError:
            continue
        if not failed:
            return number.value // 1000, number.value % 1000 // 10
    return None
