"""From a job that is done to its result: every figure, and everything that was said on the way."""

import numpy as np

from minicnn.data import Split
from minicnn.data.problems import as_text
from minicnn.metrics import ConfusionMatrix
from minicnn.transfer.fitted import Fitted
from minicnn.transfer.job import Job
from minicnn.transfer.judged import Judged
from minicnn.transfer.mistakes import worst_mistakes
from minicnn.transfer.remarks import copies_in, count, remarks_on, remarks_on_mistakes
from minicnn.transfer.result import TransferResult
from minicnn.transfer.samples import Samples
from minicnn.transfer.settings import Settings


def result_of(job: Job, split: Split, done: Fitted, settings: Settings, split_said: str) -> TransferResult:
    """
    The result of a job.

    Parameters
    ----------
    split_said : str
        How the division came about.
    """
    samples, rows, names = job.samples, split.validation, job.samples.class_names
    labels, mistakes = samples.labels[rows], worst_mistakes(samples, rows, done.probabilities)
    return TransferResult(
        model=job.model,
        base=job.base,
        settings=settings,
        policy=job.policy,
        title=as_text(samples.pictures.folder.root.resolve().name) if samples.pictures else "samples",
        class_names=names,
        phases=done.phases,
        confusion=ConfusionMatrix(len(names))(labels, done.probabilities),
        train_counts=_counts(job, split.train),
        val_counts=_counts(job, rows),
        split=split_said,
        mistakes=mistakes,
        judged=_judged(samples, rows, done),
        folds=done.folds,
        refused=samples.pictures.refused if samples.pictures else (),
        adapted=samples.pictures.adapted if samples.pictures else (),
        remarks=[*remarks_on(samples, split), *done.harm, *remarks_on_mistakes(mistakes)],
        cache=_said_of_cache(job, done),
        seconds=job.clock.seconds,
        copies=copies_in(samples),
        before_fine_tuning=done.before,
    )


def _judged(samples: Samples, rows: np.ndarray, done: Fitted) -> Judged:
    names, hashes = ([part(int(row)) for row in rows] for part in (samples.name, samples.hashes.__getitem__))
    return Judged(names, samples.labels[rows], done.probabilities, done.features[rows], hashes)


def _counts(job: Job, rows: np.ndarray) -> list[int]:
    return np.bincount(job.samples.labels[rows], minlength=len(job.samples.class_names)).tolist()


def _said_of_cache(job: Job, done: Fitted) -> str:
    pictures = count(len(job.samples.labels), "picture")
    if job.cache is None and done.use.storage == "float32":
        return f"Features of {pictures}: computed; the cache was not used."
    views = done.use.found + done.use.computed - len(job.samples.labels)
    more = f" and {count(views, 'view')} of them" if views else ""
    return f"Features of {pictures}{more}: {done.use}."
