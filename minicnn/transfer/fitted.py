"""All steps of a transfer in their order: features, cross-validation where one is asked for, the head, fine-tuning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.autograd import Parameter
from minicnn.data import Split
from minicnn.errors import DataError
from minicnn.preparation import Preparation
from minicnn.transfer.features import CacheUse
from minicnn.transfer.fine_tuning import Tail, watched_part
from minicnn.transfer.folds import cross_validate
from minicnn.transfer.job import LIVE_SAMPLES, Job
from minicnn.transfer.pictures import trained_on
from minicnn.transfer.remarks import remarks_on_fine_tuning
from minicnn.transfer.result import Folds, Phase


@dataclass(frozen=True)
class Fitted:
    """
    What the steps gave.

    Attributes
    ----------
    features : float32 (N,D)
        Of the frozen base, for all samples.
    use : CacheUse
    phases : list of Phase
    probabilities : float32 (M,C)
        Of the validation samples, by the finished model.
    folds : Folds or None
    harm : list of str
        That fine-tuning lowered the accuracy, when it did.
    before : list of (Parameter, array)
        The weights that it made worse, as they were; else empty.
    """

    features: np.ndarray
    use: CacheUse
    phases: Sequence[Phase]
    probabilities: np.ndarray
    folds: Folds | None = None
    harm: Sequence[str] = ()
    before: Sequence[tuple[Parameter, np.ndarray]] = ()


def fitted(job: Job, split: Split, folds: int = 0) -> Fitted:
    """Take all steps of a job; its model is trained then, and says what it knows."""
    _check_patience(job, split)
    features, tail, use = job.features()
    shown = job.samples.prepared(split.validation[:LIVE_SAMPLES])  # now: a file may be gone when training is done
    crossed = _cross_validated(job, features, tail, folds) if folds else None
    head, phase = job.train_head(features, split)
    phases, probabilities = [phase], head.probabilities(features[split.validation])
    harm, before = [], []
    if tail is not None:
        kept, head_said = tail.kept(), probabilities
        phases.append(job.fine_tune(tail, split))
        probabilities = tail.probabilities(split.validation, job.policy.batch_size)
        truth = job.samples.labels[split.validation]
        harm = remarks_on_fine_tuning(truth, head_said, probabilities, job.policy.learning_rate)
        before = kept if harm else []
    job.compare_with_live(probabilities, shown)
    job.model.metadata = _metadata(job, split)
    return Fitted(features, use, phases, probabilities, crossed, harm, before)


def _check_patience(job: Job, split: Split) -> None:
    """Let early stopping refuse a class with too few training pictures now, not after the head."""
    policy, samples = job.policy, job.samples
    if policy.patience is None:
        return
    try:
        watched_part(samples.labels, split.train, policy, samples.keys, samples.class_names)
    except DataError as error:
        raise DataError(
            f"with patience={policy.patience} training pictures are kept for early stopping: {error}"
        ) from None


def _cross_validated(job: Job, features: np.ndarray, tail: Tail | None, folds: int) -> Folds:
    samples = job.samples
    with job.clock.measure("cross-validation"):
        return cross_validate(
            features,
            samples.labels,
            samples.keys,
            samples.class_names,
            job.policy,
            folds,
            tail,
            job.progress,
            job.callbacks,
            job.head_views,
        )


def _metadata(job: Job, split: Split) -> dict[str, Any]:
    """What the model is to say of itself when it is saved."""
    samples, preparation = job.samples, job.base.preparation
    known: dict[str, Any] = {"class_names": list(samples.class_names)}
    if isinstance(preparation, Preparation):
        known = preparation.metadata(samples.class_names)
    return {**known, "base": job.base.name, **trained_on([samples.hashes[int(i)] for i in split.train])}
