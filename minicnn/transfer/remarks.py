"""What a careful person would want to know of a transfer: about its pictures, and about its fine-tuning."""

import numpy as np

from minicnn.data import Split, conflicts, duplicates, leaks
from minicnn.transfer.pictures import Pictures


def count(number: int, singular: str, plural: str = "") -> str:
    """
    A number and its noun.

    Examples
    --------
    >>> count(1, "picture"), count(1200, "batch", "batches")
    ('1 picture', '1,200 batches')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def remarks_on(pictures: Pictures, split: Split) -> list[str]:
    """Copies, contradicting copies, pictures in both parts."""
    copies = duplicates(pictures.hashes)
    clashes = conflicts(pictures.labels, pictures.hashes)
    shared = leaks(split, pictures.hashes)
    said = []
    if copies:
        extra = sum(len(group) - 1 for group in copies)
        first, second = copies[0][:2]
        said.append(
            f"{count(extra, 'file is a copy of another', 'files are copies of others')}: "
            f"{pictures.name(second)} is {pictures.name(first)}"
        )
    if clashes:
        first, second = clashes[0][:2]
        said.append(
            f"{count(len(clashes), 'picture lies', 'pictures lie')} in two classes: "
            f"{pictures.name(first)}, {pictures.name(second)}"
        )
    if shared:
        trained, judged = shared[0]
        said.append(
            f"{count(len(shared), 'validation picture is', 'validation pictures are')} also among the training "
            f"pictures, so the accuracy flatters: {pictures.name(judged)} is {pictures.name(trained)}"
        )
    return said


def remarks_on_fine_tuning(labels: np.ndarray, head: np.ndarray, tuned: np.ndarray, rate: float) -> list[str]:
    """
    That fine-tuning made the accuracy on the validation pictures lower, when it did.

    Parameters
    ----------
    labels : int (N,)
    head, tuned : float (N,C)
        Probabilities of before and after.
    rate : float
        The learning rate of fine-tuning.
    """
    before, after = (int((probabilities.argmax(axis=1) == labels).sum()) for probabilities in (head, tuned))
    if after >= before:
        return []
    total = len(labels)
    return [
        f"fine-tuning lowered the accuracy from {before / total:.1%} to {after / total:.1%} on the "
        f"{count(total, 'picture')} kept aside ({before:,} right before, {after:,} after): "
        f"run without --unfreeze, or with a --learning-rate smaller than {rate:g}"
    ]
