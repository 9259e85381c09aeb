"""A run: a folder with what one training was told, what came out of it, and where it ran.

run.json          title, date, command, configuration, data, environment, seconds
metrics.json      every figure
history.csv       one row an epoch
predictions.csv   one row a validation picture
checkpoints/      while it is trained; what stays of one that was stopped
"""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicnn.errors import DataError, FileAccessError, FileFormatError
from minicnn.training.lock import NAME as LOCK

RECORD, METRICS, PREDICTIONS = "run.json", "metrics.json", "predictions.csv"
CHECKPOINTS, CHOICES = "checkpoints", "choices.json"  # the folder, and what is in it beside a folder for each training
ANSWER_COLUMNS = ("file", "true", "predicted", "probability", "probability_of_true", "sha256")
DEEPEST = 2  # levels below a folder in which runs are found: FOLDER/runs/NAME


@dataclass(frozen=True)
class Run:
    """
    What a run's folder says.

    Attributes
    ----------
    folder : Path
    name : str
        What it is called in a list: the folder from where it was looked for.
    metrics : mapping
        The contents of metrics.json.
    record : mapping
        The contents of run.json; empty for a folder of a version that wrote none.
    """

    folder: Path
    name: str
    metrics: Mapping[str, Any]
    record: Mapping[str, Any]

    @property
    def title(self) -> str:
        """What the pictures are called."""
        return str(self.record.get("title", ""))

    @property
    def created(self) -> str:
        """When it ended, as 2026-11-24T09:30:00+00:00."""
        return str(self.record.get("created", ""))

    @property
    def config(self) -> Mapping[str, Any]:
        """The choices that it was made with, the base among them."""
        return self._part("config")

    def facts(self) -> dict[str, Any]:
        """Everything that may differ between two runs but figures and dates, {"config.epochs": 40, ...}."""
        return flattened({part: self._part(part) for part in ("config", "data", "environment")})

    def _part(self, name: str) -> Mapping[str, Any]:
        found = self.record.get(name)
        return found if isinstance(found, Mapping) else {}

    def answers(self) -> dict[str, tuple[str, str]]:
        """{validation picture: (its class, the answer)}; empty where the folder does not say.

        Raises
        ------
        FileFormatError
            The file is damaged.
        """
        return {row["file"]: (row["true"], row["predicted"]) for row in self._rows()}

    def hashes(self) -> dict[str, str]:
        """{validation picture: SHA-256 of its bytes}, of those of which the folder says it; raises as `answers`."""
        return {row["file"]: row["sha256"] for row in self._rows() if row.get("sha256")}

    def _rows(self) -> list[dict[str, str]]:
        path = self.folder / PREDICTIONS
        if not path.is_file():
            return []
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        except (OSError, csv.Error, UnicodeDecodeError):
            rows = [{}]
        if any(row.get(name) is None for row in rows for name in ANSWER_COLUMNS[:3]):
            raise FileFormatError(f"{path} is damaged: run again, or remove it")
        return rows


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """
    Nested mappings as one, the names joined by dots.

    Examples
    --------
    >>> flattened({"a": {"b": 1, "c": {"d": 2}}})
    {'a.b': 1, 'a.c.d': 2}
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flattened(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return found


def read_run(folder: str | Path, name: str = "") -> Run:
    """
    The run in a folder; without a name it is called as the folder.

    Raises
    ------
    FileAccessError, DataError, FileFormatError
        The folder is missing, holds no run, or a damaged one.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileAccessError(f"{folder} is no folder: name one that minicnn finetune wrote")
    if not (folder / METRICS).is_file():
        raise DataError(f"{folder} holds no run: minicnn finetune PHOTOS --out {folder} writes one")
    metrics = _read(folder / METRICS)
    if not _complete(metrics):
        raise FileFormatError(f"{folder / METRICS} lacks figures: it is not one that minicnn finetune wrote")
    return Run(folder, name or str(folder), metrics, _read(folder / RECORD) if (folder / RECORD).is_file() else {})


def _complete(metrics: Mapping[str, Any]) -> bool:
    """Whether the figures are there that a list shows."""
    interval = metrics.get("accuracy_interval_95")
    figures = [metrics.get("accuracy"), metrics.get("validation_pictures")]
    figures += interval if isinstance(interval, list) and len(interval) == 2 else [None]
    return all(isinstance(figure, int | float) for figure in figures)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise FileAccessError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FileFormatError(f"{path} is damaged: run again, or remove it")
    return found


def find_runs(folder: str | Path) -> tuple[list[Run], list[str]]:
    """
    (the runs in a folder and up to two levels below it, what is wrong with those that are damaged).

    They are sorted by what their pictures are called, the highest accuracy first.

    Raises
    ------
    FileAccessError, DataError
        There is no such folder, or no run in it.
    """
    folder, found, problems = existing(folder), [], []
    for place, name in places(folder, lambda each: (each / METRICS).is_file()):
        try:
            found.append(read_run(place, name))
        except (FileAccessError, FileFormatError) as error:
            problems.append(str(error))
    if not found and not problems and not unfinished_in(folder):
        raise DataError(f"{folder} holds no runs: minicnn finetune PHOTOS --out {folder / 'NAME'} writes one")
    return sorted(found, key=lambda run: (run.title, -run.metrics["accuracy"])), problems


def existing(folder: str | Path) -> Path:
    """A folder to look for runs in, when it is one."""
    if not str(folder):
        raise FileAccessError("the name of a folder is empty: name one with runs in it")
    if not Path(folder).is_dir():
        raise FileAccessError(f"{folder} is no folder: name one with runs in it")
    return Path(folder)


def unfinished_in(folder: Path) -> list[tuple[Path, str]]:
    """(folder, name) of the runs in a folder that did not come to their end."""
    return places(folder, _is_unfinished)


def _is_unfinished(folder: Path) -> bool:
    """Whether a training holds the folder, or held it; one of a program of its own has its checkpoints as files."""
    files = {path.name for path in (folder / CHECKPOINTS).glob("*") if path.is_file() and path.name[0] != "."}
    return bool(files) and files <= {CHOICES, LOCK}


def places(folder: Path, is_one: Callable[[Path], bool]) -> list[tuple[Path, str]]:
    """(folder, its name from `folder` on, "" of that itself) of those that are runs."""
    return [
        (place, "" if place == folder else str(place.relative_to(folder)))
        for place in sorted(_below(folder, DEEPEST, is_one))
    ]


def _below(folder: Path, levels: int, is_one: Callable[[Path], bool]) -> list[Path]:
    """Those that are runs from a folder down; what may not be listed is passed by."""
    found = [folder] if is_one(folder) else []
    if levels and not found:
        try:
            below = [entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
        except OSError:
            below = []
        found += [place for entry in below for place in _below(entry, levels - 1, is_one)]
    return found
