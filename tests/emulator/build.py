"""From a .cu file to a library for this CPU, once for each content: in the user's cache folder."""

import fcntl
import hashlib
import os
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

from minicnn.kernels._cuda_source import INCLUDE, kernel_names

SHIM = Path(__file__).parent / "shim"
COMMON = ("-std=c++20", "-fPIC", "-Wall", "-Wno-unknown-pragmas", f"-I{SHIM}", f"-I{INCLUDE}")
DEBUG = "-gdwarf-4"  # addr2line finds the wrong file for DWARF 5


class Mode(NamedTuple):
    """Flags of g++ for a kernel file, for the runtime, and for the library of both."""

    kernel: tuple[str, ...]
    runtime: tuple[str, ...] = ("-O2",)
    link: tuple[str, ...] = ()


SANITIZED = ("-O1", DEBUG, "-fsanitize=address,undefined", "-fno-omit-frame-pointer", "-DEMULATOR_ASAN")
MODES = {
    "fast": Mode(("-O2", "-march=native")),
    "checked": Mode(("-O1", DEBUG, "-fsanitize=thread", "-DEMULATOR_CHECKED"), ("-O2", "-DEMULATOR_CHECKED")),
    "asan": Mode(SANITIZED, SANITIZED, SANITIZED[2:3]),
}


class BuildError(RuntimeError):
    """A kernel file that g++ does not accept, or that keeps shared memory out of the checker's sight."""


def build(source: Path, mode: str = "fast", defines: tuple[str, ...] = ()) -> Path:
    """The library of a kernel file; made when it is not there yet."""
    flags = MODES[mode]
    headers = [*sorted(SHIM.iterdir()), *sorted(INCLUDE.glob("*.cuh")), *sorted(source.parent.glob("*.cuh"))]
    text = b"".join(path.read_bytes() for path in (source, *headers))
    key = hashlib.sha256(text + repr((str(source), flags, defines, compiler())).encode()).hexdigest()[:20]
    folder = cache_folder()
    library = folder / f"{source.parent.name}-{source.stem}-{mode}-{key}.so"
    with (folder / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several processes one builds, and the others wait for it
        if not library.exists():
            _build(source, flags, defines, library)
    return library


def _build(source: Path, flags: Mode, defines: tuple[str, ...], library: Path) -> None:
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        unit, made = Path(scratch, "unit.cpp"), Path(scratch, "unit.o")
        entries = "".join(f"EMULATOR_ENTRY({name})\n" for name in kernel_names(source))
        unit.write_text(f'#include "{source}"\n{entries}')
        macros = [f"-D{define}" for define in defines]
        _gxx(*flags.kernel, *macros, "-include", "cuda_on_cpu.h", "-c", unit, "-o", made)
        _refuse_hidden_shared(source, made)
        runtime = [*flags.runtime, *sorted(SHIM.glob("*.cpp"))]
        _gxx(
            *flags.link, "-shared", made, *_runtime_objects(runtime, library.parent), "-ldl", "-o", f"{scratch}/out.so"
        )
        os.replace(f"{scratch}/out.so", library)


def _runtime_objects(arguments: list, folder: Path) -> list[Path]:
    """The runtime compiled with these flags, once for all kernel files."""
    flags, sources = [a for a in arguments if isinstance(a, str)], [a for a in arguments if isinstance(a, Path)]
    text = b"".join(path.read_bytes() for path in sorted(SHIM.iterdir()))
    key = hashlib.sha256(text + repr((flags, compiler())).encode()).hexdigest()[:20]
    objects = []
    for source in sources:
        made = folder / f"{source.stem}-{key}.o"
        if not made.exists():
            with tempfile.NamedTemporaryFile(dir=folder, suffix=".o", delete=False) as file:
                _gxx(*flags, "-c", source, "-o", file.name)
            os.replace(file.name, made)
        objects.append(made)
    return objects


def _refuse_hidden_shared(source: Path, made: Path) -> None:
    """g++ ignores the section of a static array in a template ("u" in the list of symbols)."""
    symbols = subprocess.run(["nm", "-C", made], capture_output=True, text=True, check=True).stdout
    hidden = [line for line in symbols.splitlines() if re.search(r"\bu ", line) and "emulator::" not in line]
    if hidden:
        raise BuildError(f"{source.name} has shared memory inside a template, which the checker cannot see: {hidden}")


def _gxx(*arguments: str | Path) -> None:
    command = [compiler()[0], *COMMON, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command)}\n{done.stderr}")


@cache
def compiler() -> tuple[str, str]:
    """The C++ compiler and its version."""
    name = os.environ.get("CXX", "g++")
    try:
        version = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise BuildError(
            f"the emulator needs the C++ compiler {name} ({error}): install g++, or name yours in CXX"
        ) from None
    return name, version.splitlines()[0]


def cache_folder() -> Path:
    """Where libraries are kept."""
    from minicnn.weights.fetch import cache_folder as user_cache

    folder = Path(os.environ.get("MINICNN_CACHE") or user_cache().parent) / "emulator"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
