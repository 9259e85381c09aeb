"""The names of classes that --classes gives: in the order of the model's outputs."""

import os
from collections import Counter

from minicnn.cli.console import one_line
from minicnn.errors import ArgumentError, FileAccessError

LONGEST_FILE = 4_000_000  # bytes; 22,000 classes take a tenth of it


def read_names(given: str, count: int) -> list[str]:
    """
    The names in a text file, one a line, or those between the commas of a text that is the name of no file.

    Raises
    ------
    ArgumentError
        They are not `count` different names, or the file is no text.
    FileAccessError
        The file cannot be read.

    Examples
    --------
    >>> read_names("cat, dog", 2)
    ['cat', 'dog']
    """
    if not given.strip():
        raise ArgumentError("the names after --classes are empty: write them as cat,dog or in a text file, one a line")
    if os.path.isdir(given):
        raise ArgumentError(f"--classes {given} is a folder: name the classes as cat,dog or in a text file, one a line")
    in_file = os.path.exists(given)
    words = _lines(given) if in_file else given.split(",")
    names = [name for word in words if (name := word.strip()) or not in_file]
    said = f"--classes {one_line(given)}"
    if len(names) != count:
        found = "is one name, and no file" if names == [given.strip()] else f"has {len(names)} names"
        raise ArgumentError(f"{said} {found}; the model has {count} classes: give the names of all, as cat,dog")
    if "" in names:
        raise ArgumentError(f"{said} has an empty name: write the names as cat,dog")
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise ArgumentError(f"{said} has the name {name!r} {times} times: each class needs a name of its own")
    return names


def _lines(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            text = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise FileAccessError(f"--classes {path} cannot be read: {error.strerror or error}") from None
    try:
        if len(text) <= LONGEST_FILE:
            return text.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        pass
    raise ArgumentError(f"--classes {path} is no text file in UTF-8 with one class a line: name another file")
