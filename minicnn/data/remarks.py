"""What a careful person would want to know of a division of pictures that others made."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from minicnn.data.order import in_words
from minicnn.data.problems import printable
from minicnn.data.split import Split, leaks

NAMED = 5  # pairs in one remark


def split_remarks(
    split: Split,
    labels: ArrayLike,
    keys: Sequence[str],
    names: Sequence[str],
    class_names: Sequence[str],
    groups: Sequence[str] | None = None,
) -> list[str]:
    """A line for each: pictures that are in both parts, groups that are in both, classes that a part lacks.

    Parameters
    ----------
    split
        Of N samples.
    labels, keys, names, groups
        N numbers of classes, content hashes, names of the pictures, and names of the groups if there are any.

    Examples
    --------
    >>> split = Split(np.array([0, 1]), np.array([2]))
    >>> split_remarks(split, [0, 1, 1], ["a", "b", "c"], ["x.png", "y.png", "z.png"], ["cat", "dog"])
    ["no validation picture is of class 'cat': it is not judged"]
    """
    labels = np.asarray(labels)
    said = []
    if shared := leaks(split, keys):
        found = [f"{printable(names[judged])} is {printable(names[trained])}" for trained, judged in shared]
        one = "1 validation picture is" if len(shared) == 1 else f"{len(shared):,} validation pictures are"
        said.append(
            f"{one} also among the training pictures, so the accuracy flatters: {_some(found)}; remove them from one"
        )
    if groups is not None:
        both = {groups[int(i)] for i in split.train} & {groups[int(i)] for i in split.validation}
        if both:
            said.append(
                f"group {in_words(sorted(both))} has pictures in both parts, so the accuracy flatters: move them"
            )
    for part, rows in (("training", split.train), ("validation", split.validation)):
        lacking = np.setdiff1d(np.arange(len(class_names)), labels[rows])
        if lacking.size:
            what = "learned" if part == "training" else "judged"
            listed = in_words(class_names[int(i)] for i in lacking)
            said.append(f"no {part} picture is of class {listed}: it is not {what}")
    return said


def _some(found: list[str]) -> str:
    more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more
