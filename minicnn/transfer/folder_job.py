"""The main job: a folder of photos and a trained network become a classifier of these photos."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from minicnn.callbacks import Callback
from minicnn.data import stratified_folds
from minicnn.data.table import named_files
from minicnn.errors import DataError
from minicnn.seeds import set_random_seed
from minicnn.transfer.base import Base, load_base
from minicnn.transfer.checkpoints import Checkpoints, watch
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.fitted import fitted
from minicnn.transfer.job import Clock, Job, check_unfreeze
from minicnn.transfer.labelled import store_of
from minicnn.transfer.pictures import Pictures, read_pictures, split_of
from minicnn.transfer.policy import Policy
from minicnn.transfer.result import TransferResult
from minicnn.transfer.samples import of_pictures
from minicnn.transfer.settings import Settings
from minicnn.transfer.summary import result_of

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
    checkpoints: Checkpoints | None = None,
    callbacks: Callable[[str], Sequence[Callback]] | None = None,
) -> TransferResult:
    """
    Train a classifier of the pictures in a folder on a network that others trained.

    The base is frozen and run once; a softmax head is trained on its features; with `settings.unfreeze` the last
    layers are then fine-tuned at a small rate.  Nothing is written but the feature cache and checkpoints.

    Parameters
    ----------
    photos, base, weights
        One folder a class, or train/ and val/ of that shape, or a .csv or .tsv (`read_table`); as in `load_base`.
    settings, policy : Settings, Policy, optional
        A policy says how to train in place of the settings: epochs, batch size, dropout, layers, rate.
    cache : FeatureCache or bool
        True: the one in the user's cache folder. False: none.
    progress : function, optional
        Called as progress(step, done, total).
    checkpoints : Checkpoints, optional
        Keeps the state of each training, so that one that was stopped goes on.
    callbacks : function, optional
        From the name of a training ("head", "fine-tuning", "fold 1 head", ...) to further callbacks of it.

    Raises
    ------
    MinicnnError
        Of the kinds that `scan_folder`, `load_base`, `Settings` and `Checkpoints` name; one clear line each.

    Examples
    --------
    >>> finetune_folder("photos", "mobilenet").accuracy  # doctest: +SKIP
    0.93
    """
    settings = settings or Settings()
    policy = replace(policy or settings.policy, seed=settings.seed)
    set_random_seed(policy.seed)  # dropout in the base and before the head draws from it
    job, pictures = _read((photos, base, weights), settings, policy, store_of(cache), progress)
    split, said = split_of(pictures, settings.validation, settings.seed)
    watch(job, settings, checkpoints, callbacks)
    return result_of(job, split, fitted(job, split, settings.folds), settings, said)


def _read(
    sources: tuple[Any, Any, Any],
    settings: Settings,
    policy: Policy,
    store: FeatureCache | None,
    progress: Progress | None,
) -> tuple[Job, Pictures]:
    """The job of photos, a base and its weights, and the pictures that could be read."""
    photos, base, weights = sources
    clock, folder = Clock(), named_files(photos)
    _check_folds(folder.counts(), settings.folds)
    with clock.measure("load the base"):
        loaded = _load_base(base, weights, settings, policy)
    with clock.measure("read the pictures"):
        pictures = read_pictures(folder, loaded.preparation.rule, progress, store)
    _check_different_pictures(pictures, settings)
    return Job(loaded, of_pictures(pictures, loaded), policy, store, progress, clock), pictures


def _check_folds(counts: Mapping[str, int], folds: int) -> None:
    name, least = min(counts.items(), key=lambda item: item[1])
    if least < folds:
        remedy = f"add some or ask for at most {least}" if least > 1 else "add some or do without"
        raise DataError(f"class {name!r} has too few pictures ({least}) for {folds} folds: {remedy}")


def _load_base(base: str | Path, weights: str | Path, settings: Settings, policy: Policy) -> Base:
    """The base, in which the layer that fine-tuning begins from is found."""
    preparing = {"size": settings.size, "resize": settings.resize, "preprocessing": settings.preprocessing}
    found = load_base(base, weights, **preparing, device=settings.device)
    check_unfreeze(found.model, policy.unfreeze)
    return found


def _check_different_pictures(pictures: Pictures, settings: Settings) -> None:
    """Let cross-validation refuse a class with too many copies now, not after the features."""
    if settings.folds:
        known = {"keys": pictures.hashes, "groups": pictures.folder.groups, "class_names": pictures.folder.class_names}
        stratified_folds(pictures.labels, settings.folds, seed=settings.seed, **known)
