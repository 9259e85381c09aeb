"""Checkpoints of a transfer: a folder for its trainings, which one process holds and the same transfer resumes."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from minicnn.callbacks import BackupAndRestore, Callback
from minicnn.data.augment import Pipeline
from minicnn.errors import ArgumentError, FileAccessError, FileFormatError
from minicnn.runs.run import CHOICES
from minicnn.training import as_json, compare
from minicnn.training.folder import is_of_a_training
from minicnn.training.lock import FolderLock
from minicnn.transfer.base import Base
from minicnn.transfer.best_epoch import FIGURE
from minicnn.transfer.job import Job
from minicnn.transfer.policy import Policy
from minicnn.transfer.samples import Samples
from minicnn.transfer.settings import Settings
from minicnn.weights.atomic import replacing

FILES = "*/*.safetensors"

StageCallbacks = Callable[[str], Sequence[Callback]]


class Checkpoints:
    """
    A folder that a transfer holds from its beginning to the end of the `with` block, with a folder for each training.

    What has come to its end is read when the transfer goes on, what has not goes on, and what comes after begins: the
    weights are, bit for bit, those of a transfer that never stopped (`callbacks.BackupAndRestore`).  Of each training
    the last two checkpoints are kept, and the best: the end of the epoch with the smallest cross-entropy on the samples
    that it is measured on.  When the block ends well, all of it is removed; when it ends by an error or Ctrl-C, or the
    process is killed, checkpoints stay.

    Parameters
    ----------
    folder : path
        Of this transfer alone.
    every : int or "epoch", optional
        Steps between two checkpoints; None holds the folder and writes none.
    resume : bool
        Go on with what is in the folder, or begin where nothing is.  Without it, checkpoints there are refused.
    tell : function, optional
        Called with a line on where it goes on, or that it begins, when it is certain that it does: with `resume` only.

    Raises
    ------
    FileAccessError
        When the block begins: another process holds the folder, it cannot be written, there are files of other
        programs in it, or checkpoints and `resume` is false.

    Examples
    --------
    >>> from minicnn.report import write_outputs
    >>> with Checkpoints("run/checkpoints", every=50, resume=True) as kept:                    # doctest: +SKIP
    ...     result = finetune_folder("photos", policy=Policy(), checkpoints=kept)
    ...     write_outputs(result, "run")
    """

    def __init__(
        self,
        folder: str | Path,
        every: int | str | None = "epoch",
        resume: bool = False,
        tell: Callable[[str], object] | None = None,
    ):
        self.folder, self.every, self.resume, self.tell = Path(folder), every, resume, tell
        self._lock = FolderLock(self.folder)
        self._held = False
        self._made: list[Path] = []  # folders that were not there, the innermost first

    @property
    def last(self) -> Path | None:
        """The checkpoint that was written last."""
        return max(self.folder.glob(FILES), key=lambda file: file.stat().st_mtime_ns, default=None)

    def __enter__(self) -> Self:
        self._made = [place for place in (self.folder, *self.folder.absolute().parents) if not os.path.exists(place)]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileAccessError(f"{self.folder} cannot be made: {error.strerror}") from None
        self._lock.acquire()
        try:
            self._check_contents()
        except BaseException:
            self._lock.release(remove=self.last is None)
            raise
        self._held = True
        return self

    def _check_contents(self) -> None:
        """Refuse what others keep in a folder of this name, which the end would remove, and to go on unasked."""
        if (other := next(filter(self._is_foreign, sorted(self.folder.iterdir())), None)) is not None:
            raise FileAccessError(
                f"{self.folder} holds {other.name}, which is of no training of minicnn, and is removed when one ends: "
                "move it away, or take another folder"
            )
        if not self.resume and (last := self.last) is not None:
            raise FileAccessError(
                f"{self.folder} holds a training that did not come to its end, its last checkpoint is "
                f"{last.relative_to(self.folder)}: resume it (--resume), remove the folder, or take another"
            )

    def _is_foreign(self, path: Path) -> bool:
        if path.is_dir() and not path.is_symlink():
            return not path.name.startswith(".") and not all(is_of_a_training(file) for file in path.iterdir())
        return path.name not in (CHOICES, self._lock.path.name) and not path.name.startswith(".")

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._held = False
        if kind is None or self.last is None:
            self._clear(kind is not None)
        else:
            self._lock.release()

    def _clear(self, failed: bool) -> None:
        """Remove the folder; after a failure those around it too that were made for it."""
        for path in sorted(
            self.folder.iterdir(), key=lambda path: path.name == CHOICES
        ):  # last, for who is killed here
            if path != self._lock.path:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        self._lock.release(remove=True)
        for place in dict.fromkeys([self.folder, *(self._made if failed else ())]):
            with contextlib.suppress(OSError):
                place.rmdir()

    def begin(self, choices: Mapping[str, Any]) -> None:
        """Go on if this is the transfer that the folder is of; begin if it is of none.

        Raises
        ------
        WeightsMismatchError
            It is of another; the message names the first choice that differs.
        FileFormatError
            Nobody can tell: the record of it is damaged.
        ArgumentError
            The folder is not held: outside of the `with` block.
        """
        if not self._held:
            raise ArgumentError("Checkpoints must be held while a transfer runs: with Checkpoints(...) as checkpoints")
        path, now = self.folder / CHOICES, as_json(dict(choices))
        if self.last is not None:
            compare(self.folder, _read(path), now, {})
        elif self.every is not None:
            with replacing(path) as temporary:
                temporary.write_text(json.dumps(now, indent=2), encoding="utf-8")
        if self.resume and self.tell is not None:
            nothing = f"there is nothing to resume in {self.folder.parent}: the training begins"
            self.tell(nothing if self.last is None else f"going on from {self.last}")

    def beside(self, callbacks: StageCallbacks | None) -> StageCallbacks:
        """Further callbacks of each training, and that which keeps its state."""

        def of_stage(stage: str) -> Sequence[Callback]:
            others = () if callbacks is None else callbacks(stage)
            if self.every is None:
                return others
            folder = self.folder / stage.replace(" ", "-")
            kept = BackupAndRestore(folder, self.every, delete_checkpoint=False, monitor=FIGURE, mode="min")
            return [*others, kept]

        return of_stage


def watch(job: Job, settings: Settings, checkpoints: Checkpoints | None, callbacks: StageCallbacks | None) -> None:
    """Let a job keep its state, when it is the one that the checkpoints are of, and call others as it goes."""
    if checkpoints is not None:
        checkpoints.begin(choices_of(job.base, job.samples, job.policy, settings))
        callbacks = checkpoints.beside(callbacks)
    job.callbacks = callbacks or job.callbacks


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FileFormatError(f"{path} is missing or damaged: remove {path.parent} to begin anew")
    return found


def choices_of(base: Base, samples: Samples, policy: Policy, settings: Settings) -> dict[str, Any]:
    """All that decides the weights at the end, by the names that a refusal calls it."""
    counts = f"{len(samples.labels)} of {len(samples.class_names)} classes"
    names = "\n".join([*samples.class_names, *samples.hashes, *(samples.groups or ())])
    rows = [] if samples.split is None else [samples.split.train, samples.split.validation]
    return {
        "base": base.name,
        "weights": f"{base.weights} {_digest(weight.numpy() for weight in base.model.weights)}",
        "preparation": str(samples.preparation),
        "pictures": f"{counts} {_digest([_bytes(names), samples.labels, *rows])}",
        **vars(policy),
        "augment": _augment_in_words(policy.augment),
        "validation": settings.validation,
        "folds": settings.folds,
    }


def _augment_in_words(choice: Any) -> str | None:
    """A pipeline with all of its steps; of a function nobody knows more than its name."""
    if choice is None or isinstance(choice, str):
        return choice
    return repr(choice) if isinstance(choice, Pipeline) else getattr(choice, "__qualname__", type(choice).__qualname__)


def _bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-8", "surrogateescape"), np.uint8)


def _digest(arrays: Iterable[np.ndarray]) -> str:
    found = hashlib.blake2b(digest_size=4)
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()
