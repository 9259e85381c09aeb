"""Which pictures are meant by the files and folders that are named on the command line."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from minicnn.data import pictures_below
from minicnn.data.problems import printable
from minicnn.data.signatures import FORMAT_LIST
from minicnn.errors import ArgumentError

MODEL_ENDINGS = (".keras", ".h5", ".hdf5", ".safetensors")


@dataclass(frozen=True)
class NamedPictures:
    """Files to read, lines on what was named and cannot be, and on what lies in a folder and is no picture."""

    files: list[Path] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def find_pictures(names: Iterable[str]) -> NamedPictures:
    """
    The files that are named, there or not, and the pictures below the folders that are named, in order.

    Raises
    ------
    ArgumentError
        An empty name: a variable of the shell that is not set.
    """
    found = NamedPictures()
    for name in names:
        if not name:
            raise ArgumentError("the name of a picture is empty; name a file or a folder")
        if re.match(r"\w+://", name):
            found.errors.append(f"{name} is an address: minicnn reads files, download it first")
        elif name.lower().endswith(MODEL_ENDINGS):
            found.errors.append(f"{name} is a model, not a picture: one model is named first, then pictures")
        elif os.path.isdir(name):
            _add_folder(name, found)
        else:
            found.files.append(Path(name))  # if it is not there, reading says so
    return found


def _add_folder(folder: str, found: NamedPictures) -> None:
    files, problems = pictures_below(folder)
    found.files.extend(files)
    for problem in problems:
        (found.errors if problem.kind == "unreadable" else found.left_out).append(str(problem))
    if not files and not any(problem.path == Path(folder) for problem in problems):
        found.errors.append(f"{printable(folder)} holds no pictures ({FORMAT_LIST}); name another folder")
