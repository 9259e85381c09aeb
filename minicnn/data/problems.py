"""What is said about a picture: a note when it was read with a change, a problem when it was refused."""

import os
from dataclasses import dataclass
from pathlib import Path

from minicnn.errors import FileAccessError, FileFormatError


def as_text(name: str | Path) -> str:
    r"""A name as text that any file can hold: bytes that are not UTF-8 as escapes.

    >>> print(as_text(os.fsdecode(b"caf\xe9")))
    caf\xe9
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def printable(path: str | Path) -> str:
    r"""The path on one line: characters that a terminal would act on, or cannot print, as escapes.

    >>> print(printable("a\nb.jpg"))
    a\nb.jpg
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in as_text(path))


@dataclass(frozen=True)
class ImageNote:
    """A picture that was read, and what had to be done to it: `kind` is one word, `message` a phrase."""

    path: Path
    kind: str
    message: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.message}"


@dataclass(frozen=True)
class ImageProblem(ImageNote):
    """A file that was not read: `kind` is one word, `message` says what is wrong and what to do."""

    __str__ = ImageNote.__str__


class ImageError(FileFormatError):
    """A file that is not a picture minicnn reads; `problem` has the path, the kind and the message apart."""

    def __init__(self, path: Path, kind: str, message: str):
        self.problem = ImageProblem(path, kind, message)
        super().__init__(str(self.problem))


class ImageAccessError(ImageError, FileAccessError):
    """A picture file that is missing or cannot be opened."""
