"""The pictures of a folder, read once at the size of the base, with everything that was said about them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.data import LabelledFiles, ResizeRule, Split, load_images, stratified_split
from minicnn.data.decode import ENLARGED
from minicnn.data.problems import as_text, printable
from minicnn.errors import DataError
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.known_pictures import known_images

Progress = Callable[[str, int, int], None]

MOST_REMEMBERED = 20_000  # training pictures that a model's metadata name: 15 bytes each
TRAINED_ON = "trained_on"


@dataclass(frozen=True)
class Pictures:
    """
    N pictures with their classes.

    Attributes
    ----------
    folder : LabelledFiles
        With the files that could be read.
    images : uint8 (N,H,W,3)
        An array, or FilePictures that are decoded when they are asked for.
    hashes : tuple of str
        SHA-256 of each file.
    refused, adapted : list of (str, str)
        (file, reason) of what was not used, and of what was used after a conversion.
    tiny : list of (str, str)
        Those of the latter that had to be enlarged so much that there is little to see on them.
    """

    folder: LabelledFiles
    images: Any
    hashes: tuple[str, ...]
    refused: list[tuple[str, str]]
    adapted: list[tuple[str, str]]
    tiny: Sequence[tuple[str, str]] = ()

    @property
    def labels(self) -> np.ndarray:
        """int64 (N,)."""
        return self.folder.labels

    def name(self, index: int) -> str:
        """The file of a picture, from the folder on."""
        return relative(self.folder.files[index], self.folder.root)


def read_pictures(
    folder: LabelledFiles, rule: ResizeRule, progress: Progress | None = None, cache: FeatureCache | None = None
) -> Pictures:
    """
    Read all pictures of a scanned folder; bad files are listed and left out.

    With a cache, those that it knows by the hash of their files are decoded when they are asked for.

    Raises
    ------
    DataError
        A class has no readable picture left, or all pictures look the same.
    """
    report = None if progress is None else lambda done, total: progress("reading pictures", done, total)
    if cache is None:
        loaded = load_images(folder.files, rule, progress=report)
        alike = all(np.array_equal(image, loaded.images[0]) for image in loaded.images)
    else:
        loaded, alike = known_images(folder.files, rule, cache, report)
    problems = [*folder.problems, *loaded.problems]
    kept = folder.keep(loaded.indices)
    if alike:
        raise DataError(
            f"{printable(folder.root)}: all {len(kept)} pictures look the same: there is nothing to tell them apart by"
        )
    return Pictures(
        kept,
        loaded.images,
        loaded.hashes,
        *(
            [(relative(said.path, folder.root), said.message) for said in notes]
            for notes in (problems, loaded.notes, [note for note in loaded.notes if note.kind == ENLARGED])
        ),
    )


def trained_on(hashes: Sequence[str]) -> dict[str, list[str]]:
    """What metadata say of the pictures, by SHA-256, that a model was trained on; nothing of too many.

    >>> trained_on(["ab" * 32])
    {'trained_on': ['abababababab']}
    """
    found = sorted({_short(sha256) for sha256 in hashes})
    return {TRAINED_ON: found} if len(found) <= MOST_REMEMBERED else {}


def count_trained_on(metadata: Mapping[str, Any], hashes: Iterable[str]) -> int:
    """How many of these pictures the model with this metadata was trained on, as far as it says."""
    known = metadata.get(TRAINED_ON)
    remembered = {name for name in known if isinstance(name, str)} if isinstance(known, list) else set()
    return sum(_short(sha256) in remembered for sha256 in hashes)


def _short(sha256: str) -> str:
    return sha256[:12]  # of 20,000 pictures and as many others, two share it once in 700,000 times


def relative(path: Path, root: Path) -> str:
    """The path from the folder on, or from that of a table, with slashes, as text."""
    within = next((place for place in (root, root.parent) if path.is_relative_to(place)), None)
    return as_text(path if within is None else path.relative_to(within).as_posix())


def split_of(pictures: Pictures, fraction: float, seed: int) -> tuple[Split, str]:
    """The division into training and validation, and how it came about in words."""
    given = pictures.folder.split
    known = {"keys": pictures.hashes, "groups": pictures.folder.groups, "class_names": pictures.folder.class_names}
    split = given or stratified_split(pictures.labels, fraction, seed=seed, **known)
    return split, split_said(given, fraction, seed)


def split_said(given: Split | None, fraction: float, seed: int) -> str:
    """How a division came about: a given one, or one that was drawn."""
    return (
        f"{fraction:.0%} of each class, drawn with seed {seed}" if given is None else "the folder's own train/ and val/"
    )
