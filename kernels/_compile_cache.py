"""Compiled kernels on disk, so that the second start is fast.

Numba's own cache sits beside the source, raises where it cannot, and trusts what it reads.  This one

- lives in a per-user folder (see _cache_folder.py), readable by its owner alone;
- names each file after everything that decides its content: the text of all kernels, the versions of Python,
  Numba and llvmlite, the CPU and its features, the function and the types of its arguments;
- checks a digest before it unpickles, so that a damaged file is compiled anew;
- never raises: where nothing can be written, kernels run uncached, with one warning.
"""

import hashlib
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from llvmlite import binding
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.runtime import _nrt_python  # pyright: ignore
from numba.core.serialize import dumps, loads

from . import _cache_folder
from ._cache_folder import keep_sealed, unsealed
from ._compiling import tell_compiling


@cache
def source_stamp() -> str:
    """A digest of the text of all kernels and of the compiler's versions."""
    digest = hashlib.sha256(f"{sys.version}|{numba.__version__}|{llvmlite.__version__}|{platform.machine()}".encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def usable_folder() -> Path:
    """The folder for what Numba compiled, made if need be; FileAccessError where it cannot be written."""
    return _cache_folder.usable_folder(source_stamp()[:16])


@cache
def compile_cache_folder() -> Path | None:
    """The folder for what Numba compiled, to read from at least; None, after one warning, where there is none."""
    return _cache_folder.readable_folder(source_stamp()[:16])


def _enclosed(function: Any) -> bytes:
    """What a function encloses, in the same words in every process: Numba's own objects are numbered anew in each."""
    return b"".join(_described(cell.cell_contents) for cell in function.__closure__ or ())


def _described(value: Any) -> bytes:
    function = getattr(value, "py_func", getattr(value, "_defn", value))  # of a compiled function, of an intrinsic
    if not hasattr(function, "__code__"):
        return dumps(value)
    name = f"{function.__module__}.{function.__qualname__}"
    return name.encode() + function.__code__.co_code + _enclosed(function)


@cache
def _link_runtime() -> None:
    """Tell LLVM where the functions of Numba's runtime are, which compiled code calls.

    Numba itself does so when it makes ready to compile: then it also imports all that it can compile, and SciPy where
    it is installed, and compiles a part of the runtime.  A process that finds its kernels here needs none of it.
    """
    for name, address in _nrt_python.c_helpers.items():
        binding.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


class CompileCache(_Cache):
    """The cache of one function, in the form that Numba's dispatcher asks."""

    def __init__(self, function: Any):
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.code = function.__code__.co_code + _enclosed(function)

    def digest(self) -> str:
        """A name for the function's bytecode and what it encloses."""
        return hashlib.sha256(self.code).hexdigest()[:12]

    @property
    def cache_path(self) -> str:  # pyright: ignore
        return str(compile_cache_folder())

    def _path(self, signature: Any, codegen: Any) -> Path | None:
        folder = compile_cache_folder()
        if folder is None:
            return None
        key = self.key(signature, codegen).encode() + self.code
        return folder / f"{self.name.rpartition('.')[2]}-{hashlib.sha256(key).hexdigest()[:32]}"

    def key(self, signature: Any, codegen: Any) -> str:
        """What, besides the text of all kernels, decides what is compiled."""
        return repr((self.name, signature, codegen.magic_tuple()))

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled function of an earlier process, or None: then Numba compiles it now."""
        path = self._path(sig, target_context.codegen())
        found = None if path is None else self._load(path, target_context)
        if found is None:
            tell_compiling(kept=path is not None and os.access(path.parent, os.W_OK))
        return found

    def _load(self, path: Path, target_context: Any) -> Any:
        payload = unsealed(path)
        if payload is None:
            return None
        try:
            _link_runtime()
            return CompileResult._rebuild(target_context, *loads(payload))
        except Exception:  # whatever it is that another program has written there
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a function that was compiled now."""
        path = self._path(sig, data.codegen)
        if path is not None:
            keep_sealed(path, dumps(data._reduce()))

    def enable(self) -> None:
        """Part of Numba's interface; this cache is always on."""

    def disable(self) -> None:
        """Part of Numba's interface; this cache is always on."""

    def flush(self) -> None:
        """Part of Numba's interface; files of other versions are harmless."""
