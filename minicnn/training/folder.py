"""A folder of checkpoints: the last ones and the best, held by one training at a time."""

import contextlib
import re
import warnings
from pathlib import Path
from typing import Any

from minicnn.errors import FileAccessError, FileFormatError
from minicnn.training.lock import NAME as LOCK
from minicnn.training.lock import FolderLock
from minicnn.training.state_file import read_state, write_state

PATTERN = re.compile(r"epoch(\d+)-step(\d+)\.safetensors")
CHECKPOINT = {"position", "model", "sources", "metrics", "callbacks", "fingerprint", "changing", "best"}  # what it has
UNFINISHED = re.compile(r"\.epoch\d+-step\d+\.safetensors\.\w+\.tmp")  # what a killed process was writing


class CheckpointFolder:
    """Checkpoints in a folder, one a file, named after the epochs that are done and the steps after them.

    Parameters
    ----------
    path : the folder; `acquire` makes it
    keep : how many of the last checkpoints are kept; the best is kept beside them
    """

    def __init__(self, path: str | Path, keep: int):
        self.path, self.keep = Path(path), keep
        self.best: str | None = None  # name of a file
        self._lock = FolderLock(self.path)
        self._good: list[Path] = []  # oldest first; what this training wrote or went on from

    def acquire(self) -> None:
        """Take the folder for this training, and remove what one that was killed had begun to write.

        Raises
        ------
        FileAccessError
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileAccessError(f"{self.path} cannot be made: {error.strerror}") from error
        self._lock.acquire()
        self._good, self.best = [], None
        for path in self.path.iterdir():
            if UNFINISHED.fullmatch(path.name):
                _remove(path)

    def release(self) -> None:
        """Let other trainings have it."""
        self._lock.release()

    def files(self) -> list[Path]:
        """All checkpoints, the newest last."""
        found = []
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found = [path for path in self.path.iterdir() if PATTERN.fullmatch(path.name)]
        return sorted(found, key=progress)

    def newest(self) -> tuple[Path, Any] | None:
        """The newest checkpoint that is whole, with its contents; None where there are none.

        Raises
        ------
        FileFormatError
            There are some, and all are damaged.
        """
        files = self.files()
        for number, path in enumerate(reversed(files), 1):
            try:
                state = read_checkpoint(path)
            except FileFormatError:
                instead = "the one before it is taken" if number < len(files) else "no other is left"
                warnings.warn(f"{path} is damaged, or of another version of minicnn; {instead}", stacklevel=2)
            else:
                self._good = files[: len(files) - number + 1]
                return path, state
        if files:
            raise FileFormatError(
                f"none of the {len(files)} checkpoints in {self.path} can be read: remove them to begin anew"
            )
        return None

    def place(self, epoch: int, step: int) -> Path:
        """Where the checkpoint after so many epochs and steps is written."""
        return self.path / f"epoch{epoch:05d}-step{step:06d}.safetensors"

    def write(self, path: Path, state: Any) -> None:
        """Write a checkpoint, then remove those that are no longer to be kept.

        Raises
        ------
        FileAccessError
            It cannot be written; all others are kept.
        """
        write_state(path, state)
        self._good = [*(other for other in self._good if other != path), path]
        kept = {*self._good[-self.keep :], *(other for other in self._good if other.name == self.best)}
        self._good = [other for other in self._good if other in kept]
        for other in self.files():
            if other not in kept:
                _remove(other)

    @property
    def last(self) -> Path | None:
        """The last good checkpoint of this training."""
        return self._good[-1] if self._good else None

    def clear(self) -> None:
        """Remove the checkpoints and let the folder go; the folder too, when nothing else is in it."""
        for path in self.files():
            _remove(path)
        self._good = []
        self._lock.release(remove=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()


def is_of_a_training(file: Path) -> bool:
    """Whether a file's name is one of those that a folder of checkpoints has."""
    return file.name == LOCK or any(kind.fullmatch(file.name) for kind in (PATTERN, UNFINISHED))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The contents of a checkpoint.

    Raises
    ------
    FileAccessError, FileFormatError
    """
    state = read_state(path)
    if not isinstance(state, dict) or not state.keys() >= CHECKPOINT:
        raise FileFormatError(f"{path} is no checkpoint of a training")
    return state


def progress(path: Path) -> tuple[int, int]:
    """(epochs, steps after them) that are done at a checkpoint, by its name."""
    match = PATTERN.fullmatch(path.name)
    assert match is not None
    return int(match[1]), int(match[2])


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
