"""The main job: a folder of photos and a trained network become a classifier of these photos."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from minicnn.data import Split, scan_folder, stratified_folds
from minicnn.data.problems import as_text
from minicnn.errors import DataError
from minicnn.metrics import ConfusionMatrix
from minicnn.transfer.base import Base, load_base
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import CacheUse, default_cache
from minicnn.transfer.folds import cross_validate
from minicnn.transfer.job import Clock, Job, check_unfreeze
from minicnn.transfer.judged import Judged
from minicnn.transfer.mistakes import surest_mistakes
from minicnn.transfer.pictures import Pictures, read_pictures, split_of, trained_on
from minicnn.transfer.policy import Policy
from minicnn.transfer.remarks import copies_in, count, remarks_on, remarks_on_fine_tuning
from minicnn.transfer.result import TransferResult
from minicnn.transfer.samples import of_pictures
from minicnn.transfer.settings import Settings

Progress = Callable[[str, int, int], None]


def finetune_folder(
    photos: str | Path,
    base: str | Path = "mobilenet",
    weights: str | Path = "imagenet",
    settings: Settings | None = None,
    *,
    policy: Policy | None = None,
    cache: FeatureCache | bool = True,
    progress: Progress | None = None,
) -> TransferResult:
    """
    Train a classifier of the pictures in a folder on a network that others trained.

    The base is frozen and run once; a softmax head is trained on its features; with `settings.unfreeze` the last
    layers are then fine-tuned at a small rate.  Nothing is written but the feature cache.

    Parameters
    ----------
    photos : path
        One folder of pictures a class, or train/ and val/ of that shape.
    base, weights
        As in `load_base`.
    settings : Settings, optional
    policy : Policy, optional
        How to train, in place of what the settings say of it: epochs, batch size, dropout, layers, rate.
    cache : FeatureCache or bool
        True: the one in the user's cache folder. False: none.
    progress : function, optional
        Called as progress(step, done, total).

    Raises
    ------
    MinicnnError
        Of the kinds that `scan_folder`, `load_base` and `Settings` name; one clear line each.

    Examples
    --------
    >>> result = finetune_folder("photos", "mobilenet")  # doctest: +SKIP
    >>> result.accuracy  # doctest: +SKIP
    0.93
    """
    settings = settings or Settings()
    policy = replace(policy or settings.policy, seed=settings.seed)
    clock = Clock()
    folder = scan_folder(photos)
    _check_folds(folder.counts(), settings.folds)
    with clock.measure("load the base"):
        loaded = _load_base(base, weights, settings, policy)
    with clock.measure("read the pictures"):
        pictures = read_pictures(folder, loaded.preparation.rule, progress)
    split, said = split_of(pictures, settings.validation, settings.seed)
    _check_different_pictures(pictures, settings)
    store = cache if isinstance(cache, FeatureCache) else default_cache() if cache else None
    job = Job(loaded, of_pictures(pictures, loaded), policy, store, progress, clock)
    return _Run(job, settings, pictures, split).result(said)


def _check_folds(counts: Mapping[str, int], folds: int) -> None:
    name, least = min(counts.items(), key=lambda item: item[1])
    if least < folds:
        remedy = f"add some or ask for at most {least}" if least > 1 else "add some or do without"
        raise DataError(f"class {name!r} has too few pictures ({least}) for {folds} folds: {remedy}")


def _load_base(base: str | Path, weights: str | Path, settings: Settings, policy: Policy) -> Base:
    """The base, in which the layer that fine-tuning begins from is found."""
    found = load_base(base, weights, size=settings.size, resize=settings.resize, preprocessing=settings.preprocessing)
    check_unfreeze(found.model, policy.unfreeze)
    return found


def _check_different_pictures(pictures: Pictures, settings: Settings) -> None:
    """Let cross-validation refuse a class with too many copies now, not after the features."""
    if settings.folds:
        names = pictures.folder.class_names
        stratified_folds(pictures.labels, settings.folds, seed=settings.seed, keys=pictures.hashes, class_names=names)


class _Run:
    """The steps between pictures and result, which share all of these."""

    def __init__(self, job: Job, settings: Settings, pictures: Pictures, split: Split):
        self.job, self.settings, self.pictures, self.split = job, settings, pictures, split
        self.base, self.labels, self.names = job.base, pictures.labels, pictures.folder.class_names

    def result(self, split_said: str) -> TransferResult:
        """Do all steps."""
        job, split = self.job, self.split
        features, tail, use = job.features()
        folds = None
        if self.settings.folds:
            with job.clock.measure("cross-validation"):
                folds = cross_validate(
                    features,
                    self.labels,
                    self.pictures.hashes,
                    self.names,
                    job.policy,
                    self.settings.folds,
                    tail,
                    job.progress,
                )
        head, phase = job.train_head(features, split)
        phases, probabilities = [phase], head.probabilities(features[split.validation])
        remarks, better = remarks_on(self.pictures, split), []
        if tail is not None:
            kept = tail.kept()
            phases.append(job.fine_tune(tail, split))
            before, probabilities = probabilities, tail.probabilities(split.validation, job.policy.batch_size)
            truth, rate = self.labels[split.validation], job.policy.learning_rate
            harm = remarks_on_fine_tuning(truth, before, probabilities, rate)
            remarks, better = remarks + harm, kept if harm else []
        job.compare_with_live(probabilities, split.validation)
        job.model.metadata = {
            **self.base.preparation.metadata(self.names),
            "base": self.base.name,
            **trained_on([self.pictures.hashes[i] for i in split.train]),
        }
        judged = self._judged(features, probabilities)
        return TransferResult(
            model=job.model,
            base=self.base,
            settings=self.settings,
            policy=job.policy,
            title=as_text(self.pictures.folder.root.resolve().name),
            class_names=self.names,
            phases=phases,
            confusion=self._confusion(probabilities),
            train_counts=self._counts(split.train),
            val_counts=self._counts(split.validation),
            split=split_said,
            mistakes=surest_mistakes(judged.files, judged.names, judged.labels, judged.probabilities, self.names),
            judged=judged,
            folds=folds,
            refused=self.pictures.refused,
            adapted=self.pictures.adapted,
            remarks=remarks,
            cache=_said_of_cache(use, job.cache, len(self.labels)),
            seconds=job.clock.seconds,
            copies=copies_in(self.pictures),
            before_fine_tuning=better,
        )

    def _confusion(self, probabilities: np.ndarray) -> np.ndarray:
        return ConfusionMatrix(len(self.names))(self.labels[self.split.validation], probabilities)

    def _counts(self, rows: np.ndarray) -> list[int]:
        return np.bincount(self.labels[rows], minlength=len(self.names)).tolist()

    def _judged(self, features: np.ndarray, probabilities: np.ndarray) -> Judged:
        rows = self.split.validation
        files = [self.pictures.folder.files[i] for i in rows]
        names = [self.pictures.name(i) for i in rows]
        return Judged(files, names, self.labels[rows], probabilities, features[rows])


def _said_of_cache(use: CacheUse, cache: FeatureCache | None, pictures: int) -> str:
    if cache is None:
        return f"Features of {count(pictures, 'picture')}: computed; the cache was not used."
    return (
        f"Features of {count(pictures, 'picture')} in {count(use.found + use.computed, 'batch', 'batches')}: "
        f"{use.found:,} from the cache, {use.computed:,} computed and kept there."
    )
