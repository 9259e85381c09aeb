"""Runs that did not come to their end: what they are, how far they came, and whether they can go on."""

import contextlib
import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicnn.runs.run import CHECKPOINTS, CHOICES, existing, unfinished_in
from minicnn.training.folder import PATTERN, progress
from minicnn.training.lock import FolderLock


@dataclass(frozen=True)
class UnfinishedRun:
    """
    A folder that `minicnn finetune` has, or had when it was stopped.

    Attributes
    ----------
    folder : Path
    name : str
        As of a Run.
    choices : mapping
        What it was told, the base among it; empty where the folder does not say.
    last : Path or None
        The checkpoint that was written last.
    written : str
        When it was, as 2026-11-24T09:30:00+00:00; "" without one.
    running : bool
        Whether a process is at it now.
    """

    folder: Path
    name: str
    choices: Mapping[str, Any]
    last: Path | None
    written: str
    running: bool

    @property
    def status(self) -> str:
        """In words, what may be done with it."""
        if self.running:
            return "under way"
        if self.last is None:
            return "unfinished, has no checkpoint"
        return "unfinished, can be resumed" if self.choices else f"unfinished, {CHOICES} is missing or damaged"

    @property
    def reached(self) -> str:
        """How far it has come: "fine-tuning, epoch 3, step 5", or "head, epoch 40"; "" without a checkpoint."""
        if self.last is None:
            return ""
        epochs, steps = progress(self.last)
        return (
            f"{self.last.parent.name}, epoch {epochs + 1}, step {steps}"
            if steps
            else f"{self.last.parent.name}, epoch {epochs}"
        )


def find_unfinished(folder: str | Path) -> list[UnfinishedRun]:
    """
    The runs in a folder and up to two levels below it that did not come to their end, by their names.

    Raises
    ------
    FileAccessError
        There is no such folder.
    """
    return [_read(place, name or str(place)) for place, name in unfinished_in(existing(folder))]


def _read(folder: Path, name: str) -> UnfinishedRun:
    checkpoints, choices, times = folder / CHECKPOINTS, None, {}
    with contextlib.suppress(OSError, ValueError, RecursionError):
        choices = json.loads((checkpoints / CHOICES).read_text("utf-8"))
    for file in checkpoints.glob("*/*.safetensors"):
        if PATTERN.fullmatch(file.name):
            with contextlib.suppress(FileNotFoundError):  # of a training that goes on
                times[file] = file.stat().st_mtime
    last = max(times, key=times.__getitem__, default=None)
    return UnfinishedRun(
        folder,
        name,
        choices if isinstance(choices, dict) else {},
        last,
        "" if last is None else datetime.datetime.fromtimestamp(times[last]).astimezone().isoformat(timespec="seconds"),
        FolderLock(checkpoints).is_taken,
    )
