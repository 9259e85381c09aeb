"""What is known of picture files by their bytes, so that only those are decoded whose pixels are used.

What decoding said of a file, that it is damaged or was converted, and the hash of its pixels, are kept in the feature
cache under the hash of its bytes, of the size, and of what decodes.  Features that are kept need no pixels.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import __version__
from minicnn.data import ResizeRule, load_images
from minicnn.data.ahead import thread_count
from minicnn.data.images import read_bytes
from minicnn.data.load import LoadedImages
from minicnn.data.problems import ImageError, ImageNote, ImageProblem, printable
from minicnn.errors import DataError
from minicnn.preparation.pillow import pillow_image
from minicnn.transfer.feature_cache import FeatureCache

UNREADABLE = "unreadable"  # kind of a problem that is none of a file's bytes


class FilePictures:
    """
    Pictures (N,H,W,3) in files that are known to be good: decoded when they are asked for, and kept from then on.

    Parameters
    ----------
    files : sequence of N paths
    hashes : sequence of N
        SHA-256 of each file's bytes.
    rule : ResizeRule

    Raises
    ------
    DataError
        When it is asked for: a file is another one by now, or cannot be read.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, files: Sequence[Path], hashes: Sequence[str], rule: ResizeRule):
        self.files, self.hashes, self.rule = files, hashes, rule
        self.shape = (len(files), *rule.shape, 3)
        self._pixels = np.empty(self.shape, np.uint8)
        self._there = np.zeros(len(files), bool)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, rows: Any) -> np.ndarray:
        wanted = np.atleast_1d(np.arange(len(self))[rows])
        missing = wanted[~self._there[wanted]]
        if len(missing):
            files, hashes = zip(*((self.files[i], self.hashes[i]) for i in missing.tolist()))
            loaded = load_images(files, self.rule)
            if loaded.problems:
                raise DataError(f"{loaded.problems[0]}; it could be read when the pictures were listed: run again")
            refuse_changed(files, hashes, loaded.hashes)
            self.put(missing, loaded.images)
        return self._pixels[rows]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = np.asarray(self[:], dtype)
        return array.copy() if copy else array

    def put(self, rows: np.ndarray, pixels: np.ndarray) -> None:
        """Pictures that are decoded already."""
        self._pixels[rows], self._there[rows] = pixels, True


def refuse_changed(files: Sequence[Path], before: Sequence[str], now: Sequence[str]) -> None:
    """Refuse files whose hashes are others now: what is kept under those of before would be wrong.

    Raises
    ------
    DataError
    """
    changed = [file for file, was, found in zip(files, before, now, strict=True) if was != found]
    if changed:
        raise DataError(f"{printable(changed[0])} changed while it was used: run again")


@dataclass(frozen=True)
class Fact:
    """What decoding said of one file: (kind, message) of a problem, of notes, and the hash of the pixels."""

    problem: Sequence[str] = ()
    notes: Sequence[Sequence[str]] = ()
    pixels: str = ""


def known_images(
    files: Sequence[Path], rule: ResizeRule, cache: FeatureCache, progress: Callable[[int, int], None] | None = None
) -> tuple[LoadedImages, bool]:
    """
    (what `load_images` gives, whether all pictures look the same); files that are known are not decoded.

    Then the images are FilePictures.
    """
    sums, key = _hashes(files), _key(rule)
    kept = _kept(cache, key)
    facts = {index: kept[known] for index, known in enumerate(sums) if known in kept}
    unknown, before = [index for index in range(len(files)) if index not in facts], len(facts)
    report = None if progress is None else lambda done, total: progress(before + done, len(files))
    loaded = load_images([files[i] for i in unknown], rule, progress=report)
    read: dict[int, str] = dict(zip([unknown[i] for i in loaded.indices.tolist()], loaded.hashes))
    hashes = [read.get(i, known_hash) for i, known_hash in enumerate(sums)]
    facts |= dict(zip(unknown, _found(loaded, [files[i] for i in unknown])))
    bad = [i for i in unknown if facts[i].problem]
    now = read | dict(zip(bad, _hashes([files[i] for i in bad])))
    lasting = [i for i in unknown if sums[i] and now[i] == sums[i] and facts[i].problem[:1] != (UNREADABLE,)]
    _keep(cache, key, {sums[i]: facts[i] for i in lasting})
    good = np.array([i for i in range(len(files)) if not facts[i].problem], np.int64)
    images: Any = loaded.images
    if before:
        images = FilePictures([files[i] for i in good], [hashes[i] for i in good], rule)
        images.put(np.searchsorted(good, list(read)), loaded.images)
    return LoadedImages(
        images,
        good,
        tuple(hashes[i] for i in good),
        tuple(ImageNote(files[i], *note) for i in range(len(files)) for note in facts[i].notes),
        tuple(ImageProblem(files[i], *facts[i].problem) for i in range(len(files)) if facts[i].problem),
    ), len({facts[i].pixels for i in good.tolist()}) == 1


def _hashes(files: Sequence[Path]) -> list[str]:
    """SHA-256 of each file, "" of what cannot be read."""

    def of(file: Path) -> str:
        with contextlib.suppress(ImageError):
            return hashlib.sha256(read_bytes(file)).hexdigest()
        return ""

    with ThreadPoolExecutor(thread_count(None)) as pool:
        return list(pool.map(of, files))


def _key(rule: ResizeRule) -> str:
    pillow = getattr(pillow_image(), "__version__", "")
    return hashlib.sha256(f"minicnn pictures {__version__} {pillow} {rule}".encode()).hexdigest()


def _found(loaded: LoadedImages, files: Sequence[Path]) -> list[Fact]:
    """What was said of files that were read just now."""
    notes: dict[Path, list[Sequence[str]]] = {}
    for note in loaded.notes:
        notes.setdefault(note.path, []).append((note.kind, note.message))
    problems = {problem.path: (problem.kind, problem.message) for problem in loaded.problems}
    pixels = {files[i]: hashlib.sha256(image).hexdigest() for i, image in zip(loaded.indices, loaded.images)}
    return [Fact(problems.get(file, ()), notes.get(file, ()), pixels.get(file, "")) for file in files]


def _keep(cache: FeatureCache, key: str, facts: dict[str, Fact]) -> None:
    """Keep the facts of files, by the hash of their bytes, beside those of other files."""
    if facts:
        text = json.dumps({known: [fact.problem, fact.notes, fact.pixels] for known, fact in facts.items()}).encode()
        cache.put(f"{key}-{hashlib.sha256(text).hexdigest()[:16]}", np.frombuffer(text, np.uint8))


def _kept(cache: FeatureCache, key: str) -> dict[str, Fact]:
    """All facts that are kept, by the hash of a file's bytes."""
    texts = [array.tobytes() for array in map(cache.get, cache.keys(f"{key}-")) if array is not None]
    return {known: Fact(*fact) for text in texts for known, fact in json.loads(text).items()}
