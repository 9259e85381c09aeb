"""The file of a measurement on a device: written after every row, gone on with by the next run."""

import json
import os
from datetime import date
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from minicnn.bench.machine import facts as machine_facts
from minicnn.errors import ArgumentError, FileAccessError, FileFormatError, UnsupportedError

from ..measuring import RESULTS, command
from .device import EMULATED

PREFIX = "gpu-"
RUNNING = ".running"  # ending of the file that says what runs now
KEPT = {"device": dict, "done": list, "failed": dict, "lost": dict, "rows": list}  # what the next run goes on with


class Result:
    """What was measured on one device on one day.

    Raises
    ------
    ArgumentError
        The file there is of another device or other versions.
    FileFormatError
        It is broken, or something else.
    FileAccessError
        The folder is none, or cannot be written to.
    """

    def __init__(self, folder: Path, device: dict[str, Any]):
        self.path = writable(folder) / f"{PREFIX}{slug(device['name'])}-{date.today().isoformat()}.json"
        self.content: dict[str, Any] = {
            "command": command("gpu"),
            "machine": machine_facts(),
            "device": device,
            "emulated": device["name"] == EMULATED,
            "done": [],
            "failed": {},
            "lost": {},
            "left_out": {},
            "rows": [],
        }
        if self.path.exists():
            kept = read_result(self.path)
            if kept["device"] != device:
                raise ArgumentError(f"{self.path} was measured with other versions: remove it, or choose another --out")
            self.content |= {name: kept[name] for name in KEPT}
        self.running = self.path.with_suffix(RUNNING)
        if self.running.exists():
            self.lose("the process ended while it ran")

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self.content["rows"]

    def done(self, title: str) -> bool:
        """Whether a job was done, or has failed, in this run or one before."""
        return any(title in self.content[ending] for ending in ("done", "failed", "lost"))

    def begin(self, what: str) -> None:
        """Note what runs from now on: a process that ends before `idle` leaves it to the next one, for `lose`.

        Raises
        ------
        UnsupportedError
            It has lost the device before.
        """
        if what in self.content["lost"]:
            raise UnsupportedError(f"it is not run again: {self.content['lost'][what]}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.running.write_text(what, "utf-8")

    def lose(self, why: str) -> str:
        """What runs has lost the device, and is not run again: gives its name."""
        what = self.running.read_text("utf-8")
        self.content["lost"][what] = why
        self.write()
        self.idle()
        return what

    def idle(self) -> None:
        """Nothing runs."""
        self.running.unlink(missing_ok=True)

    def add(self, row: dict[str, Any]) -> None:
        """One more row, in the place of an older one of the same thing."""
        self.content["rows"] = [old for old in self.rows if identity(old) != identity(row)] + [row]
        self.write()

    def finish(self, title: str) -> None:
        """A job that has given all of its rows."""
        self.content["done"].append(title)
        self.write()

    def leave_out(self, title: str, why: str) -> None:
        """A job that cannot be done here, or not now: the next run tries again."""
        self.content["left_out"][title] = why
        self.write()

    def fail(self, title: str, why: str) -> None:
        """A job that went wrong: it is not tried again."""
        self.content["failed"][title] = why
        self.write()

    def write(self) -> None:
        """Beside the place, and renamed: a kill leaves the file of before."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".part")
        beside.write_text(json.dumps(self.content, indent=1) + "\n", "utf-8")
        os.replace(beside, self.path)


def writable(folder: Path) -> Path:
    """The folder, which is made where there is none.

    Raises
    ------
    FileAccessError
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        said = f"{folder} is no folder that can be written to ({error.strerror}): name another by --out"
        raise FileAccessError(said) from None
    return folder


def read_result(path: Path) -> dict[str, Any]:
    """What a run before has written.

    Raises
    ------
    FileFormatError
        It is no such file, or broken.
    """
    try:
        found: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        found = {}
    right = isinstance(found, dict) and all(isinstance(found.get(name), kind) for name, kind in KEPT.items())
    if not right or not all(isinstance(row, dict) and "seconds" in row for row in found["rows"]):
        raise FileFormatError(f"{path} is broken, or no result of benchmarks.gpu: remove it, or choose another --out")
    return found


def of_today(folder: Path) -> list[Path]:
    """The files that a run of today may go on with, one for each device."""
    return sorted(folder.glob(f"{PREFIX}*-{date.today().isoformat()}.json"))


def identity(row: dict[str, Any]) -> tuple[Any, ...]:
    """What a row is of."""
    return tuple(row.get(name) for name in ("op", "direction", "case", "model", "task", "batch", "precision"))


def slug(name: str) -> str:
    """
    >>> slug("NVIDIA GeForce RTX 4090")
    'nvidia-geforce-rtx-4090'
    """
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def newest(folder: Path = RESULTS) -> dict[str, Any] | None:
    """The newest result of a GPU; those of the emulator are none."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob(f"{PREFIX}*.json"))]
    return max((r for r in found if not r["emulated"]), key=lambda r: r["machine"]["date"], default=None)
