"""run.json and predictions.csv: what a later comparison of runs needs to know."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.preparation import Preparation
from minicnn.report.describe import now, software
from minicnn.runs.run import ANSWER_COLUMNS
from minicnn.transfer.base import Base
from minicnn.transfer.policy import FINE_TUNING, Policy
from minicnn.transfer.result import TransferResult
from minicnn.transfer.settings import Settings


def run_record(result: TransferResult, command: Sequence[str]) -> dict[str, Any]:
    """What run.json holds: plain values, the choices as they took effect."""
    counts = zip(result.class_names, result.train_counts, result.val_counts)
    data = {
        "pictures": result.pictures,
        "split": result.split,
        "training_and_validation": {name: [train, judged] for name, train, judged in counts},
        "refused": len(result.refused),
    }
    return {
        "title": result.title,
        "created": now().isoformat(timespec="seconds"),
        "command": list(command),
        "config": configuration(result.base, result.training, result.settings),
        "data": data,
        "environment": dict(software()),
        "seconds": dict(result.seconds),
    }


def configuration(base: Base, policy: Policy, settings: Settings) -> dict[str, Any]:
    """The base and all choices, as they take effect."""
    return {
        "base": base.name,
        "weights": base.weights,
        "weights_sha256": base.sha256,
        **(_prepared(base.preparation) if isinstance(base.preparation, Preparation) else {}),
        **in_effect(policy),
        "validation": settings.validation,
        "folds": settings.folds,
        "device": base.model.device,
    }


def in_effect(policy: Policy) -> dict[str, Any]:
    """The choices of a policy as plain values; None for those of fine-tuning where the head alone is trained."""
    said = {name: value if _plain(value) else repr(value) for name, value in vars(policy).items()}
    if policy.head_only:
        said |= dict.fromkeys([*FINE_TUNING, *([] if policy.views else ["augment"])])
    return said


def _prepared(preparation: Preparation) -> dict[str, Any]:
    return {
        "size": list(preparation.size),
        "resize": preparation.rule.method,
        "preprocessing": preparation.preprocessing,
    }


def _plain(value: Any) -> bool:
    """Whether JSON knows a choice."""
    return value is None or isinstance(value, bool | int | float | str | list | tuple | dict)


def predictions_csv(result: TransferResult) -> str:
    """One row a validation picture: its class, the answer, the probabilities of both, and the hash of its bytes."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(ANSWER_COLUMNS)
    judged, names = result.judged, result.class_names
    if judged is not None:
        answers = judged.probabilities.argmax(axis=1)
        rows = np.arange(len(answers))
        sure, true = judged.probabilities[rows, answers], judged.probabilities[rows, judged.labels]
        hashes = judged.hashes or [""] * len(answers)
        for name, label, answer, sha256, *shares in zip(judged.names, judged.labels, answers, hashes, sure, true):
            writer.writerow([name, names[label], names[answer], *(f"{share:.6g}" for share in shares), sha256])
    return stream.getvalue()
