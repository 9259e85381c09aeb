"""A folder with one folder of pictures a class, or with train/ and val/ of that shape inside.

Class names are in natural order: runs of digits by their value, all else by code point, so `class2` comes
before `class10`.  Names that begin with a dot, `Thumbs.db`, `desktop.ini` and `__MACOSX` are passed over in
silence; every other file that is not used is listed in `problems`.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from minicnn.data.labelled import LabelledFiles
from minicnn.data.order import in_words, joined, natural_key
from minicnn.data.problems import ImageProblem, as_text, printable
from minicnn.data.signatures import FORMAT_LIST, FORMATS, ZIP, format_of, what_to_do
from minicnn.data.split import Split
from minicnn.errors import DataError, FileAccessError

TRAIN_NAMES = ("train", "training")
VALIDATION_NAMES = ("val", "valid", "validation", "test", "testing")

_CLUTTER = {"thumbs.db", "desktop.ini", "__macosx"}


class UnknownClassError(DataError):
    """Pictures of classes that the model does not know; `found` says which."""

    def __init__(self, found: str, remedy: str):
        super().__init__(f"{found}, which the model does not know: {remedy}")
        self.found = found


def scan_folder(path: str | Path, class_names: Sequence[str] | None = None) -> LabelledFiles:
    """List the pictures of a class-per-directory folder and their labels; no picture is decoded.

    With `train` (or `training`) and `val` (or `valid`, `validation`, `test`, `testing`) inside, in small or
    capital letters, the classes are the folders in those two, which must have the same.  Folders below a
    class folder belong to the class.  Links to files within the folder are followed, links to folders and
    links that lead out of it are reported and not used.

    Parameters
    ----------
    path
        The folder.
    class_names
        The classes of a trained model, in its order: then labels are positions in this list, one class is
        enough and others may be absent.

    Raises
    ------
    FileAccessError
        No such folder, or it cannot be read.
    DataError
        No name, no class folder, a single class, a class without pictures, or classes that do not agree.

    Examples
    --------
    >>> folder = scan_folder("photos")                  # doctest: +SKIP
    >>> folder.counts()                                 # doctest: +SKIP
    {'cat': 120, 'dog': 131}
    """
    scan = _Scan(_root(path))
    parts = scan.parts()
    found = [scan.classes(part) for part in parts]
    if class_names is None:
        names = tuple(sorted(found[0], key=natural_key))
        if len(found) == 2:
            _check_agreement(parts, found)
        if len(names) < 2:
            raise _one_class(parts[0], *names)
    else:
        names = tuple(class_names)
        for part, classes in zip(parts, found, strict=True):
            check_known(printable(part), classes, names)
    return _collect(scan, found, names)


def pictures_below(folder: str | Path) -> tuple[list[Path], list[ImageProblem]]:
    """The pictures in a folder without classes and in the folders in it, in natural order, and what was left out.

    Links to files are followed wherever they lead; a folder that cannot be read is left out.

    Raises
    ------
    FileAccessError, DataError
        No such folder.
    """
    scan = _Scan(_root(folder), labelled=False)
    return scan.pictures(scan.root), scan.problems


def _root(path: str | Path) -> Path:
    if path == "":
        raise DataError("the name of a folder is empty: name the one with the pictures")
    return Path(path)


class _Scan:
    """One walk through a folder, with one folder a class or without labels, and the list of what it left out."""

    def __init__(self, root: Path, labelled: bool = True):
        self.root, self._labelled = root, labelled
        self.problems: list[ImageProblem] = []
        if not os.path.isdir(root):
            if os.path.isfile(root) and format_of(root) == ZIP:
                raise DataError(f"{printable(root)} is {ZIP}: unpack it, and name the folder with one for each class")
            if os.path.exists(root):
                raise DataError(f"{printable(root)} is a file: name the folder that has one folder for each class")
            raise FileAccessError(f"{printable(root)}: no such folder; check the path")
        self._real_root = Path(os.path.realpath(root))

    def parts(self) -> list[Path]:
        """[root], or its training and validation folders."""
        folders, _ = self._entries(self.root, report=False)
        by_name = {folder.name.lower(): folder for folder in folders}
        train = next((by_name[name] for name in TRAIN_NAMES if name in by_name), None)
        if train is None or not self._entries(train, report=False)[0]:
            return [self.root]
        validation = next((by_name[name] for name in VALIDATION_NAMES if name in by_name), None)
        if validation is None:
            raise DataError(
                f"{printable(self.root)} has {train.name}/ but no val/ beside it: add one with "
                f"the same classes, or name {printable(train)} to have it divided"
            )
        for other in folders:
            if other not in (train, validation):
                self._leave_out(other, "unused", f"is beside {train.name}/ and {validation.name}/ and is not used")
        return [train, validation]

    def classes(self, part: Path) -> dict[str, list[Path]]:
        """{class name: its pictures} of a folder of class folders."""
        folders, files = self._entries(part)
        if not folders:
            loose = f"{len(files)} {'file' if len(files) == 1 else 'files'} but " if files else ""
            links = f" ({self.problems[0]})" if self.problems else ""
            raise DataError(
                f"{printable(part)} has {loose}no class folders{links}: "
                f"put the pictures of each class in a folder of its own, like {printable(part / 'cat')}"
            )
        for file in files:
            self._leave_out(file, "outside-class", "is in no class folder: move it into one or remove it")
        classes = {as_text(folder.name): self.pictures(folder) for folder in folders}
        if len(classes) < len(folders):
            raise DataError(f"{printable(part)}: two class folders have the same name in UTF-8: rename one of them")
        empty = [name for name, pictures in classes.items() if not pictures]
        if empty:
            inside = [problem for problem in self.problems if problem.path.is_relative_to(part / empty[0])]
            found = f" ({inside[0]})" if inside else ""
            raise DataError(
                f"{printable(part)}: class {in_words(empty)} has no pictures{found}: add some or remove the folder"
            )
        return classes

    def pictures(self, folder: Path) -> list[Path]:
        """All pictures below a folder, in natural order of their paths."""
        found, waiting = [], [folder]
        while waiting:
            folders, files = self._entries(waiting.pop())
            waiting += folders
            found += [file for file in files if self._is_picture(file)]
        return sorted(found, key=lambda file: [natural_key(part) for part in file.relative_to(folder).parts])

    def _is_picture(self, file: Path) -> bool:
        try:
            found = format_of(file)
        except OSError as error:
            self._leave_out(file, "unreadable", f"cannot be read ({error.strerror}): check its permissions")
            return False
        if found not in FORMATS:
            known = f"{found}, " if found else ""
            self._leave_out(file, "not-an-image", f"is {known}not {FORMAT_LIST}: {what_to_do(found)}")
        return found in FORMATS

    def _entries(self, folder: Path, report: bool = True) -> tuple[list[Path], list[Path]]:
        """(folders, files) directly in a folder, in natural order, without clutter and unsafe links."""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: natural_key(entry.name))
        except OSError as error:
            message = f"cannot be read ({error.strerror}): check its permissions"
            if self._labelled:
                raise FileAccessError(f"{printable(folder)} {message}") from None
            self._leave_out(folder, "unreadable", message)
            return [], []
        folders, files = [], []
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in _CLUTTER:
                continue
            fault = self._fault(entry)
            if fault is None:
                (folders if entry.is_dir() else files).append(Path(entry.path))
            elif report:
                self._leave_out(Path(entry.path), *fault)
        return folders, files

    def _fault(self, entry: os.DirEntry) -> tuple[str, str] | None:
        """(kind, message) of an entry that may not be followed or is neither folder nor file."""
        if entry.is_symlink():
            if not os.path.exists(entry.path):
                return "link", "is a link that leads nowhere: remove it"
            if entry.is_dir():
                return "link", "is a link to a folder, which is not followed: copy the folder here"
            if self._labelled and not Path(os.path.realpath(entry.path)).is_relative_to(self._real_root):
                return (
                    "link",
                    "is a link that leads out of the folder and is not followed: copy the file here",
                )
        if not entry.is_dir() and not entry.is_file():
            return "not-a-file", "is a device or pipe, not a picture: remove it"
        return None

    def _leave_out(self, path: Path, kind: str, message: str) -> None:
        self.problems.append(ImageProblem(path, kind, message))


def _collect(scan: _Scan, found: list[dict[str, list[Path]]], names: tuple[str, ...]) -> LabelledFiles:
    files: list[Path] = []
    labels: list[int] = []
    ends = []
    for classes in found:
        for label, name in enumerate(names):
            pictures = classes.get(name, [])
            files += pictures
            labels += [label] * len(pictures)
        ends.append(len(files))
    split = Split(np.arange(ends[0]), np.arange(ends[0], ends[1])) if len(ends) == 2 else None
    return LabelledFiles(scan.root, names, tuple(files), np.array(labels, np.int64), split, tuple(scan.problems))


def _check_agreement(parts: list[Path], found: list[dict[str, list[Path]]]) -> None:
    for here, there in ((0, 1), (1, 0)):
        missing = found[there].keys() - found[here].keys()
        if missing:
            raise DataError(
                f"{printable(parts[here])} has no class {in_words(sorted(missing, key=natural_key))}, which "
                f"{parts[there].name}/ has: both need the same class folders"
            )


def check_known(place: str, classes: Iterable[str], names: Sequence[str], first: str = "") -> None:
    """Raise UnknownClassError where a place has classes that are not among those of a model; `first`: where."""
    unknown = sorted(set(classes) - set(names), key=natural_key)
    if unknown:
        remedy = f"{_renaming(unknown, names)}; known: {in_words(names)}"
        raise UnknownClassError(f"{place} has class {in_words(unknown)}{first}", remedy)


def _renaming(unknown: Sequence[str], names: Sequence[str]) -> str:
    """What to do with unknown classes: the new name where capital letters alone differ."""
    known = {name.casefold(): name for name in names}
    pairs = [(name, known[name.casefold()]) for name in unknown if name.casefold() in known]
    said = [f"'{printable(name)}' to '{printable(right)}'" for name, right in pairs]
    return f"rename {joined(said)}" if said else "rename or remove it"


def _one_class(part: Path, name: str) -> DataError:
    return DataError(
        f"{printable(part)} has one class, {in_words([name])}: a classifier needs at least two; "
        f"if the class folders are inside it, name {printable(part / name)}"
    )
