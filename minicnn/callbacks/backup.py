"""BackupAndRestore: a training that can be killed at any moment and goes on as if it never was."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minicnn.arguments import switch, whole_number
from minicnn.callbacks.callback import Logs
from minicnn.callbacks.monitor import MonitorCallback
from minicnn.errors import ArgumentError, DivergedError, FileAccessError
from minicnn.seeds import set_random_seed
from minicnn.training import CheckpointFolder, as_json, compare, not_finite
from minicnn.training.plain import pack


class BackupAndRestore(MonitorCallback):
    """Keeps the state of a training in a folder; `fit`, called again with the same arguments, goes on from there.

    The state is all that decides how training goes on: weights and moving statistics, the optimizer, the random streams
    of shuffling and of layers, the place in the epoch and its order, the figures so far, and what other callbacks
    remember (`Callback.state`).  So the weights at the end are, bit for bit, those of a training that never stopped, on
    the same machine with the same versions.  (Frozen layers are an exception where there is no Numba: BLAS may sum
    in another order for a batch of another size.)  Call `minicnn.utils.set_random_seed` before the model is made when
    a program that was killed before the first checkpoint shall begin the same way again.

    A checkpoint is written beside its place, forced to disk and renamed: a process that is killed loses the steps since
    the last one.  Ctrl-C loses nothing, a checkpoint is written then.  The newest that is whole is taken.  A training
    of another model, other data or other arguments (but `epochs`, which may grow) is refused before anything is
    changed, and so is a second process in the same folder.  A checkpoint that cannot be written, as on a full disk, is
    warned of, and training goes on.  Numbers that are not finite are never written.

    Datasets whose epochs differ have `state()` and `load_state()` for it; of a generator nobody knows the position: a
    training that is taken up again gets the batches that it gives then.

    Parameters
    ----------
    backup_dir : the folder, of this training alone
    save_freq : "epoch", or a number of steps between two checkpoints, which goes on counting from epoch to epoch
    double_checkpoint : False keeps the last checkpoint alone, so that nothing is left where it is damaged
    delete_checkpoint : remove the checkpoints when training has come to its end, so that the next `fit` begins anew;
        else the next `fit` with these arguments gives the trained model and its history at once, also to a program that
        was killed before it saved them
    keep : how many of the last checkpoints are kept
    monitor, mode : keep the best checkpoint too, at the end of the epoch in which this figure is best; that of another
        figure, from before training went on, is forgotten
    settings : {name: value} of whatever else decides the training; going on with other values is refused

    Raises
    ------
    ArgumentError
        An argument is not allowed, or something has a state that cannot be kept.
    FileAccessError
        When training begins: the folder cannot be written to, or another training has it.
    FileFormatError
        All checkpoints in it are damaged.
    WeightsMismatchError
        It holds another training; the message says what differs.

    Examples
    --------
    >>> from minicnn.callbacks import BackupAndRestore
    >>> callback = BackupAndRestore("backup", save_freq=100)
    """

    def __init__(
        self,
        backup_dir: str | Path,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = True,
        delete_checkpoint: bool = True,
        keep: int = 2,
        monitor: str | None = None,
        mode: str = "auto",
        settings: Mapping[str, Any] | None = None,
    ):
        super().__init__(monitor or "", mode)
        if not isinstance(backup_dir, str | Path) or not str(backup_dir):
            raise ArgumentError(f"BackupAndRestore: backup_dir must be the name of a folder; it is {backup_dir!r}")
        by_epoch = save_freq == "epoch"
        self.every_steps = 0 if by_epoch else whole_number("BackupAndRestore", "save_freq", save_freq, 1)
        self.delete_checkpoint = switch("BackupAndRestore", "delete_checkpoint", delete_checkpoint)
        keep = whole_number("BackupAndRestore", "keep", keep, 1)
        double = switch("BackupAndRestore", "double_checkpoint", double_checkpoint)
        self.folder = CheckpointFolder(backup_dir, keep if double else 1)
        self.settings = dict(settings or {})
        self._fingerprint: dict[str, Any] = {}
        self._failed = False
        self._figure: list[str] = []  # what the best is the best of
        self._found: tuple[Path, dict[str, Any]] | None = None

    @property
    def watches(self) -> bool:
        return bool(self.monitor)

    # What fit calls -----------------------------------------------------------------------------------------------

    @contextmanager
    def holding(self, course: Any) -> Iterator[None]:
        """Within the block the folder is this training's; what is in it has been read and compared.

        Raises
        ------
        FileAccessError, FileFormatError, WeightsMismatchError, ArgumentError
        """
        self.folder.acquire()
        try:
            self._failed, self.best, self._figure = False, None, [self.monitor, self.mode]
            self._fingerprint = as_json({**self.settings, **course.fingerprint()})
            pack(course.parts(), "fit")
            self._found = self.folder.newest()
            if self._found is not None:
                self._take_over(self._found[1])
            if not course.restorable:
                warnings.warn(
                    "BackupAndRestore: a generator's position cannot be kept: a training that is taken up "
                    "again does not see the batches that it would have seen; give arrays or a dataset",
                    stacklevel=5,
                )
            yield
        finally:
            self._found = None
            self.folder.release()

    def _take_over(self, state: dict[str, Any]) -> None:
        """Be the training that a state is of, when it is."""
        compare(self.folder.path, state["fingerprint"], self._fingerprint, state["changing"])
        self._fingerprint = state["fingerprint"]
        value, name, *figure = state["best"]
        same = not self.watches or figure == self._figure
        if same and name is not None and (self.folder.path / name).is_file():  # else the next epoch is the best
            self.best, self.folder.best, self._figure = value, name, figure

    def resume(self, course: Any) -> None:
        """Go on from what was found, if anything was."""
        found, self._found = self._found, None  # which takes memory
        if found is not None:
            course.resume(*found)

    def step_done(self, course: Any) -> None:
        """After a step and its hooks."""
        if self.every_steps and course.position.steps % self.every_steps == 0:
            self.save(course)

    def epoch_done(self, course: Any, last: bool) -> None:
        """After an epoch and its hooks; `last` when none follows."""
        logs: Logs = course.position.logs
        value = self.current(logs) if self.watches else None
        better, before = value is not None and self.improves(value, self.best), (self.best, self.folder.best)
        if better:
            self.best = value
            self.folder.best = self._place(course).name
        if (better or last or not self.every_steps) and not self.save(course):
            self.best, self.folder.best = before

    def save(self, course: Any) -> bool:
        """Write a checkpoint, and say whether there is one; where that cannot be, or a figure is none that can be kept,
        warn and go on.

        Raises
        ------
        DivergedError
            A weight, or the optimizer's state, is not finite.
        """
        if course.has_diverged:
            return False
        state = course.state()
        if (place := not_finite(course.model, state["model"])) is not None:
            last = "" if self.last is None else f"; the last good one is {self.last}"
            epoch, step = course.position.epoch, course.position.step
            raise DivergedError(
                f"fit: after {epoch} epochs and {step} steps {place} is not finite: no checkpoint is written{last}"
            )
        state |= {"fingerprint": self._fingerprint, "changing": as_json(course.changing())}
        state["best"] = [self.best, self.folder.best, *self._figure]
        try:
            self.folder.write(self._place(course), state)
        except (FileAccessError, ArgumentError) as error:
            if not self._failed:
                last = "there is none yet" if self.last is None else f"the last one is {self.last}"
                warnings.warn(f"no checkpoint: {error}; {last}; training goes on", stacklevel=2)
            self._failed = True
        else:
            self._failed = False
        return not self._failed

    def end(self, course: Any) -> None:
        """Training has come to its end."""
        if self.delete_checkpoint and not course.has_diverged:
            self.folder.clear()

    @property
    def last(self) -> Path | None:
        """The last checkpoint of the training."""
        return self.folder.last

    def _place(self, course: Any) -> Path:
        return self.folder.place(course.position.epoch, course.position.step)


class NoBackup:
    """What `fit` calls where nothing is kept."""

    last = None

    @contextmanager
    def holding(self, course: Any) -> Iterator[None]:
        yield

    def resume(self, course: Any) -> None: ...

    def step_done(self, course: Any) -> None: ...

    def epoch_done(self, course: Any, last: bool) -> None: ...

    def save(self, course: Any) -> bool:
        return False

    def end(self, course: Any) -> None: ...


def resumable(
    folder: str | Path,
    *,
    seed: int,
    every: str | int,
    resume: bool,
    settings: Mapping[str, Any] | None = None,
    monitor: str | None = None,
) -> BackupAndRestore:
    """What a program with `--seed`, `--checkpoint-every` and `--resume` calls first, before it makes its model.

    The seed is set, so that weights, shuffling and dropout are drawn as they were; the callback that is returned goes
    into `fit`.  The checkpoints stay when training has come to its end, so that `resume` then gives the finished model
    at once.  A training in several stages takes a folder for each: with `resume`, stages that were finished are read,
    the one that was not goes on, and later ones begin.

    Parameters
    ----------
    folder : of this training alone
    seed : for `set_random_seed`; a resume with another one is refused
    every : "epoch", or the steps between two checkpoints
    resume : go on with what is in the folder, or begin where nothing is; without it, checkpoints there are refused
    settings : the other options that decide the training; a resume with other values is refused by their names
    monitor : a figure whose best checkpoint is kept beside the last ones

    Raises
    ------
    ArgumentError, FileAccessError

    Examples
    --------
    >>> from minicnn.callbacks import resumable
    >>> callback = resumable("runs/flowers", seed=1, every=50, resume=True, settings={"learning rate": 1e-3})
    >>> callback.every_steps
    50
    """
    seed = whole_number("resumable", "seed", seed, 0)
    callback = BackupAndRestore(
        folder, every, delete_checkpoint=False, monitor=monitor, settings={"seed": seed, **(settings or {})}
    )
    if not resume and (files := callback.folder.files()):
        raise FileAccessError(
            f"{folder} holds the checkpoints of a training, the last of them {files[-1].name}: resume it, or take "
            "another folder"
        )
    set_random_seed(seed)
    return callback
