"""What a training report says, as plain numbers and text: it can be made and rendered without training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from minicnn.errors import ShapeError
from minicnn.transfer.judged import Judged
from minicnn.transfer.result import Folds, Mistake, Phase


@dataclass(frozen=True)
class LayerGroup:
    """Layers that were trained alike: how many weights they have and how many were trained, at what highest rate."""

    name: str
    parameters: int
    trained: int
    rate: float


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
    remarks : list of str
        What a careful reader would want to know about the pictures.
    folds : Folds or None
        Accuracies of a cross-validation.
    cache : str
        What the feature cache did.
    seconds : mapping
        {step: how long it took}.
    judged : Judged or None
        The validation pictures with the model's probabilities.
    seen : mapping
        {file of a mistake: a JPEG of what the model looked at}.
    groups : list of LayerGroup
        Of a fine-tuning, from the inputs on.
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
    remarks: Sequence[str] = ()
    folds: Folds | None = None
    cache: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    judged: Judged | None = None
    seen: Mapping[str, bytes] = field(default_factory=dict)
    groups: Sequence[LayerGroup] = ()
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
        """Share of the validation images whose class the model got right."""
        return float(np.trace(self.confusion) / max(np.sum(self.confusion), 1))
