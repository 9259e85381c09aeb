"""From a .cu file to a library for this CPU, once for each content: in the user's cache folder.

It needs g++, and `nm` of binutils.
"""

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from minicnn.kernels._gpu.source import INCLUDE, signatures

from .cache import cache_folder, kept

SHIM = Path(__file__).parent / "shim"
COMMON = ("-std=c++20", "-fPIC", "-fno-optimize-sibling-calls", f"-I{INCLUDE}", f"-I{SHIM}")
DEBUG = "-gdwarf-4"  # addr2line finds the wrong file for DWARF 5


class Mode(NamedTuple):
    """Flags of g++ for a kernel file, for the runtime, and for the library of both."""

    kernel: tuple[str, ...]
    runtime: tuple[str, ...] = ("-O2",)
    link: tuple[str, ...] = ()


CHECKS = "-fsanitize=thread,alignment,bounds,shift,integer-divide-by-zero"  # callbacks.cpp has what they call
SANITIZED = ("-O1", DEBUG, "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DEMULATOR_ASAN")
MODES = {
    "fast": Mode(("-O2", "-march=native", "-g1", DEBUG)),
    "checked": Mode(("-O1", DEBUG, CHECKS, "-DEMULATOR_CHECKED"), ("-O2", "-DEMULATOR_CHECKED")),
    "asan": Mode((*SANITIZED, "-fno-omit-frame-pointer"), SANITIZED, SANITIZED[2:3]),
}


FIND_ASAN = "-print-file-name=libasan.so"
ASAN_OPTIONS = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1", "PYTHONMALLOC": "malloc"}


class BuildError(RuntimeError):
    """A kernel file that g++ does not accept, or that the emulator could not watch."""


def build(source: Path, mode: str = "fast", defines: tuple[str, ...] = ()) -> Path:
    """The library of a kernel file; made when it is not there yet.

    Raises
    ------
    BuildError
        There is no compiler, or the file does not compile, has shared memory inside a template, includes a file that is
        neither beside it nor in kernels/include, or uses what ptx.cuh has without including that.
    """
    flags = MODES[mode]
    texts = [source, *_headers(source)]
    name = f"{source.parent.name}-{source.stem}-{mode}-{_key(texts, flags, defines, source)}.so"
    return kept(cache_folder() / name, lambda scratch: _built(source, flags, defines, scratch))


def _headers(source: Path) -> list[Path]:
    """What a kernel file may include: only these decide whether a library is still of the same content."""
    found = [*SHIM.iterdir(), *INCLUDE.iterdir(), *source.parent.glob("*.cuh")]
    return sorted({path.resolve() for path in found if path.is_file()})


def _key(texts: Iterable[Path], *others: object) -> str:
    """A name for the content of files, for flags, and for what compiles."""
    digest = hashlib.sha256(repr((others, compiler(), cpu(), platform.libc_ver())).encode())
    for path in texts:
        text = path.read_bytes()
        digest.update(f"{path.name} {len(text)} ".encode() + text)
    return digest.hexdigest()[:20]


def _built(source: Path, flags: Mode, defines: tuple[str, ...], scratch: Path) -> Path:
    unit, made, read, library = (scratch / name for name in ("unit.cpp", "unit.o", "read.d", "out.so"))
    entries = "".join(f"EMULATOR_ENTRY({name})\n" for name in signatures(source))
    unit.write_text(f'#include "{source}"\n{entries}')
    macros = [f"-D{define}" for define in defines]
    _gxx(source, *flags.kernel, *macros, "-include", "cuda_on_cpu.h", "-MMD", "-MF", read, "-c", unit, "-o", made)
    _refuse_hidden_shared(source, made)
    headers = _refuse_unknown_files(source, read.read_text())
    _refuse_missing_ptx(source, headers)
    before, *others, after = _runtime(flags)
    _gxx(source, *flags.link, "-shared", "-Wl,-Bsymbolic", before, made, *others, after, "-ldl", "-o", library)
    return library


def _runtime(flags: Mode) -> list[Path]:
    """The runtime's objects, compiled once for all kernel files; first and last what lies around shared memory."""
    ends = SHIM / "shared_before.cpp", SHIM / "shared_after.cpp"
    sources = [ends[0], *(path for path in sorted(SHIM.glob("*.cpp")) if path not in ends), ends[1]]
    key = _key(sorted(SHIM.iterdir()), flags.runtime)

    def compiled(source: Path) -> Path:
        def make(scratch: Path) -> Path:
            _gxx(source, *flags.runtime, "-c", source, "-o", scratch / "out.o")
            return scratch / "out.o"

        return kept(cache_folder() / f"{source.stem}-{key}.o", make)

    return [compiled(source) for source in sources]


