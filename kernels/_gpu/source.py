"""CUDA source files: where they lie, which kernels they hold, and what those take."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.errors import ArgumentError

KERNELS = Path(__file__).parents[1]
INCLUDE = KERNELS / "include"
_ENTRY = re.compile(
    r'extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\(([^)]*)\)', re.DOTALL
)
NUMBERS = {
    "int": np.int32,
    "unsigned": np.uint32,
    "long long": np.int64,
    "float": np.float32,
    "double": np.float64,
    "unsigned char": np.uint8,
    "unsigned short": np.uint16,  # the bits of a half or bfloat16
}


class Parameter(NamedTuple):
    """One parameter of a kernel: a number, or a pointer to numbers."""

    name: str
    dtype: np.dtype
    is_pointer: bool


@cache
def signatures(source: Path) -> dict[str, tuple[Parameter, ...]]:
    """The kernels that a file defines, in its order, and what each takes.

    Raises
    ------
    ArgumentError
        A parameter of a type that host code could not check.
    """
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", source.read_text("utf-8"), flags=re.DOTALL)
    return {name: tuple(_parameter(name, one) for one in taken.split(",")) for name, taken in _ENTRY.findall(text)}


def _parameter(kernel: str, text: str) -> Parameter:
    words = re.sub(r"\b(const|__restrict__)\b", " ", text.replace("*", " * ")).split()
    *of, name = words
    is_pointer = "*" in of
    kind = " ".join(word for word in of if word != "*")
    if kind not in NUMBERS:
        raise ArgumentError(f"kernel {kernel}: parameter {name} is a {kind}; it may be one of {', '.join(NUMBERS)}")
    return Parameter(name, np.dtype(NUMBERS[kind]), is_pointer)
