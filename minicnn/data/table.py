"""A table of labels: a CSV file with a line for each picture, `file,label` or `file,label,group`."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minicnn.data.folder import check_known, scan_folder
from minicnn.data.labelled import LabelledFiles, label_files
from minicnn.data.order import in_words
from minicnn.data.problems import printable
from minicnn.data.signatures import sniff
from minicnn.errors import DataError, FileAccessError, FileFormatError

MAX_BYTES = 256 * 2**20
ENDINGS = (".csv", ".tsv")

_NEEDED = ("file", "label")
_OPTIONAL = ("group",)
_HINT = "the first line must name the columns: file,label or file,label,group"


def read_table(
    path: str | Path, folder: str | Path | None = None, class_names: Sequence[str] | None = None
) -> LabelledFiles:
    """The files and labels of a CSV file, whose first line names the columns, in any order; others are passed over.

    Commas, semicolons or tabs divide the columns, as the first line does.

    Parameters
    ----------
    path
        The table, in UTF-8.
    folder
        Where relative paths begin; the table's own folder when None.
    class_names
        The classes of a trained model, in its order: then one class is enough and others may be absent.  Those of
        the table in natural order when None.

    Raises
    ------
    FileAccessError, FileFormatError
        It cannot be read, or is no such table.
    DataError
        By its line: a row without a file or label, a file twice, or one that is not there; labels that do not match.

    Examples
    --------
    >>> photos = read_table("labels.csv")               # doctest: +SKIP
    >>> photos.counts()                                 # doctest: +SKIP
    {'cat': 120, 'dog': 131}
    """
    path = Path(path)
    rows = _rows(path)
    folder = path.parent if folder is None else Path(folder)
    files = [folder / row["file"] for _, row in rows]
    for (line, row), file in zip(rows, files):
        if not os.path.isfile(file):
            count = sum(not os.path.isfile(other) for other in files)
            more = f", and {count - 1} more are not there" if count > 1 else ""
            raise DataError(
                f"{_place(path, line)} there is no file {printable(row['file'])} in {printable(folder)}{more}"
            )
    groups = tuple(row["group"] for _, row in rows) if "group" in rows[0][1] else None
    labels = [row["label"] for _, row in rows]
    if class_names is None:
        return label_files(files, labels, groups=groups, root=path)
    unknown = [line for line, row in rows if row["label"] not in class_names]
    check_known(printable(path), labels, class_names, f", first in line {unknown[0]}" if unknown else "")
    numbers = np.array([list(class_names).index(label) for label in labels], np.int64)
    return LabelledFiles(path, tuple(class_names), tuple(files), numbers, groups=groups)


def files_of(source: str | Path | LabelledFiles) -> LabelledFiles:
    """The labelled files that a table (`read_table`) or a folder (`scan_folder`) names, or that are given."""
    if isinstance(source, LabelledFiles):
        return source
    return read_table(source) if os.path.isfile(source) else scan_folder(source)


def named_files(path: str | Path, class_names: Sequence[str] | None = None) -> LabelledFiles:
    """The labelled files of a table that ends in .csv or .tsv, else of a folder: what a command line names."""
    table = os.fspath(path).lower().endswith(ENDINGS) and not os.path.isdir(path)
    return read_table(path, class_names=class_names) if table else scan_folder(path, class_names)


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """(line, {column: value}) of each row, the columns that are read having a value each."""
    text = _text(path)
    start = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=start.count), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        columns = {name: header.index(name) for name in (*_NEEDED, *_OPTIONAL) if name in header}
        if not columns.keys() >= set(_NEEDED):
            found = in_words(header) if header else "nothing"
            raise FileFormatError(f"{printable(path)} begins with {found}: {_HINT}")
        rows = [(reader.line_num, _row(path, reader.line_num, columns, values)) for values in reader if any(values)]
    except csv.Error as error:
        raise FileFormatError(f"{_place(path, reader.line_num)} it cannot be read as CSV ({error})") from None
    if not rows:
        raise DataError(f"{printable(path)} names no pictures")
    first: dict[str, int] = {}
    for line, row in rows:
        if first.setdefault(row["file"], line) != line:
            raise DataError(
                f"{_place(path, line)} {printable(row['file'])} was named in line {first[row['file']]} already"
            )
    return rows


def _row(path: Path, line: int, columns: dict[str, int], values: list[str]) -> dict[str, str]:
    row = {name: values[place].strip() if place < len(values) else "" for name, place in columns.items()}
    if missing := [name for name, value in row.items() if not value]:
        raise DataError(f"{_place(path, line)} it has no {missing[0]}")
    return row


def _text(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", error)
        raise FileAccessError(f"{printable(path)} cannot be read ({reason}): check its name") from None
    if len(data) > MAX_BYTES:
        raise FileFormatError(f"{printable(path)} is larger than {MAX_BYTES:,} bytes: divide it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        found = sniff(data[:16])
        kind = f"{found}, no table of labels" if found else "no text in UTF-8"
        raise FileFormatError(
            f"{printable(path)} is {kind}: name a folder of pictures, or a CSV file in UTF-8"
        ) from None


def _place(path: Path, line: int) -> str:
    return f"{printable(path)}, line {line}:"
