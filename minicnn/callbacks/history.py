"""Records of a training: in memory, and in a CSV file."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.callbacks.callback import Callback, Logs
from minicnn.errors import FileAccessError, FileFormatError
from minicnn.weights.atomic import replacing


class History(Callback):
    """The figures of every epoch; `fit` returns one.

    Attributes
    ----------
    history : {name of a figure: [its value after each epoch]}; a second training adds to it
    epoch : the numbers of the epochs of the last training
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def state(self) -> dict[str, Any]:
        return {"history": self.history, "epoch": self.epoch}

    def load_state(self, state: dict[str, Any]) -> None:
        self.history, self.epoch = state["history"], state["epoch"]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class CSVLogger(Callback):
    """A CSV file with one row for each epoch.

    The file is written anew, whole, at the end of every epoch, so whoever reads it never finds half a row.  The
    columns are "epoch" and the figures of the first epoch in alphabetical order; a figure that comes later gets a
    column at the end.  Where a figure is missing stands "NA".

    Parameters
    ----------
    filename : the file; its folder must exist
    separator : between columns
    append : keep the rows of an existing file

    Raises
    ------
    FileAccessError, FileFormatError
        When training begins: the file cannot be written; the file to append to is no log of epochs.

    Examples
    --------
    >>> from minicnn.callbacks import CSVLogger
    >>> callback = CSVLogger("history.csv")
    """

    only_tells = True

    def __init__(self, filename: str | Path, separator: str = ",", append: bool = False):
        super().__init__()
        self.path, self.separator, self.append = Path(filename), separator, append
        self.columns, self.rows = ["epoch"], []

    def state(self) -> dict[str, Any]:
        return {"columns": self.columns, "rows": self.rows}

    def load_state(self, state: dict[str, Any]) -> None:
        self.columns, self.rows = state["columns"], state["rows"]
        self._write()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.columns, self.rows = self._read() if self.append and self.path.exists() else (["epoch"], [])
        self._write()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        row = {"epoch": epoch} | {name: _cell(value) for name, value in (logs or {}).items()}
        self.columns += sorted(row.keys() - set(self.columns))
        self.rows.append(row)
        self._write()

    def _read(self) -> tuple[list[str], list[dict[str, Any]]]:
        """Columns and rows of the file."""
        try:
            with self.path.open(newline="", encoding="utf-8", errors="replace") as file:
                reader = csv.DictReader(file, delimiter=self.separator)
                rows, columns = list(reader), list(reader.fieldnames or ["epoch"])
        except OSError as error:
            raise FileAccessError(f"CSVLogger: {self.path} cannot be read: {error.strerror}") from error
        if columns[0] != "epoch" or any(None in row for row in rows):
            raise FileFormatError(f"CSVLogger: {self.path} is no log of epochs; take another file, or append=False")
        return columns, rows

    def _write(self) -> None:
        with replacing(self.path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns, restval="NA", delimiter=self.separator)
            writer.writeheader()
            writer.writerows(self.rows)


def _cell(value: Any) -> Any:
    """Arrays as lists, which read better in a cell; NumPy's numbers as Python's."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
