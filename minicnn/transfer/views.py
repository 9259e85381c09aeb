"""Changed views of pictures: K of each are made once, and every epoch draws one of them for each picture."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from minicnn.errors import DataError, MinicnnError
from minicnn.training import arrays_text
from minicnn.transfer.policy import Policy


def augmentation(policy: Policy) -> Callable[..., np.ndarray] | None:
    """The function (picture, index, epoch) that changes training pictures, where one does."""
    if policy.augment != "mirror":
        return None if policy.augment is None else partial(_like_it, policy.augment)

    def mirror(picture: np.ndarray, index: int, epoch: int) -> np.ndarray:
        """Left to right; channels are the shortest axis, first or last."""
        if np.random.default_rng((policy.seed, index, epoch)).random() < 0.5:
            return picture
        return picture[..., ::-1] if picture.shape[0] < picture.shape[2] else picture[:, ::-1]

    return mirror


def _like_it(change: Callable[..., Any], picture: np.ndarray, index: int, epoch: int) -> np.ndarray:
    """What a function of the user's makes of a picture, when it is one of the same kind and size."""
    try:
        result = change(picture, index=index, epoch=epoch)
    except MinicnnError:
        raise
    except Exception as error:
        raise DataError(
            f"augment(picture, index={index}, epoch={epoch}) of the policy failed ({type(error).__name__}: {error})"
        ) from error
    given, found = (f"{getattr(x, 'dtype', type(x).__name__)} {np.shape(x)}" for x in (picture, result))
    if found != given:
        raise DataError(f"augment of the policy must give pictures like those it gets, {given}; it gave {found}")
    return result


def changed(images: Any, policy: Policy, view: int) -> tuple[np.ndarray, list[str]]:
    """(all pictures as they would be in epoch `view`, the SHA-256 of each one's pixels)."""
    change = augmentation(policy)
    assert change is not None
    made = np.stack([change(picture, index=i, epoch=view) for i, picture in enumerate(np.asarray(images))])
    return made, [hashlib.sha256(f"{made.shape[1:]}".encode() + picture.tobytes()).hexdigest() for picture in made]


class Drawn:
    """
    Samples of which every epoch draws one of K views for each; a dataset for `fit`.

    Parameters
    ----------
    views : K lists of arrays (N,...)
        The inputs of a model, as each view has them.
    labels : int (N,)
    rows : int (M,)
        The samples.
    seed : int

    Examples
    --------
    >>> views = [[np.zeros((3, 1))], [np.ones((3, 1))]]
    >>> drawn = Drawn(views, np.array([5, 6, 7]), np.array([2, 0]), seed=0)
    >>> [(x.ravel().tolist(), y.tolist()) for x, y in drawn.batches(2)]
    [([1.0, 1.0], [7, 5])]
    """

    def __init__(self, views: Sequence[Sequence[np.ndarray]], labels: np.ndarray, rows: np.ndarray, seed: int):
        self.views, self.labels, self.rows, self.seed = views, labels, rows, seed
        self.begin_epoch(0)

    @property
    def varies(self) -> bool:
        """Whether epochs differ."""
        return len(self.views) > 1

    def __len__(self) -> int:
        return len(self.rows)

    def digest(self) -> str:
        """Another text where the samples are others."""
        return arrays_text([*self.views, [self.labels], [self.rows]])

    def begin_epoch(self, epoch: int) -> None:
        """Draw the views of an epoch: those of a sample depend on seed, place and epoch alone."""
        self.drawn = np.random.default_rng((self.seed, epoch)).integers(len(self.views), size=len(self.labels))

    def batches(self, batch_size: int, order: Any = None) -> Iterator[tuple[Any, np.ndarray]]:
        """(inputs, labels) of batch_size samples after batch_size samples."""
        rows = self.rows if order is None else self.rows[order]
        for start in range(0, len(rows), batch_size):
            part = rows[start : start + batch_size]
            x = [self._of(number, part) for number in range(len(self.views[0]))]
            yield x[0] if len(x) == 1 else x, self.labels[part]

    def _of(self, number: int, rows: np.ndarray) -> np.ndarray:
        """One input of some samples, each from its view."""
        first = self.views[0][number]
        result = np.empty((len(rows), *first.shape[1:]), first.dtype)
        for view, arrays in enumerate(self.views):
            chosen = self.drawn[rows] == view
            result[chosen] = arrays[number][rows[chosen]]
        return result
