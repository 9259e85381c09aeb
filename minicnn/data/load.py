"""Many picture files -> one uint8 array, by threads: Pillow lets go of Python's lock while it decodes."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike

from minicnn.data.ahead import thread_count
from minicnn.data.images import Picture, read_bytes, read_picture
from minicnn.data.problems import ImageError, ImageNote, ImageProblem
from minicnn.errors import ArgumentError
from minicnn.preparation.pillow import quiet_pillow
from minicnn.preparation.resize import ResizeRule

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LoadedImages:
    """The pictures that could be read, in the order of their files, and what was said about all.

    Attributes
    ----------
    images
        uint8 (M, H, W, 3).
    indices
        int64 (M,): which of the files each picture is.
    hashes
        M SHA-256 sums of the files' bytes: the keys for caches and for finding copies.
    notes
        On pictures that were read with a change.
    problems
        On files that were not read.
    """

    images: np.ndarray
    indices: np.ndarray
    hashes: tuple[str, ...]
    notes: tuple[ImageNote, ...]
    problems: tuple[ImageProblem, ...]


def load_images(
    files: Sequence[str | Path],
    rule: ResizeRule,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> LoadedImages:
    """Read all files at one size; a bad file becomes a problem, never an exception.

    Memory: N·H·W·3 bytes for the result, and what the threads are decoding (large pictures one at a time).

    Parameters
    ----------
    files
        N paths.
    rule
        The size, and how to reach it.
    threads
        As many as processors, at most 8, when None.
    progress
        Called as progress(files done, N) after each file, from one thread at a time.
    """
    images = np.empty((len(files), *rule.shape, 3), np.uint8)

    def take(index: int, picture: Picture) -> None:
        images[index] = picture.pixels

    outcomes = _read_all(files, rule, take, threads, progress)
    good = [index for index, outcome in enumerate(outcomes) if outcome.problem is None]
    if len(good) < len(files):
        for place, index in enumerate(good):  # in place: a copy would double the memory
            images[place] = images[index]
        images = images[: len(good)]
    hashes = tuple(outcomes[index].sha256 for index in good)
    return LoadedImages(images, np.array(good, np.int64), hashes, _notes(outcomes), _problems(outcomes))


def check_images(
    files: Sequence[str | Path], *, threads: int | None = None, progress: Progress | None = None
) -> tuple[tuple[ImageProblem, ...], tuple[ImageNote, ...]]:
    """(problems, notes) of all files: each is decoded whole and its pixels are dropped."""
    outcomes = _read_all(files, None, lambda index, picture: None, threads, progress)
    return _problems(outcomes), _notes(outcomes)


def file_hashes(files: Sequence[str | Path], *, threads: int | None = None) -> tuple[str, ...]:
    """The SHA-256 sum of each file: equal for copies.

    Raises
    ------
    ImageError
        A file that is missing, empty or cannot be read.
    """
    with ThreadPoolExecutor(thread_count(threads)) as pool:
        return tuple(pool.map(lambda file: hashlib.sha256(read_bytes(Path(file))).hexdigest(), files))


def array_hash(picture: ArrayLike) -> str:
    """The SHA-256 sum of an array: equal for those with the same numbers of one kind and shape."""
    array = np.ascontiguousarray(picture)
    return hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes()).hexdigest()


def image_batches(
    files: Sequence[str | Path], rule: ResizeRule, *, batch_size: int = 32, threads: int | None = None
) -> Iterator[LoadedImages]:
    """`load_images` of batch_size files after batch_size files: for folders that do not fit in memory.

    `indices` count within the batch.
    """
    if batch_size < 1:
        raise ArgumentError(f"batch_size must be at least 1, got {batch_size}")
    for start in range(0, len(files), batch_size):
        yield load_images(files[start : start + batch_size], rule, threads=threads)


@dataclass(frozen=True)
class _Outcome:
    """What became of one file."""

    sha256: str = ""
    notes: tuple[ImageNote, ...] = ()
    problem: ImageProblem | None = None


def _notes(outcomes: list[_Outcome]) -> tuple[ImageNote, ...]:
    return tuple(note for outcome in outcomes for note in outcome.notes)


def _problems(outcomes: list[_Outcome]) -> tuple[ImageProblem, ...]:
    return tuple(outcome.problem for outcome in outcomes if outcome.problem is not None)


def _read_all(
    files: Sequence[str | Path],
    rule: ResizeRule | None,
    take: Callable[[int, Picture], None],
    threads: int | None,
    progress: Progress | None,
) -> list[_Outcome]:
    """What became of each file; `take` gets each picture as soon as it is read."""
    counting, done = Lock(), 0

    def read(index: int) -> _Outcome:
        nonlocal done
        try:
            picture = read_picture(Path(files[index]), rule)
            take(index, picture)
            outcome = _Outcome(picture.sha256, picture.notes)
        except ImageError as error:
            outcome = _Outcome(problem=error.problem)
        if progress is not None:
            with counting:
                done += 1
                progress(done, len(files))
        return outcome

    pool = ThreadPoolExecutor(thread_count(threads))
    try:
        with quiet_pillow():
            return list(pool.map(read, range(len(files))))
    finally:  # after Ctrl-C the files that no thread has begun are left
        pool.shutdown(cancel_futures=True)
