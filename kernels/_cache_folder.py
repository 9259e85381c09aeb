"""Where compiled kernels are kept, and how: in a folder of this user alone, in files that show any damage.

The folder is `MINICNN_CACHE`, else minicnn/ in `XDG_CACHE_HOME`, else in ~/.cache.  Nothing here is a reason to stop:
where nothing can be written, kernels run uncached, with one warning.
"""

import hashlib
import os
import stat
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

from minicnn.errors import FileAccessError

DIGEST_BYTES = 32
SYSTEM = 0  # the number of the user who owns the system, and may write anywhere


def user_cache_folder() -> Path:
    """MINICNN_CACHE, or minicnn in this user's folder for caches: the rule of `minicnn.weights` too."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return Path(os.environ.get("MINICNN_CACHE") or caches / "minicnn").expanduser()


def _kernels(part: str) -> Path:
    return user_cache_folder() / "kernels" / part


def usable_folder(part: str) -> Path:
    """A part of the folder for compiled kernels, made if need be.

    Raises
    ------
    FileAccessError
        It cannot be made or written, or others may write to it.
    """
    try:
        folder = _kernels(part)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_safe(folder):
            raise PermissionError(f"{folder} may be written by others")
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError) as error:  # RuntimeError: a user without a home
        raise FileAccessError(
            f"compiled kernels are not kept, so each start compiles them again ({error}); "
            "set MINICNN_CACHE to a folder of yours"
        ) from None


def readable_folder(part: str) -> Path | None:
    """A part of the folder for compiled kernels, to read from at least; None, after a warning, where there is none."""
    try:
        return usable_folder(part)
    except FileAccessError as error:
        if _is_filled(part):
            return _kernels(part)
        warnings.warn(str(error), stacklevel=3)
        return None


def _is_safe(folder: Path) -> bool:
    """Whether nobody but this user, or the system's owner, can have written what is run from a folder."""
    info = folder.stat()
    return not hasattr(os, "getuid") or (
        info.st_uid in (os.getuid(), SYSTEM) and not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def _is_filled(part: str) -> bool:
    """Whether the folder holds kernels that someone made ready for programs that cannot write there."""
    try:
        folder = _kernels(part)
        return _is_safe(folder) and any(folder.iterdir())
    except (OSError, RuntimeError):
        return False


def keep(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it; a full or read-only disk is no reason to stop."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent)
    except OSError:
        return
    try:
        with open(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except OSError:
        with suppress(OSError):
            os.unlink(name)


def keep_sealed(path: Path, payload: bytes) -> None:
    """Keep a file that begins with the digest of the rest."""
    keep(path, hashlib.sha256(payload).digest() + payload)


def unsealed(path: Path) -> bytes | None:
    """What a file holds behind its digest; None where there is none, or it is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, payload = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    return payload if hashlib.sha256(payload).digest() == digest else None
