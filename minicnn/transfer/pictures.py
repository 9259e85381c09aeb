"""The pictures of a folder, read once at the size of the base, with everything that was said about them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minicnn.data import ImageFolder, ResizeRule, Split, conflicts, duplicates, leaks, load_images, stratified_split

Progress = Callable[[str, int, int], None]

NAMED = 5  # pairs of copies that a remark names


@dataclass(frozen=True)
class Pictures:
    """
    N pictures with their classes.

    Attributes
    ----------
    folder : ImageFolder
        With the files that could be read.
    images : uint8 (N,H,W,3)
    hashes : tuple of str
        SHA-256 of each file.
    refused, adapted : list of (str, str)
        (file, reason) of what was not used, and of what was used after a conversion.
    """

    folder: ImageFolder
    images: np.ndarray
    hashes: tuple[str, ...]
    refused: list[tuple[str, str]]
    adapted: list[tuple[str, str]]

    @property
    def labels(self) -> np.ndarray:
        """int64 (N,)."""
        return self.folder.labels

    def name(self, index: int) -> str:
        """The file of a picture, from the folder on."""
        return relative(self.folder.files[index], self.folder.root)


def read_pictures(folder: ImageFolder, rule: ResizeRule, progress: Progress | None = None) -> Pictures:
    """
    Read all pictures of a scanned folder; bad files are listed and left out.

    Raises
    ------
    DataError
        A class has no readable picture left.
    """
    report = None if progress is None else lambda done, total: progress("reading pictures", done, total)
    loaded = load_images(folder.files, rule, progress=report)
    problems = [*folder.problems, *loaded.problems]
    return Pictures(
        folder.keep(loaded.indices),
        loaded.images,
        loaded.hashes,
        [(relative(problem.path, folder.root), problem.message) for problem in problems],
        [(relative(note.path, folder.root), note.message) for note in loaded.notes],
    )


def relative(path: Path, root: Path) -> str:
    """The path from the folder on, with slashes."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def split_of(pictures: Pictures, fraction: float, seed: int) -> tuple[Split, str]:
    """The division into training and validation, and how it came about in words."""
    given = pictures.folder.split
    if given is not None:
        return given, "the folder's own train/ and val/"
    names = pictures.folder.class_names
    split = stratified_split(pictures.labels, fraction, seed=seed, keys=pictures.hashes, class_names=names)
    return split, f"{fraction:.0%} of each class kept aside, seed {seed}"


def copies_in(pictures: Pictures) -> list[tuple[str, str]]:
    """(file, the first file with the same bytes) of every copy."""
    return [(pictures.name(i), pictures.name(group[0])) for group in duplicates(pictures.hashes) for i in group[1:]]


def remarks_on(pictures: Pictures, split: Split) -> list[str]:
    """What a careful person would want to know: copies, contradicting copies, pictures in both parts."""
    copies = copies_in(pictures)
    clashes = [_clash(pictures, group) for group in conflicts(pictures.labels, pictures.hashes)]
    shared = [(pictures.name(judged), pictures.name(trained)) for trained, judged in leaks(split, pictures.hashes)]
    said = []
    if copies:
        what = _counted(len(copies), "file is a copy of another", "files are copies of others")
        said.append(f"{what}: {_some(copies)}")
    if clashes:
        what = _counted(len(clashes), "picture lies in several classes", "pictures lie in several classes")
        said.append(f"{what}: {_some(clashes)}")
    if shared:
        what = _counted(len(shared), "validation picture is", "validation pictures are")
        said.append(f"{what} also among those learned from, so the accuracy flatters: {_some(shared)}")
    return said


def _clash(pictures: Pictures, group: list[int]) -> tuple[str, str]:
    """Two files with the same bytes and different classes."""
    first = group[0]
    other = next(i for i in group if pictures.labels[i] != pictures.labels[first])
    return pictures.name(other), pictures.name(first)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _some(pairs: list[tuple[str, str]]) -> str:
    """The first pairs in words."""
    more = f" and {len(pairs) - NAMED:,} more" if len(pairs) > NAMED else ""
    return ", ".join(f"{file} is {other}" for file, other in pairs[:NAMED]) + more
