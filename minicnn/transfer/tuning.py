"""`finetune`: one call from a trained network and labelled samples to a classifier, by a policy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.callbacks import Callback
from minicnn.data import Split, stratified_split
from minicnn.errors import ArgumentError
from minicnn.models.network import Network
from minicnn.preparation import Preparation
from minicnn.seeds import set_random_seed
from minicnn.transfer.base import Base, load_base
from minicnn.transfer.checkpoints import Checkpoints, watch
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import CacheUse
from minicnn.transfer.fitted import fitted
from minicnn.transfer.job import Clock, Job, check_unfreeze
from minicnn.transfer.labelled import store_of
from minicnn.transfer.pictures import split_said
from minicnn.transfer.policy import Policy, policy_of
from minicnn.transfer.result import Phase, TransferResult
from minicnn.transfer.samples import AsGiven, samples_of
from minicnn.transfer.scores import wilson_interval
from minicnn.transfer.settings import Settings
from minicnn.transfer.summary import result_of
from minicnn.transfer.surgery import without_head

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, repr=False)
class FineTuned:
    """
    What `finetune` leaves.

    Attributes
    ----------
    model : Model
        Prepared samples to class probabilities: an ordinary model, whatever trained it.
    class_names : sequence of C
    policy : Policy
    phases : list of Phase
        The head, and fine-tuning where the policy has it: figures of every epoch.
    split : Split
        Which samples were trained on, and which judge.
    labels, probabilities : int (M,), float32 (M,C)
        Of the validation samples: their classes, and what the model says of them.
    seconds : mapping
        {step: seconds}.
    details : TransferResult
        All figures, and what was said of the samples: `report.write_outputs` makes a page of it.
    cache : CacheUse
        What was found in the cache, and how far features that are stored in float16 are off.
    """

    model: Any
    class_names: Sequence[str]
    policy: Policy
    phases: Sequence[Phase]
    split: Split
    labels: np.ndarray
    probabilities: np.ndarray
    details: TransferResult
    seconds: Mapping[str, float] = field(default_factory=dict)
    cache: CacheUse = field(default_factory=CacheUse)

    def __repr__(self) -> str:
        low, high = self.interval
        right = f"{self.accuracy:.1%} of {len(self.labels):,} samples kept aside, 95% interval {low:.1%} to {high:.1%}"
        return f"FineTuned({len(self.class_names):,} classes: {right})"

    @property
    def accuracy(self) -> float:
        """Share of the validation samples whose class the model got right."""
        return float((self.probabilities.argmax(axis=1) == self.labels).mean())

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (`wilson_interval`)."""
        right = int((self.probabilities.argmax(axis=1) == self.labels).sum())
        return wilson_interval(right, len(self.labels))


def finetune(
    model: Any,
    data: Any,
    policy: Policy | None = None,
    *,
    weights: str | Path = "imagenet",
    class_names: Sequence[str] | None = None,
    validation: float = 0.2,
    device: str = "cpu",
    cache: FeatureCache | bool = False,
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
    callbacks: Callable[[str], Sequence[Callback]] | None = None,
) -> FineTuned:
    """
    Fit a trained network to new classes: a new head on its features, then its last layers, as a policy says.
    What the frozen layers give is computed once for each sample.  The validation part has no say in anything.

    Parameters
    ----------
    model : str, path, Base or Model
        As `base_of` takes it; the layers of a model become those of the result, so training changes them.
    data : path, (x, y) or dataset
        As `samples_of` takes it: a folder of pictures, a table of files and labels, arrays, or a dataset.
    policy : Policy, optional
        The default is `Policy()`; `Policy(unfreeze=None)` trains the head alone.
    weights, device, class_names
        As in `base_of`, for a model by its name or its file; for arrays: what their classes are called.
    validation : float
        Share that is kept aside, of each class, where data is no folder with train/ and val/.
    cache, progress, checkpoints, callbacks
        As in `finetune_folder`; without a cache, features are computed for each call.

    Raises
    ------
    MinicnnError : one clear line each, before anything is trained

    Examples
    --------
    >>> night, day = np.zeros((8, 64, 64, 3), np.uint8), np.full((8, 64, 64, 3), 200, np.uint8)
    >>> photos = np.concatenate([night, day]) + np.arange(16, dtype=np.uint8)[:, None, None, None]
    >>> finetune("bundled", (photos, ["night"] * 8 + ["day"] * 8), Policy(unfreeze=None)).accuracy
    1.0
    """
    policy = policy_of(policy)
    settings = Settings(validation=validation, seed=policy.seed)
    set_random_seed(policy.seed)  # dropout in a base that is loaded and before the head draws from it
    job = job_of(model, data, policy, weights, device, class_names, store_of(cache), progress)
    watch(job, settings, checkpoints, callbacks)
    return _found(job, split_of(job, validation), replace(settings, device=job.base.model.device))


def _found(job: Job, split: Split, settings: Settings) -> FineTuned:
    """Take the steps of a job, and say what came of it."""
    done = fitted(job, split)
    said = split_said(job.samples.split, settings.validation, job.policy.seed)
    return FineTuned(
        model=job.model,
        class_names=job.samples.class_names,
        policy=job.policy,
        phases=done.phases,
        split=split,
        labels=job.samples.labels[split.validation],
        probabilities=done.probabilities,
        details=result_of(job, split, done, settings, said),
        seconds=job.clock.seconds,
        cache=done.use,
    )


def job_of(
    model: Any,
    data: Any,
    policy: Policy | None,
    weights: str | Path,
    device: str,
    class_names: Sequence[str] | None = None,
    store: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Job:
    """The base and the samples that `finetune` is given, checked and read."""
    policy, clock = policy_of(policy), Clock()
    with clock.measure("load the base"):
        base = base_of(model, weights, device)
    check_unfreeze(base.model, policy.unfreeze)
    with clock.measure("read the samples"):
        samples = samples_of(data, base, class_names, progress, store)
    return Job(base, samples, policy, store, progress, clock)


def split_of(job: Job, validation: float = 0.2) -> Split:
    """The division that the samples bring, or one with a share of each class for validation."""
    s = job.samples
    return s.split or stratified_split(
        s.labels, validation, seed=job.policy.seed, keys=s.keys, class_names=s.class_names
    )


def base_of(model: Any, weights: str | Path = "imagenet", device: str = "cpu") -> Base:
    """
    The base that a name or a path means as `load_base` knows it, or a model of yours, from pictures on.

    The classifier of a model, where it has one, is cut off.

    Parameters
    ----------
    model : str, path, Base or Model
    weights : "imagenet" or path
        For a base that has a name.
    device : "cpu" or "cuda"
        Where what is loaded computes, and is trained.  A Base or a Model stays where it is, in its own precision:
        `model.to("cuda")` moves it before.

    Raises
    ------
    ArgumentError
        None of them.
    DeviceError
        The device cannot be used.
    """
    if isinstance(model, Base):
        return model
    if isinstance(model, str | Path):
        return load_base(model, weights, device=device)
    if not isinstance(model, Network):
        raise ArgumentError(f"finetune takes a model, a transfer.Base, a name or a path; got {type(model).__name__}")
    body = without_head(model)
    metadata = getattr(model, "metadata", {})
    known = metadata.get("preprocessing") is not None
    preparation: Any = Preparation.from_metadata(metadata, model.input_shape) if known else AsGiven()
    return Base(body, model.name, preparation, "as given")
