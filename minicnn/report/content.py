"""What a training report says, as plain numbers and text: it can be made and rendered without training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from minicnn.errors import ShapeError


@dataclass(frozen=True)
class Phase:
    """
    One phase of training; every list has one number an epoch.

    Attributes
    ----------
    name : str
        "head" or "fine-tuning".
    detail : str
        What was trained and how, in one sentence.
    parameters : int
        How many numbers were trained.
    seconds : list of float
        Duration of each epoch.
    """

    name: str
    detail: str
    parameters: int
    loss: Sequence[float]
    accuracy: Sequence[float]
    val_loss: Sequence[float]
    val_accuracy: Sequence[float]
    seconds: Sequence[float]


@dataclass(frozen=True)
class Mistake:
    """A validation image that the model named wrongly; `picture` holds the bytes of a small JPEG."""

    file: str
    true: str
    predicted: str
    probability: float
    picture: bytes


@dataclass(frozen=True)
class TrainingReport:
    """
    Everything on the page.

    Attributes
    ----------
    title, created, command : str
        Heading, date, and the command line as it was typed.
    confusion : array (C,C)
        Counts over the validation images: row = true class, column = predicted class.
    train_counts, val_counts : list of int
        Images of each class.
    refused, adapted : list of (str, str)
        Files that were left out and why; files that were used after a conversion, and which.
    fold_accuracies : list of float
        Accuracies of a cross-validation of the head, empty when there was none.
    cache : str
        What the feature cache did.
    facts : mapping
        {heading: {name: value}}: model, data, settings, software, times.
    next_command : str
        How to use the model.
    """

    title: str
    created: str
    command: str
    class_names: Sequence[str]
    confusion: np.ndarray
    phases: Sequence[Phase]
    train_counts: Sequence[int]
    val_counts: Sequence[int]
    mistakes: Sequence[Mistake] = ()
    refused: Sequence[tuple[str, str]] = ()
    adapted: Sequence[tuple[str, str]] = ()
    fold_accuracies: Sequence[float] = ()
    cache: str = ""
    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    next_command: str = ""

    def __post_init__(self):
        classes = len(self.class_names)
        if np.shape(self.confusion) != (classes, classes):
            raise ShapeError(
                f"confusion has shape {np.shape(self.confusion)}, expected ({classes}, {classes}): one row and one "
                "column for each of class_names"
            )

    @property
    def accuracy(self) -> float:
        """Share of the validation images that were named rightly."""
        return float(np.trace(self.confusion) / max(np.sum(self.confusion), 1))
