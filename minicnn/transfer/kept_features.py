"""Features of pictures that files of a cache hold, each found by its content, whichever pictures came with it."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from minicnn.models.feature_file import FeatureFile, names_of
from minicnn.transfer.feature_cache import FeatureCache

BATCH = 32

Believed = Callable[[np.ndarray, list[np.ndarray]], bool]


class KeptFeatures:
    """
    What a cache has of N pictures.

    Each run leaves a file of what it computed, so a picture that is added costs a file of one row.

    Parameters
    ----------
    cache : FeatureCache or None
    key : str
        The hash of all that decides features beside the picture.
    hashes : sequence of N
        Of each picture's content.

    Attributes
    ----------
    names : uint8 (N,32)
    first : int64 (N,)
        Of each picture the first that has the same content.
    whole : FeatureFile or None
        The file of just these pictures, when `read` found one.

    Examples
    --------
    >>> import tempfile
    >>> cache, rows = FeatureCache(tempfile.mkdtemp()), np.arange(2)
    >>> KeptFeatures(cache, "ab" * 32, ["first", "second"]).keep(rows, [np.ones((2, 3))], rows)
    >>> [(rows.tolist(), a.tolist()) for rows, (a,) in KeptFeatures(cache, "ab" * 32, ["new", "second"]).read()]
    [([1], [[1.0, 1.0, 1.0]])]
    """

    def __init__(self, cache: FeatureCache | None, key: str, hashes: Sequence[str]):
        self.cache, self.key, self.names = cache, key, names_of(hashes)
        place: dict[str, int] = {}
        self.first = np.array([place.setdefault(picture, row) for row, picture in enumerate(hashes)], np.int64)
        self.whole: FeatureFile | None = None
        self._new: FeatureFile | None = None
        self._place: dict[int, int] = {}

    def read(self, right: Believed = lambda rows, features: True) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        """(rows, their features), at most 32 at a time, of all pictures that are there and undamaged, each once.

        A file of whose first rows `right` says no is removed.
        """
        if self.cache is None:
            return
        left, names = np.ones(len(self.names), bool), [name.tobytes() for name in self.names]
        for file in FeatureFile.kept(self.key, self.cache.folder, self.names):
            whole = file if np.array_equal(file.names, self.names) else None
            place = {name.tobytes(): number for number, name in enumerate(file.names)}
            rows = np.array([row for row in np.flatnonzero(left) if names[row] in place], np.int64)
            for part, features in _there(file, rows, np.array([place[names[row]] for row in rows], np.int64)):
                if left[rows].all() and not right(part, features):
                    file.discard()
                    break
                self.whole = self.whole or whole
                left[part] = False
                yield part, features
            if not left[rows].all():
                file.touch()
            if not left.any():
                return

    def keep(self, rows: np.ndarray, features: Sequence[np.ndarray], of: np.ndarray) -> None:
        """Keep what was computed for some pictures, in the file of all that are computed now, `of`.

        Where it cannot be written, a warning says so once.
        """
        if self.cache is None or not self.cache.writable:
            return
        try:
            if self._new is None:
                self._new = FeatureFile.make(features, self.names[of], self.key, self.cache.folder, self.cache.limit)
                self._place = {int(row): place for place, row in enumerate(of)}
            self._new.write(np.array([self._place[int(row)] for row in rows]), features)
        except OSError as error:
            self.cache.give_up(error)


def _there(file: FeatureFile, rows: np.ndarray, places: np.ndarray) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
    """(rows, what a file has at their places), of those that are there."""
    for start in range(0, len(rows), BATCH):
        part = places[start : start + BATCH]
        there = ~file.missing(part)
        if there.any():
            yield rows[start : start + BATCH][there], file.read(part[there])
