"""A folder for one process at a time: a lock that ends with its process, however that ends."""

import contextlib
import errno
import os
import weakref
from pathlib import Path
from typing import Any

from minicnn.errors import FileAccessError

try:
    import fcntl
except ImportError:  # Windows
    fcntl: Any = None

NAME = "lock"
TAKEN = (errno.EWOULDBLOCK, errno.EACCES)
_held: "weakref.WeakSet[FolderLock]" = weakref.WeakSet()


class FolderLock:
    """Holds a folder from `acquire` to `release`, or to the end of the process.

    Where files cannot be locked, as on some network drives, everybody gets in.
    """

    def __init__(self, folder: Path):
        self.path = folder / NAME
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the folder.

        Raises
        ------
        FileAccessError
            Another training has it, or it cannot be written to.
        """
        while self._handle is None:
            handle = self._open()
            if self._lock(handle):
                self._handle = handle  # of a file that nobody removed in between
                _held.add(self)
            else:
                os.close(handle)
        with contextlib.suppress(OSError):  # a full disk: the lock holds without a name
            os.truncate(self._handle, 0)
            os.write(self._handle, str(os.getpid()).encode())

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise FileAccessError(f"{self.path.parent} cannot be written to: {error.strerror}") from error

    def _lock(self, handle: int) -> bool:
        """Whether the file that was opened is locked now, and still the one that others will open."""
        if fcntl is None:
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in TAKEN:
                who = os.pread(handle, 20, 0).decode(errors="replace").strip()
                os.close(handle)
                raise FileAccessError(
                    f"{self.path.parent} is in use by another training{f', process {who}' if who else ''}: wait until "
                    "it ends, or take another folder"
                ) from None
        try:
            return os.path.samestat(os.fstat(handle), os.stat(self.path))
        except FileNotFoundError:
            return False

    @property
    def is_taken(self) -> bool:
        """Whether a training has the folder now."""
        if fcntl is None:
            return False
        try:
            handle = os.open(self.path, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno in TAKEN
        finally:
            os.close(handle)
        return False

    def release(self, remove: bool = False) -> None:
        """Let others in; `remove` the file of the lock too."""
        if self._handle is None:
            return
        if remove:
            with contextlib.suppress(OSError):
                self.path.unlink()
        self._let_go()

    def _let_go(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        _held.discard(self)


def _forget_in_child() -> None:
    """A forked child must not hold what its parent locked, or it would hold it when the parent is dead."""
    for lock in list(_held):
        lock._let_go()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