def _refuse_hidden_shared(source: Path, made: Path) -> None:
    """g++ ignores the section of a static array in a template ("u" in the list of symbols)."""
    symbols = _run("nm", "-C", made).stdout
    hidden = [line.split(" u ")[1] for line in symbols.splitlines() if " u " in line and "emulator::" not in line]
    if hidden:
        raise BuildError(
            f"{source.name} has shared memory inside a template or an inline function, which the checker could not "
            f"see: {', '.join(hidden)}"
        )


def _refuse_unknown_files(source: Path, rule: str) -> set[Path]:
    """A make rule of all files that were read, but for the system's: were one unknown, its changes would be missed."""
    read = {Path(path).resolve() for path in re.split(r"[\s\\]+", rule.partition(":")[2]) if path}
    unknown = {path for path in read - {source.resolve(), *_headers(source)} if path.name != "unit.cpp"}
    if unknown:
        names = ", ".join(sorted(map(str, unknown)))
        raise BuildError(
            f"{source.name} includes {names}; it may include .cuh files of {INCLUDE} and of its own folder"
        )
    return {path for path in read if path.suffix in (".cu", ".cuh") and path.parent != SHIM.resolve()}


def _refuse_missing_ptx(source: Path, read: set[Path]) -> None:
    """The twin of ptx.cuh is always there, since headers beside that one would find that one; but not for NVRTC."""
    ptx = (INCLUDE / "ptx.cuh").resolve()
    if ptx in read:
        return
    names = re.findall(
        r"^(?:#define |(?:template <[^>]*>\s)?PTX (?:\w+ )+)(\w+)\(", ptx.read_text("utf-8"), re.MULTILINE
    )
    for path in sorted(read):
        text = re.sub(r"//[^\n]*", "", path.read_text("utf-8"))
        used = re.search(rf"\b({'|'.join(names)})\b", text)
        if used:
            raise BuildError(f'{source.name} does not include "ptx.cuh", which has {used[1]} of {path.name}')


def _gxx(source: Path, *arguments: str | Path) -> None:
    done = _run(compiler()[0], *COMMON, *arguments)
    if done.returncode:
        raise BuildError(f"{source.name} does not compile: {'; '.join(_errors(done.stderr)[:3])}")


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """A tool, without the AddressSanitizer that this process may have."""
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    return subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True, check=False)


def _errors(said: str) -> list[str]:
    """The errors that g++ tells, each with the line of the kernel file where it is in a macro of the emulator."""
    found: list[str] = []
    for line in said.splitlines():
        place, note, _ = line.partition(" note: in expansion of macro")
        if "error: " in line:
            found.append(line)
        elif note and found and str(SHIM) in found[-1].partition(" ")[0] and str(SHIM) not in place:
            found[-1] = f"{place} {found[-1].partition(' ')[2]}"
    remedy = "; dynamic shared memory is declared by DYNAMIC_SHARED(type, name), of ptx.cuh"
    return [line + remedy * ("conflicting specifiers" in line) for line in found or said.splitlines()]


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


@cache
def cpu() -> str:
    """What -march=native depends on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return "\n".join(sorted({line for line in lines if re.match(r"model name|flags|Features|CPU part", line)}))


def sanitizer_environment() -> dict[str, str]:
    """For a Python that loads libraries of the mode "asan": it must have AddressSanitizer from its beginning."""
    library = subprocess.run([compiler()[0], FIND_ASAN], capture_output=True, text=True, check=True)
    return {**os.environ, **ASAN_OPTIONS, "LD_PRELOAD": library.stdout.strip()}


def without_sanitizer() -> str:
    """What to do in a process that "asan" would end, since AddressSanitizer is not in it; nothing where it is."""
    if "libasan" in Path("/proc/self/maps").read_text():
        return ""
    options = " ".join(f"{name}={value}" for name, value in ASAN_OPTIONS.items())
    return (
        'the mode "asan" needs a process that has AddressSanitizer from its beginning: '
        f"{options} LD_PRELOAD=$({compiler()[0]} {FIND_ASAN}) python PROGRAM"
    )
