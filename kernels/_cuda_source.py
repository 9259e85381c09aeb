"""CUDA source files: where they lie, and which kernels they hold."""

import re
from pathlib import Path

KERNELS = Path(__file__).parent
INCLUDE = KERNELS / "include"
_ENTRY = re.compile(r'extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\(')


def kernel_names(source: Path) -> list[str]:
    """The kernels that a file defines, in its order."""
    return _ENTRY.findall(source.read_text("utf-8"))
