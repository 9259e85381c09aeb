"""Compiled CUDA kernels on disk, beside those of Numba, so that a second start compiles nothing.

A file is named after everything that decides its content: the text of the source and of what it may include, the
macros, the target, the compiler's options and its version.  It holds one line of JSON, what is known of the kernels,
and then the cubin, behind a digest of both, so that a damaged file is compiled anew and replaced.  Several processes
may compile the same file at once: each puts a whole one in its place.
"""

import hashlib
import json
import os
from functools import cache
from pathlib import Path

from .._cache_folder import keep_sealed, readable_folder, unsealed
from .._compiling import tell_compiling
from . import nvrtc
from .compiler_log import Resources
from .nvrtc import Compiled


def cached_cubin(source: Path, target: str, defines: tuple[str, ...] = ()) -> Compiled:
    """What `compile_cubin` makes of a file, compiled by this process only where no earlier one has.

    Raises
    ------
    DeviceError
        It has to be compiled, and cannot be.
    """
    folder = cubin_folder()
    path = folder and folder / f"{source.parent.name}-{target}-{_key(source, target, defines)}.cubin"
    found = path and _load(path)
    if found:
        return found
    tell_compiling(kept=folder is not None and os.access(folder, os.W_OK))
    made = nvrtc.compile_cubin(source, target, defines)
    if path:
        keep_sealed(path, json.dumps([made.resources, made.warnings]).encode() + b"\n" + made.cubin)
    return made


@cache
def cubin_folder() -> Path | None:
    """The folder for compiled CUDA kernels; None, after one warning, where there is none."""
    return readable_folder("cuda")


def _key(source: Path, target: str, defines: tuple[str, ...]) -> str:
    texts = source.read_bytes(), sorted(nvrtc.headers(source).items())
    everything = repr((texts, target, defines, nvrtc.OPTIONS, nvrtc.version(), Resources._fields))
    return hashlib.sha256(everything.encode()).hexdigest()[:32]


def _load(path: Path) -> Compiled | None:
    """What an earlier process kept; None where there is nothing, or what is there was not written by it."""
    known, _, cubin = (unsealed(path) or b"").partition(b"\n")
    try:
        resources, warnings = json.loads(known)
        return Compiled(cubin, {name: Resources(*taken) for name, taken in resources.items()}, tuple(warnings))
    except (ValueError, TypeError, AttributeError):
        return None
