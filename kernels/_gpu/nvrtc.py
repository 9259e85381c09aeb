"""From CUDA source to a cubin, by NVRTC: NVIDIA's compiler as a library, which needs neither a driver nor a GPU.

It is called through ctypes, not through CuPy, whose way asks a device for its architecture.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from minicnn.errors import DeviceError

from .compiler_log import Resources, first_error, resources_in, warnings_in
from .driver import driver_version
from .packages import install_nvrtc
from .source import INCLUDE, KERNELS

OPTIONS = ("--std=c++17", "-lineinfo", "--ptxas-options=-v")
VERSIONS = (13, 12)
CHECKED = (75, 80, 86, 89, 90)  # the architectures for which the tests compile every kernel
LIBRARY_FOLDERS = ("cu13/lib", "cuda_nvrtc/lib")  # of pip's packages for CUDA 13 and 12, below nvidia/


class Compiled(NamedTuple):
    """The program of one file for one target, the resources of each kernel by its name, and what was warned of."""

    cubin: bytes
    resources: dict[str, Resources]
    warnings: tuple[str, ...]


def headers(source: Path) -> dict[str, bytes]:
    """What a .cu file may include, by name: the headers of all kernels, and those of its own folder."""
    return {
        path.name: path.read_bytes() for folder in (INCLUDE, source.parent) for path in sorted(folder.glob("*.cuh"))
    }


def compile_cubin(source: Path, target: str, defines: tuple[str, ...] = ()) -> Compiled:
    """The program of a .cu file for a target as "sm_90", with macros as "TILE=64".

    Raises
    ------
    DeviceError
        There is no NVRTC, it does not know the target, or it refuses the file.

    Examples
    --------
    >>> from pathlib import Path
    >>> compile_cubin(Path("kernels/dense/cuda.cu"), "sm_90").resources         # doctest: +SKIP
    {'dense_forward_v1_direct': Resources(registers=32, spilled=0, shared=0, stack=0)}
    """
    check_target(target)
    nvrtc, included, program = library(), headers(source), ctypes.c_void_p()
    texts, names = (_strings(part) for part in (included.values(), map(str.encode, included)))
    _check(
        nvrtc.nvrtcCreateProgram(
            ctypes.byref(program), source.read_bytes(), str(source).encode(), len(included), texts, names
        )
    )
    try:
        options = [f"--gpu-architecture={target}", *OPTIONS, *(f"-D{define}" for define in defines)]
        failed = nvrtc.nvrtcCompileProgram(program, len(options), _strings(map(str.encode, options)))
        log = _result(program, "ProgramLog").replace(b"\0", b"\n").decode(errors="replace")
        if failed:
            ptx = _result(program, "PTX").decode(errors="replace") if "ptx input" in log else ""
            wanted = ", ".join([f"for {target}", *defines])
            raise DeviceError(f"{first_error(log, source, ptx)} ({wanted})")
        return Compiled(_result(program, "CUBIN"), resources_in(log), warnings_in(log))
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _strings(texts) -> ctypes.Array:
    texts = list(texts)
    return (ctypes.c_char_p * len(texts))(*texts)


def _result(program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    _check(getattr(library(), f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    found = ctypes.create_string_buffer(size.value)
    _check(getattr(library(), f"nvrtcGet{what}")(program, found))
    return found.raw


def _check(code: int) -> None:
    if code:
        raise DeviceError(f"NVRTC: {library().nvrtcGetErrorString(code).decode()}")


def check_target(target: str) -> None:
    """Refuse, by a DeviceError, a target that NVRTC does not compile for."""
    known = [f"sm_{number}" for number in targets()]
    if target not in known:
        major, minor = version()
        raise DeviceError(f"NVRTC {major}.{minor} does not compile for {target}; it does for {', '.join(known)}")


@cache
def library() -> ctypes.CDLL:
    """NVRTC: of pip's packages, of the toolkit that CUDA_PATH names, or the system's.

    One that is newer than the driver, which would not load what it makes, is taken only where there is no other.

    Raises
    ------
    DeviceError
        It is nowhere.
    """
    for name in _candidates():
        try:
            found = _opened(name)
        except OSError:
            continue
        found.nvrtcGetErrorString.restype = ctypes.c_char_p
        return found
    raise DeviceError(f"CUDA kernels are compiled by NVRTC, which is not installed: {install_nvrtc()}")


def _opened(name: str) -> ctypes.CDLL:
    """A library; before it the one beside it that it opens when it compiles, for which not all builds look there."""
    if os.sep in name:
        for builtins in sorted(Path(name).parent.glob("libnvrtc-builtins.so*")):
            with suppress(OSError):  # a link to nothing, or to another processor's, beside the one that is needed
                ctypes.CDLL(str(builtins))
    return ctypes.CDLL(name)


def _candidates() -> Iterator[str]:
    packages = find_spec("nvidia")
    toolkit = os.environ.get("CUDA_PATH") or os.environ.get("CUDA_HOME")
    newest = (driver_version() or VERSIONS)[0]
    for version in sorted(VERSIONS, key=lambda version: version > newest):
        for folder in (packages and packages.submodule_search_locations) or ():
            for place in LIBRARY_FOLDERS:
                yield f"{folder}/{place}/libnvrtc.so.{version}"
        if toolkit:
            yield f"{toolkit}/lib64/libnvrtc.so.{version}"
        yield f"libnvrtc.so.{version}"


def version() -> tuple[int, int]:
    """Of NVRTC: (13, 2)."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _check(library().nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
    return major.value, minor.value


def compiler() -> tuple[bool, str]:
    """Whether kernels can be compiled here: (True, "NVRTC 13.2"), or (False, what is missing and what to do).

    The smallest is compiled, since the library may be there without what it opens itself.

    >>> from minicnn import kernels
    >>> usable, said = kernels.cuda_compiler()
    """
    try:
        major, minor = version()
        compile_cubin(KERNELS / "channel_sum" / "cuda.cu", f"sm_{CHECKED[0]}")
    except DeviceError as error:
        return False, str(error)
    return True, f"NVRTC {major}.{minor}"


@cache
def targets() -> list[int]:
    """The architectures that it compiles for, as 75 and 90."""
    count = ctypes.c_int()
    _check(library().nvrtcGetNumSupportedArchs(ctypes.byref(count)))
    found = (ctypes.c_int * count.value)()
    _check(library().nvrtcGetSupportedArchs(found))
    return list(found)


def target_for(capability: tuple[int, int]) -> str:
    """The target whose programs run on a GPU of a capability: its own, or where NVRTC is older, the nearest below it.

    Raises
    ------
    DeviceError
        NVRTC is too old to know of such GPUs.
    """
    major, minor = capability
    fitting = [number for number in targets() if number // 10 == major and number % 10 <= minor]
    if not fitting:
        raise DeviceError(
            f"NVRTC {version()[0]}.{version()[1]} knows no GPU of compute capability {major}.{minor}: {install_nvrtc()}"
        )
    return f"sm_{max(fitting)}"
