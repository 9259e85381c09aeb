"""`CNNClassifier`: fine-tuning a trained network as a scikit-learn classifier."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from minicnn import seeds
from minicnn.data import Split
from minicnn.errors import ArgumentError, DataError
from minicnn.estimators.inputs import read_x, row_hashes, row_width, store_of
from minicnn.layers import Dense, Flatten, Input
from minicnn.models import Model, Sequential
from minicnn.models.network import Network
from minicnn.preparation import Preparation
from minicnn.transfer.base import Base
from minicnn.transfer.extraction import feature_base, features_of, picture_source
from minicnn.transfer.features import BATCH
from minicnn.transfer.folds import fit_head
from minicnn.transfer.head import TrainedHead
from minicnn.transfer.job import Job, attach_head, check_unfreeze
from minicnn.transfer.policy import Policy, policy_of
from minicnn.transfer.samples import Samples
from minicnn.transfer.surgery import without_head

OF_POLICY = "policy__"
LARGEST = float(np.finfo(np.float32).max)
WATCHED = 32  # samples that are measured after each epoch; here nobody looks at the figures


class CNNClassifier(ClassifierMixin, BaseEstimator):
    """
    A trained network with a new head, fine-tuned to pictures as a policy says: `minicnn.transfer.finetune` on all of X.

    Parameters
    ----------
    base, weights, device, layer, pooling, image_shape, cache
        As `CNNFeatures` has them.  The base stays as it is: a copy is trained.  scikit-learn's own copies, as for each
        fold of a search, are on the CPU: there a base by its name or its file and `device` are what is needed.
    policy : Policy, optional
        `Policy()` fine-tunes the last layers; `Policy(unfreeze=None)` trains the head alone, on features that are kept,
        so that k folds cost one pass through the network.  Each of its choices is a parameter, `policy__epochs`, which
        `set_params` and searches change.
    random_state : int, RandomState or None
        Draws the policy's seed, which stands when None.

    Attributes
    ----------
    classes_ : array (K,)
    takes_pictures_ : bool
        Whether it was fitted to pictures.
    model_ : Model
        From prepared pictures, or rows, to the probabilities of the classes; `model_.save("mine.keras")` keeps it.
    base_ : Base or None
        `model_`, and how pictures are prepared for it.
    n_features_in_, feature_names_in_
        Where it was fitted to rows.

    Notes
    -----
    X is what `CNNFeatures` takes.  Rows without an `image_shape` count as features: the head is all there is.

    Examples
    --------
    >>> from minicnn.transfer import Policy
    >>> dark, bright = np.zeros((8, 64, 64, 3), np.uint8), np.full((8, 64, 64, 3), 200, np.uint8)
    >>> photos = np.concatenate([dark, bright]) + np.arange(16, dtype=np.uint8)[:, None, None, None]
    >>> classifier = CNNClassifier("bundled", policy=Policy(unfreeze=None), cache=False)
    >>> classifier.fit(photos, ["night"] * 8 + ["day"] * 8).predict(photos[[0, 15]]).tolist()
    ['night', 'day']
    """

    def __init__(
        self,
        base: Any = "mobilenet",
        *,
        weights: str | Path = "imagenet",
        device: str = "cpu",
        layer: str | None = None,
        pooling: str | None = "avg",
        policy: Policy | None = None,
        image_shape: tuple[int, ...] | None = None,
        cache: bool | str | Path = True,
        random_state: Any = None,
    ):
        self.base = base
        self.weights = weights
        self.device = device
        self.layer = layer
        self.pooling = pooling
        self.policy = policy
        self.image_shape = image_shape
        self.cache = cache
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments by name; with `deep`, the choices of the policy too."""
        found = super().get_params(deep)
        if deep and isinstance(self.policy, Policy | None):
            found |= {OF_POLICY + name: value for name, value in vars(policy_of(self.policy)).items()}
        return found

    def set_params(self, **params: Any) -> "CNNClassifier":
        """Change arguments, and choices of the policy: another policy takes its place, itself it stays as it is.

        Raises
        ------
        ValueError
            There is no such argument, or choice; or a policy that is refused.
        """
        choices = {name.removeprefix(OF_POLICY): params.pop(name) for name in [*params] if name.startswith(OF_POLICY)}
        known = [field.name for field in fields(Policy)]
        if unknown := next((name for name in choices if name not in known), None):
            raise ArgumentError(f"CNNClassifier: a policy has no choice {unknown!r}; it has {', '.join(known)}")
        if choices:
            params["policy"] = replace(policy_of(params.get("policy", self.policy)), **choices)
        return super().set_params(**params)

    def fit(self, X: Any, y: Any) -> "CNNClassifier":
        """Train on all samples; y are classes of any kind."""
        vars(self).pop("base_", None)  # it is fitted when all of it is
        X, self.takes_pictures_ = read_x(self, X, reset=True)
        labels = self._labels(X, y)
        policy = policy_of(self.policy)
        if self.random_state is not None:
            policy = replace(policy, seed=int(check_random_state(self.random_state).randint(2**31 - 1)))
        with _seeded(policy.seed):
            if self.takes_pictures_:
                self._fit_pictures(X, labels, policy)
            else:
                self._fit_rows(X, labels, policy)
        return self

    def _labels(self, X: Any, y: Any) -> np.ndarray:
        """Positions (N,) of the classes, which are learned."""
        y = column_or_1d(_without_nan(y), warn=True)
        check_consistent_length(X, y)
        try:
            check_classification_targets(y)
            self.classes_, labels = np.unique(y, return_inverse=True)
        except TypeError:
            kinds = sorted({type(label).__name__ for label in y})
            raise DataError(f"CNNClassifier: labels are of one kind; y holds {', '.join(kinds)}") from None
        if len(self.classes_) < 2:
            raise DataError(f"CNNClassifier needs at least 2 classes; y has 1 class, {self.classes_[0]}")
        return labels

    def _fit_rows(self, rows: np.ndarray, labels: np.ndarray, policy: Policy) -> None:
        """A head on the rows themselves."""
        idle = [name for name, plain in (("storage", "float32"), ("views", 0)) if getattr(policy, name) != plain]
        if idle:
            said = f"{idle[0]}={getattr(policy, idle[0])!r}"
            raise ArgumentError(f"policy: {said} is for pictures' features: with rows leave it out")
        if np.abs(rows).max() > LARGEST:
            raise DataError(f"CNNClassifier: rows hold numbers beyond {LARGEST:.3g}, which float32 has not: scale them")
        policy.check_head("rows of numbers are features, on which a head is trained alone", "give pictures")
        self._head = head = _head_on(rows, labels, row_hashes(rows), policy)
        dense = Dense(len(self.classes_), activation="softmax", name="classifier")
        self.model_ = Sequential([Input((rows.shape[1],)), dense])
        dense.set_weights([head.kernel, head.bias])
        self.base_ = None

    def _fit_pictures(self, X: Any, labels: np.ndarray, policy: Policy) -> None:
        """A head on the network's features, or as much of the network as the policy says."""
        own = self.base if isinstance(self.base, str | Path) else _copied(self.base)
        base = _in_a_row(feature_base(own, self.weights, self.layer, self.pooling, self.device))
        source = picture_source(X, base)
        names = [str(name) for name in self.classes_]
        self._head = None
        if policy.head_only and not policy.views:
            features = features_of(base, source, store_of(self.cache), storage=policy.storage)
            self._storage = policy.storage
            self._head = head = _head_on(features, labels, source.hashes, policy)
            self.model_, layer = attach_head(base, len(names), dropout=0)
            layer.set_weights([head.kernel, head.bias])
        else:
            images = source.read(range(len(labels)))
            samples = Samples(images, labels, names, source.hashes, source.preparation)
            self.model_ = _trained(base, samples, policy)
        if isinstance(base.preparation, Preparation):
            self.model_.metadata = base.preparation.metadata(names)
        self.base_ = replace(base, model=self.model_)  # one object, which a pickle holds once

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, (N,K)."""
        check_is_fitted(self, "base_")
        X, _ = read_x(self, X, reset=False)
        if self.base_ is None:
            rows = X
        else:
            source = picture_source(X, self.base_)
            if self._head is None:
                batches = (range(start, min(start + BATCH, len(X))) for start in range(0, len(X), BATCH))
                return np.concatenate([self.model_.predict(source.prepared(batch)) for batch in batches])
            seen = replace(self.base_, model=without_head(self.model_))
            rows = features_of(seen, source, store_of(self.cache), storage=self._storage).astype(np.float32)
        assert self._head is not None
        return self._head.probabilities(rows)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class of each sample, (N,)."""
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _copied(base: Any) -> Any:
    """A copy of a Base or a model that computes where that does, as it does; copies by themselves are on the CPU."""
    copied = copy.deepcopy(base)
    own, model = (found.model if isinstance(found, Base) else found for found in (copied, base))
    if isinstance(model, Network) and model.device != "cpu":
        own.to(model.device).precision = model.precision
    return copied


