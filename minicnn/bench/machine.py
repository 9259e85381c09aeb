"""What this machine is: the processor, its vector instructions, the cores that may be used, and the versions."""

import datetime
import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

from minicnn.kernels import get_num_threads

VECTOR_FEATURES = ("AVX512F", "AVX2", "FMA3", "AVX", "SSE42", "SVE", "ASIMD", "NEON")


def facts() -> dict[str, Any]:
    """The processor, the versions and the day of a measurement."""
    return {
        "processor": processor_name(),
        "vector instructions": ", ".join(vector_features()),
        "cores": usable_cores(),
        "threads": get_num_threads(),
        "python": sys.version.split()[0],
        **{package: version(package) for package in ("numpy", "numba", "minicnn")},
        "date": datetime.date.today().isoformat(),
    }


def version(package: str) -> str:
    """The version of a package, or that it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def processor_name() -> str:
    """What the processor calls itself."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def vector_features() -> list[str]:
    """What NumPy found at its start; the name of the table is private, so its absence is no error."""
    try:
        from numpy._core._multiarray_umath import __cpu_features__ as found
    except ImportError:
        return []
    return [name for name in VECTOR_FEATURES if found.get(name)]


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
