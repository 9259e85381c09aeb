"""Files appear whole or not at all: written beside their place, forced to disk, then renamed."""

import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from minicnn.errors import FileAccessError

STALE = 3600.0  # seconds after which a file that is being written is taken for abandoned


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """A path to write to; it takes the place of `path` when the block ends well and disappears when it does not.

    Raises
    ------
    FileAccessError
        The folder is missing or not writable, the disk is full, or `path` is no regular file; what was there before is
        kept.

    Examples
    --------
    >>> with replacing("model.h5") as temporary:                                # doctest: +SKIP
    ...     temporary.write_bytes(b"...")
    """
    target = _target(path)
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(6)}.tmp")
    try:
        check_target(path)
        _remove_stale(target)
        yield temporary
        _force(temporary)
        os.replace(temporary, target)
        _force(target.parent)
    except OSError as error:
        if isinstance(error, FileAccessError):
            raise
        reason = error.strerror or str(error)
        raise FileAccessError(f"{path} cannot be written: {reason}; no file was changed") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _remove_stale(target: Path) -> None:
    """Remove what writers of this file left that were killed long ago."""
    left = re.compile(rf"\.{re.escape(target.name[:40])}\.[0-9a-f]{{12}}\.\w+")
    with contextlib.suppress(OSError):
        for path in target.parent.iterdir():
            if left.fullmatch(path.name) and time.time() - path.stat().st_mtime > STALE:
                path.unlink()


def check_target(path: str | os.PathLike) -> None:
    """Raise FileAccessError when what is at `path` is no regular file, so that no file may take its place."""
    target = _target(path)
    if os.path.isdir(target):  # which is False, where pathlib raises, in a folder that cannot be entered
        raise FileAccessError(f"{path} is a folder: give the name of a file")
    if os.path.exists(target) and not os.path.isfile(target):
        raise FileAccessError(f"{path} is a device or a pipe: give the name of a file")


def _target(path: str | os.PathLike) -> Path:
    """The file itself, where `path` is a link."""
    try:
        return Path(os.path.realpath(path))
    except ValueError as error:
        raise FileAccessError(f"{os.fspath(path)!r} cannot be the name of a file: {error}") from None


def _force(path: Path) -> None:
    """fsync a file, or a folder where the system can."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