def _in_a_row(base: Base) -> Base:
    """The base with features (N,D) where it has maps."""
    row_width(base)
    features = base.model.outputs[0]
    return base if len(features.shape) == 2 else replace(base, model=Model(base.model.inputs, Flatten()(features)))


def _all_rows(labels: np.ndarray) -> Split:
    """All samples to train on; a few of them are measured as well."""
    rows = np.arange(len(labels))
    return Split(rows, rows[:WATCHED])


def _trained(base: Base, samples: Samples, policy: Policy) -> Any:
    """The base with a new head, both fitted to all samples as the policy says."""
    check_unfreeze(base.model, policy.unfreeze)
    job, split = Job(base, samples, policy), _all_rows(samples.labels)
    features, tail, _ = job.features()
    job.train_head(features, split)
    if tail is not None:
        job.fine_tune(tail, split)
    return job.model


def _head_on(features: np.ndarray, labels: np.ndarray, hashes: list[str], policy: Policy) -> TrainedHead:
    """A head for all rows of features."""
    split = _all_rows(labels)
    head, _ = fit_head(features.astype(np.float32), labels, split.train, split.validation, hashes, policy)
    return head


def _without_nan(y: Any) -> Any:
    """y as it is, refused where it is missing or has numbers that are none."""
    if y is None:
        raise DataError("CNNClassifier requires y to be passed, but the target y is None")
    values = np.asarray(y)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DataError("Input y contains NaN or infinity")
    return y


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """minicnn's random numbers follow from the seed in the block, and go on as if it had not been afterwards."""
    before = seeds.state()
    seeds.set_random_seed(seed)
    try:
        yield
    finally:
        seeds.load_state(before)
