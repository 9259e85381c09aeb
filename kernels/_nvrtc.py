"""From CUDA source to a cubin, by NVRTC: NVIDIA's compiler as a library, which needs neither a driver nor a GPU.

It is called through ctypes, not through CuPy, whose way asks a device for its architecture and never says "sm_90a".
"""

import ctypes
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from minicnn.errors import DeviceError

from ._cuda_source import INCLUDE

OPTIONS = ("--std=c++17", "-lineinfo", "--ptxas-options=-v")
VERSIONS = (13, 12)
_USED = re.compile(r"Used (\d+) registers")
_ENTRY = re.compile(r"Compiling entry function '(\w+)'")
_SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_SHARED = re.compile(r"(\d+) bytes smem")


class Resources(NamedTuple):
    """What a kernel takes of a multiprocessor: registers a thread, bytes of spilled ones, bytes of shared memory."""

    registers: int
    spilled: int
    shared: int


class Compiled(NamedTuple):
    """The program of one file for one target, and the resources of each kernel by its name."""

    cubin: bytes
    resources: dict[str, Resources]


def compile_cubin(source: Path, target: str, defines: tuple[str, ...] = ()) -> Compiled:
    """The program of a .cu file for a target as "sm_90".

    Raises
    ------
    DeviceError
        There is no NVRTC, or it refuses the file.
    """
    nvrtc = library()
    headers = {path.name: path.read_bytes() for path in sorted(INCLUDE.glob("*.cuh"))}
    program = ctypes.c_void_p()
    texts, names = ((ctypes.c_char_p * len(headers))(*part) for part in (headers.values(), map(str.encode, headers)))
    _check(
        nvrtc.nvrtcCreateProgram(
            ctypes.byref(program), source.read_bytes(), source.name.encode(), len(headers), texts, names
        )
    )
    try:
        options = [f"--gpu-architecture={target}", *OPTIONS, *(f"-D{define}" for define in defines)]
        array = (ctypes.c_char_p * len(options))(*map(str.encode, options))
        failed = nvrtc.nvrtcCompileProgram(program, len(options), array)
        log = _text(nvrtc, program, "ProgramLog").rstrip(b"\0").decode(errors="replace")
        if failed:
            raise DeviceError(f"{source} does not compile for {target}: {_first_error(log)}")
        return Compiled(_text(nvrtc, program, "CUBIN"), resources_in(log))
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _text(nvrtc: ctypes.CDLL, program: ctypes.c_void_p, what: str) -> bytes:
    """One of the results of a program."""
    size = ctypes.c_size_t()
    _check(getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    found = ctypes.create_string_buffer(size.value)
    _check(getattr(nvrtc, f"nvrtcGet{what}")(program, found))
    return found.raw


def _check(code: int) -> None:
    if code:
        raise DeviceError(f"NVRTC: {library().nvrtcGetErrorString(code).decode()}")


def _first_error(log: str) -> str:
    errors = [line for line in log.splitlines() if "error" in line]
    return (errors or log.splitlines() or ["no reason given"])[0].strip()


def resources_in(log: str) -> dict[str, Resources]:
    """What ptxas says of each kernel in a log."""
    found, name, spilled = {}, "", 0
    for line in log.splitlines():
        if entry := _ENTRY.search(line):
            name, spilled = entry[1], 0
        elif spills := _SPILLS.search(line):
            spilled = int(spills[2]) + int(spills[3])
        elif (used := _USED.search(line)) and name:
            shared = _SHARED.search(line)
            found[name] = Resources(int(used[1]), spilled, int(shared[1]) if shared else 0)
    return found


@cache
def library() -> ctypes.CDLL:
    """NVRTC: of pip's packages, of the toolkit that CUDA_PATH names, or the system's.

    Raises
    ------
    DeviceError
        It is nowhere.
    """
    for name in _candidates():
        try:
            found = ctypes.CDLL(name)
        except OSError:
            continue
        found.nvrtcGetErrorString.restype = ctypes.c_char_p
        return found
    raise DeviceError(
        "CUDA kernels are compiled by NVRTC, which is not installed: pip install 'minicnn[cuda13]', or "
        "'minicnn[cuda12]' for a driver of CUDA 12"
    )


def _candidates() -> Iterator[str]:
    for folder in map(Path, sys.path):
        for version in VERSIONS:
            for place in (f"nvidia/cu{version}/lib", "nvidia/cuda_nvrtc/lib"):
                yield from map(str, folder.glob(f"{place}/libnvrtc.so.{version}"))
    toolkit = os.environ.get("CUDA_PATH") or os.environ.get("CUDA_HOME")
    for version in VERSIONS:
        if toolkit:
            yield f"{toolkit}/lib64/libnvrtc.so.{version}"
        yield f"libnvrtc.so.{version}"


def version() -> tuple[int, int]:
    """Of NVRTC: (13, 2)."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _check(library().nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
    return major.value, minor.value


def targets() -> list[int]:
    """The architectures that it compiles for, as 75 and 90."""
    count = ctypes.c_int()
    _check(library().nvrtcGetNumSupportedArchs(ctypes.byref(count)))
    found = (ctypes.c_int * count.value)()
    _check(library().nvrtcGetSupportedArchs(found))
    return list(found)
