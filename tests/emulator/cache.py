"""Files that are made once and kept: by one process at a time, whole or not at all, and never trusted unseen."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from minicnn.weights.fetch import cache_folder as user_cache_folder

DIGEST_BYTES = 32


def cache_folder() -> Path:
    """Where libraries are kept: emulator/ in MINICNN_CACHE, or in this user's folder for caches."""
    folder = user_cache_folder() / "emulator"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def kept(path: Path, make: Callable[[Path], Path]) -> Path:
    """The file at `path`; if need be what `make` makes in an empty folder, moved there.

    A digest follows its content, which neither the linker nor the loader minds.  Without it, a library that was cut
    short would end the process that loads it.
    """
    if _is_whole(path):
        return path
    with _locked(path.with_name(f"{path.name}.lock")):
        if not _is_whole(path):
            with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
                made = make(Path(scratch))
                content = made.read_bytes()
                made.write_bytes(content + hashlib.sha256(content).digest())
                os.replace(made, path)
    return path


def _is_whole(path: Path) -> bool:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    return hashlib.sha256(content[:-DIGEST_BYTES]).digest() == content[-DIGEST_BYTES:]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
