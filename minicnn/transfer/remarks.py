"""What a careful person would want to know of a transfer: about its pictures, and about its fine-tuning."""

from collections.abc import Sequence

import numpy as np

from minicnn.data import Split, conflicts, duplicates, split_remarks
from minicnn.data.remarks import NAMED
from minicnn.runs.compare import sign_test
from minicnn.transfer.result import Mistake
from minicnn.transfer.samples import Samples

HEAD_FILE = "head.keras"
CHANCE = 0.05


def count(number: int, singular: str, plural: str = "") -> str:
    """
    A number and its noun.

    Examples
    --------
    >>> count(1, "picture"), count(1200, "batch", "batches")
    ('1 picture', '1,200 batches')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def copies_in(samples: Samples) -> list[tuple[str, str]]:
    """(file, the first file with the same bytes) of every copy."""
    return [(samples.name(i), samples.name(group[0])) for group in duplicates(samples.hashes) for i in group[1:]]


def remarks_on(samples: Samples, split: Split) -> list[str]:
    """Copies, contradicting copies, tiny pictures, pictures in both parts; of each file what is worst."""
    copies = _spare_copies(samples, split)
    clashes = [_clash(samples, group) for group in conflicts(samples.labels, samples.hashes)]
    said = []
    if copies:
        kind = "file" if samples.pictures else "picture"
        what = count(len(copies), f"{kind} is a copy of another", f"{kind}s are copies of others")
        said.append(f"{what}: {_some(copies)}; each was used, which gives it more weight: remove those you do not want")
    if clashes:
        what = count(len(clashes), "picture lies in several classes", "pictures lie in several classes")
        done = "each was used with the class it lies in, and one is wrong: keep it in the right one alone"
        said.append(f"{what}: {_some(clashes)}; {done}")
    if samples.pictures is not None and samples.pictures.tiny:
        tiny = samples.pictures.tiny
        listed = ", ".join(f"{file}, {why}" for file, why in tiny[:NAMED])
        what = count(len(tiny), "picture is", "pictures are")
        said.append(f"{what} so small that there is little to see: {listed}; remove what was not meant")
    names = [samples.name(row) for row in range(len(samples.labels))]
    same = _by_class(samples)
    return said + split_remarks(split, samples.labels, same, names, samples.class_names, samples.groups)


def _spare_copies(samples: Samples, split: Split) -> list[tuple[str, str]]:
    """(file, the first like it) of copies in one class and part: the others are clashes and leaks, and told as such."""
    judged = set(split.validation.tolist())
    keys = [f"{key} {row in judged}" for row, key in enumerate(_by_class(samples))]
    return [(samples.name(i), samples.name(group[0])) for group in duplicates(keys) for i in group[1:]]


def _by_class(samples: Samples) -> list[str]:
    """The pictures' hashes, with their classes."""
    return [f"{sha256} {label}" for sha256, label in zip(samples.hashes, samples.labels)]


def _clash(samples: Samples, group: list[int]) -> tuple[str, str]:
    """Two files with the same bytes and different classes."""
    first = group[0]
    other = next(i for i in group if samples.labels[i] != samples.labels[first])
    return samples.name(other), samples.name(first)


def remarks_on_mistakes(mistakes: Sequence[Mistake]) -> list[str]:
    """Which of them have no picture."""
    gone = [mistake.file for mistake in mistakes if not mistake.picture]
    if not gone:
        return []
    names = ", ".join(gone[:NAMED]) + (f" and {len(gone) - NAMED:,} more" if len(gone) > NAMED else "")
    return [
        f"{count(len(gone), 'picture')} could not be read again after training: {names}; the report names these "
        "mistakes without them"
    ]


def _some(pairs: list[tuple[str, str]]) -> str:
    """The first pairs in words."""
    more = f" and {len(pairs) - NAMED:,} more" if len(pairs) > NAMED else ""
    return ", ".join(f"{file} is {other}" for file, other in pairs[:NAMED]) + more


def remarks_on_fine_tuning(labels: np.ndarray, head: np.ndarray, tuned: np.ndarray, rate: float) -> list[str]:
    """
    That fine-tuning made the accuracy on the validation pictures lower, when it did, and whether by more than chance:
    by the sign test on the pictures that one of both models alone named rightly.

    Parameters
    ----------
    labels : int (N,)
    head, tuned : float (N,C)
        Probabilities of before and after.
    rate : float
        The learning rate of fine-tuning.
    """
    was, now = (probabilities.argmax(axis=1) == labels for probabilities in (head, tuned))
    before, after, total = int(was.sum()), int(now.sum()), len(labels)
    if after >= before:
        return []
    p = sign_test(int((was & ~now).sum()), int((now & ~was).sum()))
    remedy = f"a learning rate smaller than {rate:g} may give a better one"
    chance = f"as large a difference may well be chance (sign test, p = {p:.2g})"
    return [
        f"fine-tuning lowered the accuracy from {before / total:.1%} to {after / total:.1%} on the "
        f"{count(total, 'picture')} kept aside ({before:,} right before, {after:,} after): "
        f"the model of before is kept as {HEAD_FILE}; {remedy if p < CHANCE else chance}"
    ]
