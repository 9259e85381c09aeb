"""Other Python processes that compile kernels: started, given work, ended.

A process takes a while until it can compile.  So the first kernel of a network that is missing on disk starts them, and
they make ready while this process compiles it, and prepares the weights; what else is missing is known only then.
Where several processes start with an empty cache, one of them has helpers: there are no more cores for others.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl: Any = None

PATIENCE = 120  # seconds that another process may take for its last kernel
PROGRAM = "from minicnn.kernels._compile_together import help_compiling; help_compiling()"
LOCK = "helped.lock"


class Others:
    """The other processes that this one has; none is left at the end of a `with` block."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen] = []
        self.lock: int | None = None

    def __enter__(self) -> Others:
        return self

    def __exit__(self, *problem: object) -> None:
        self._end()
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    def _end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
            _close(process)
        self.processes = []

    def start(self, count: int, folder: Path) -> None:
        """Have `count` of them, or fewer where no more can be had; `folder` is that of the compiled kernels."""
        if len(self.processes) >= count or not is_python(sys.executable) or not self._is_first(folder):
            return
        with suppress(OSError):
            while len(self.processes) < count:
                self.processes.append(_start())

    def _is_first(self, folder: Path) -> bool:
        """Whether no other process has helpers now that fill the same folder."""
        if fcntl is None or self.lock is not None:
            return True
        lock = None
        try:
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if lock is not None:
                os.close(lock)
            return False
        self.lock = lock
        return True

    def give(self, message: bytes) -> None:
        """Tell all what there is to do; they end when it is done."""
        for process in self.processes:
            stdin: Any = process.stdin
            with suppress(OSError):  # it has ended
                stdin.write(message)
            _close(process)

    def wait(self) -> None:
        """Until all have ended, so that others can be started for what else will be missing."""
        for process in self.processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
        self._end()


_ahead: ContextVar[Others | None] = ContextVar("minicnn_other_processes", default=None)


@contextmanager
def compiling_network() -> Iterator[None]:
    """Within the block all kernels of a network are asked for: when the first is missing, others will be."""
    with Others() as others:
        token = _ahead.set(others)
        try:
            yield
        finally:
            _ahead.reset(token)


def started_ahead() -> Others | None:
    """Those of the `compiling_network` that this code runs in."""
    return _ahead.get()


def is_python(executable: str | None) -> bool:
    """Whether a program is Python itself: one that embeds Python would begin its own work anew."""
    name = Path(executable or "").stem.lower()
    return not getattr(sys, "frozen", False) and re.fullmatch(r"python[\d.]*(w|_d)?", name) is not None


def _close(process: subprocess.Popen) -> None:
    stdin: Any = process.stdin
    with suppress(OSError):  # what it was told did not all get there
        stdin.close()


def _start() -> subprocess.Popen:
    paths = os.pathsep.join(path for path in sys.path if path and isinstance(path, str))
    return subprocess.Popen(
        [sys.executable, "-P", "-c", PROGRAM],  # -P: a file of the current folder is not taken for a module
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
