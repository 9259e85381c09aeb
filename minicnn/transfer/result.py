"""What a transfer leaves: the model, every figure on the way, and what was said about the pictures."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn.autograd import Parameter
from minicnn.metrics.class_scores import class_scores
from minicnn.transfer.base import Base
from minicnn.transfer.judged import Judged
from minicnn.transfer.policy import Policy
from minicnn.transfer.scores import folds_interval, wilson_interval
from minicnn.transfer.settings import Settings


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
        How many weights were trained.
    seconds : list of float
        Duration of each epoch.
    duration : float
        Seconds of the whole phase, with all that it needs: for the head the choice of its weight decay too.
    rates : list of float
        The learning rate of the last step of each epoch; empty where it is not known.
    """

    name: str
    detail: str
    parameters: int
    loss: Sequence[float]
    accuracy: Sequence[float]
    val_loss: Sequence[float]
    val_accuracy: Sequence[float]
    seconds: Sequence[float]
    duration: float
    rates: Sequence[float] = ()


@dataclass(frozen=True)
class Folds:
    """Accuracies of a cross-validation over all pictures: of the head, and after fine-tuning (empty without)."""

    head: Sequence[float]
    fine_tuned: Sequence[float] = ()


@dataclass(frozen=True)
class Mistake:
    """
    A validation picture that the model named wrongly.

    Attributes
    ----------
    picture : bytes
        A small JPEG; empty where the file could not be read again.
    pixels : array (H,W,C), optional
        As they were prepared for the model.
    """

    file: str
    true: str
    predicted: str
    probability: float
    picture: bytes
    pixels: np.ndarray | None = None


@dataclass(frozen=True)
class TransferResult:
    """
    Everything that `finetune_folder` found out.

    Attributes
    ----------
    model : Model
        Prepared pictures to class probabilities; its metadata names classes, size and preparation.
    confusion : int (C,C)
        Over the validation pictures: row = true class, column = predicted.
    train_counts, val_counts : list of int
        Pictures of each class.
    refused, adapted : list of (str, str)
        Files that were left out and why; files that were used after a conversion, and which.
    remarks : list of str
        What a careful person would want to know: copies, pictures in both parts, fine-tuning that did harm.
    copies : list of (str, str)
        Every file with the bytes of another, and the first file with them.
    cache : str
        What the feature cache did.
    seconds : mapping
        {step: seconds}.
    policy : Policy
        How it was trained; that of the settings when None.
    before_fine_tuning : list of (Parameter, array)
        The weights that fine-tuning made worse, as they were when the head alone was trained; else empty.
    judged : Judged or None
        The validation pictures, and what the model made of each.
    """

    model: Any
    base: Base
    settings: Settings
    title: str
    class_names: Sequence[str]
    phases: Sequence[Phase]
    confusion: np.ndarray
    train_counts: Sequence[int]
    val_counts: Sequence[int]
    split: str
    mistakes: Sequence[Mistake] = ()
    folds: Folds | None = None
    refused: Sequence[tuple[str, str]] = ()
    adapted: Sequence[tuple[str, str]] = ()
    remarks: Sequence[str] = ()
    cache: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    copies: Sequence[tuple[str, str]] = ()
    before_fine_tuning: Sequence[tuple[Parameter, np.ndarray]] = ()
    judged: Judged | None = None
    policy: Policy | None = None

    @property
    def training(self) -> Policy:
        """The policy that was followed."""
        return self.policy or self.settings.policy

    @contextlib.contextmanager
    def head_alone(self) -> Iterator[Any]:
        """The model as it was before fine-tuning, until the block ends."""
        tuned = [(parameter, parameter.numpy().copy()) for parameter, _ in self.before_fine_tuning]
        try:
            for parameter, array in self.before_fine_tuning:
                parameter.assign(array)
            yield self.model
        finally:
            for parameter, array in tuned:
                parameter.assign(array)

    @property
    def accuracy(self) -> float:
        """Share of the validation pictures whose class the model got right."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def pictures(self) -> int:
        """How many were used: those for training and those for validation, together as in cross-validation."""
        return sum(self.train_counts) + sum(self.val_counts)

    def metrics(self) -> dict[str, Any]:
        """All figures as plain values: what metrics.json holds."""
        total = int(self.confusion.sum())
        found: dict[str, Any] = {
            "accuracy": self.accuracy,
            "accuracy_interval_95": wilson_interval(int(np.trace(self.confusion)), total),
            "validation_pictures": total,
            "training_pictures": sum(self.train_counts),
            "refused_files": len(self.refused),
            "copies": [{"file": file, "copy_of": first} for file, first in self.copies],
            "remarks": list(self.remarks),
            "phases": [
                {
                    "name": phase.name,
                    "epochs": len(phase.loss),
                    "parameters": phase.parameters,
                    "loss": phase.loss[-1],
                    "accuracy": phase.accuracy[-1],
                    "val_loss": phase.val_loss[-1],
                    "val_accuracy": phase.val_accuracy[-1],
                    "seconds": phase.duration,
                    "first_epoch_seconds": phase.seconds[0],
                    "later_epoch_seconds": float(np.median(phase.seconds[1:])) if len(phase.seconds) > 1 else None,
                }
                for phase in self.phases
            ],
            "classes": {
                score.name: {
                    "precision": score.precision,
                    "recall": score.recall,
                    "f1": score.f1,
                    "support": score.support,
                    **areas,
                }
                for score, areas in zip(class_scores(self.confusion, self.class_names), self._areas())
            },
            "confusion": self.confusion.tolist(),
        }
        if self.judged is not None:
            found |= self.judged.figures()
        if self.folds is not None:
            found["cross_validation"] = self._cross_validation(self.folds)
        return found

    def _areas(self) -> list[dict[str, float | None]]:
        return [{} for _ in self.class_names] if self.judged is None else self.judged.areas()

    def _cross_validation(self, folds: Folds) -> dict[str, Any]:
        return {
            name: {
                "pictures": self.pictures,
                "accuracies": list(values),
                "mean": mean,
                "interval_95": interval,
            }
            for name, values in (("head", folds.head), ("fine_tuned", folds.fine_tuned))
            if values
            for mean, interval in [folds_interval(values)]
        }
