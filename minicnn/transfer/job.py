"""The steps of a transfer: features of the frozen base once, a head on them, then fine-tuning by a policy."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minicnn.callbacks import Callback
from minicnn.data import Split
from minicnn.errors import ArgumentError, DataError, DivergedError, FileFormatError
from minicnn.layers import Dense, Dropout
from minicnn.models import Model
from minicnn.seeds import set_random_seed
from minicnn.transfer.base import Base
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import CacheUse, all_finite, features_by_batch
from minicnn.transfer.fine_tuning import Live, Tail
from minicnn.transfer.folds import fit_head
from minicnn.transfer.freeze import find_layer, freeze, is_trained, leaf_layers, unfreeze
from minicnn.transfer.groups import Group, layer_groups
from minicnn.transfer.head import TrainedHead
from minicnn.transfer.policy import Policy
from minicnn.transfer.result import Phase
from minicnn.transfer.samples import Samples
from minicnn.transfer.surgery import split_where_training_begins
from minicnn.transfer.views import changed

Progress = Callable[[str, int, int], None]

LIVE_SAMPLES = 8
LIVE_TOLERANCE = {"float32": 1e-3, "float16": 1e-2}


class Clock:
    """Seconds of named steps."""

    def __init__(self):
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the duration of the block to a step."""
        begun = time.perf_counter()
        yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - begun


class Job:
    """A base with a new head, and the samples that both are fitted to."""

    def __init__(
        self,
        base: Base,
        samples: Samples,
        policy: Policy,
        cache: FeatureCache | None = None,
        progress: Progress | None = None,
        clock: Clock | None = None,
    ):
        self.base, self.samples, self.policy = base, samples, policy
        self.cache, self.progress, self.clock = cache, progress, clock or Clock()
        self.callbacks: Callable[[str], Sequence[Callback]] = lambda stage: ()  # further ones of each training
        self.model, self.head_layer = attach_head(base, len(samples.class_names), policy.dropout)
        self.views: list[list[np.ndarray]] = []  # of changed pictures: what `features` gives of pictures as they are

    def features(self) -> tuple[np.ndarray, Tail | None, CacheUse]:
        """(features of the whole base, the part that will be fine-tuned with what flows into it, use of the cache)."""
        output, policy = self.base.model.outputs[0], self.policy
        freeze(self.base.model)
        if policy.unfreeze is None:
            (features,), use = self._extract(self.base.model)
            return features.astype(np.float32, copy=False), None, use
        groups = unfreeze_groups(self.base.model, policy)
        prefix, tail_model = split_where_training_begins(self.model)
        border = [tensor for tensor in prefix.outputs if tensor is not output]
        (*inputs, features), use = self._extract(Model(prefix.inputs, [*border, output]))
        tail = Tail(tail_model, self.head_layer, inputs, self.samples.labels, groups)
        if policy.views:
            tail.views = [arrays[:-1] for arrays in self.views]
        elif policy.augment is not None:
            tail.live = Live(Model(prefix.inputs, border), np.asarray(self.samples.images), self.samples.preparation)
        return features.astype(np.float32, copy=False), tail, use

    @property
    def head_views(self) -> list[np.ndarray]:
        """The features of the whole base of each view of the pictures, float32 (N,D)."""
        return [arrays[-1].astype(np.float32, copy=False) for arrays in self.views]

    def _extract(self, model: Any) -> tuple[list[np.ndarray], CacheUse]:
        samples, storage = self.samples, self.policy.storage
        with self.clock.measure("features"):
            features, use = features_by_batch(
                model, samples.images, samples.hashes, samples.preparation, self.cache, storage, self.progress
            )
            self.views = []
            for view in range(self.policy.views):
                images, hashes = changed(samples.images, self.policy, view)
                arrays, more = features_by_batch(
                    model, images, hashes, samples.preparation, self.cache, storage, self.progress
                )
                self.views.append(arrays)
                use = use.and_then(more)
        every = [array for arrays in (features, *self.views) for array in arrays]
        if not all(map(all_finite, every)):
            raise DataError(
                f"the base gives features that are not finite: its weights ({self.base.weights}) are damaged"
            )
        return features, use

    def train_head(self, features: np.ndarray, split: Split) -> tuple[TrainedHead, Phase]:
        """The head, which the model has then, and what there is to say of its training."""
        set_random_seed(self.policy.seed)  # again, so that a cross-validation before it changes nothing
        step = "train the head"
        with self.clock.measure(step):
            head, decay = fit_head(
                features,
                self.samples.labels,
                split.train,
                split.validation,
                self.samples.keys,
                self.policy,
                self.progress,
                self.callbacks("head"),
                self.head_views,
            )
        self.head_layer.set_weights([head.kernel, head.bias])
        detail = (
            f"a new last layer (softmax) on the {features.shape[1]:,} features of the frozen base. Its weight decay "
            f"({decay:.2g}) was chosen first, by cross-validation inside the training pictures: its time in all "
            "includes this."
        )
        size = head.kernel.size + head.bias.size
        return head, _phase("head", detail, size, head.history, head.seconds, self.clock.seconds[step])

    def fine_tune(self, tail: Tail, split: Split) -> Phase:
        """Train the tail, head and all, and say how."""
        step, rate, keys = "fine-tune", self.policy.learning_rate, self.samples.keys
        try:
            with self.clock.measure(step):
                history, seconds = tail.fit(
                    split.train, split.validation, self.policy, keys, self.progress, self.callbacks("fine-tuning")
                )
        except DivergedError as error:
            said = str(error).removeprefix("fit: ")
            raise DataError(f"fine-tuning diverged: {said}; the learning rate was {rate:g}") from error
        trained = [layer for layer in leaf_layers(self.model) if layer.trainable_weights]
        norms = "stays frozen" if self.policy.batchnorm == "keep-frozen" else "is trained too"
        detail = (
            f"the {len(trained)} layers from {trained[0].name} on, the head among them, at a learning rate of "
            f"{rate:g} at most. BatchNormalization {norms}."
        )
        if self.policy.patience is not None:
            detail += (
                " Its validation figures are of training pictures kept aside for early stopping, and the weights are "
                "those of the epoch with the smallest loss on them."
            )
        size = sum(parameter.size for parameter in tail.model.trainable_weights)
        return _phase("fine-tuning", detail, size, history, seconds, self.clock.seconds[step])

    def compare_with_live(self, probabilities: np.ndarray, prepared: np.ndarray) -> None:
        """Refuse kept features that the network itself does not give, by its answers to a few samples."""
        live = self.model.predict(prepared)
        gap = float(np.abs(live - probabilities[: len(live)]).max())
        if gap <= LIVE_TOLERANCE[self.policy.storage]:
            return
        if self.policy.storage == "float16":
            raise DataError(
                f"float16 is too coarse for the features of this base, probabilities are off by {gap:.2g}: "
                "store them in float32"
            )
        place = f" in {self.cache.folder}" if self.cache is not None else ""
        raise FileFormatError(
            f"the features kept{place} are not those of the network (probabilities differ by {gap:.2g}): "
            "remove them or run without the cache"
        )


def attach_head(base: Base, classes: int, dropout: float) -> tuple[Any, Any]:
    """(the base with a softmax layer on it, that layer)."""
    head = Dense(classes, activation="softmax", kernel_initializer="zeros", name="classifier")
    features = base.model.outputs[0]
    if dropout:
        features = Dropout(dropout, name="head_dropout")(features)
    return Model(base.model.inputs, head(features), name="classifier_on_base"), head


def check_unfreeze(model: Any, choice: int | str | None) -> None:
    """Raise ArgumentError where a policy names a layer that is not there, or from which on nothing learns."""
    if isinstance(choice, str):
        layers = list(leaf_layers(model))
        if not any(is_trained(layer) for layer in layers[find_layer(layers, choice) :]):
            raise ArgumentError(f"no layer from {choice} on has weights to train: name an earlier one")
    elif choice is not None and not any(is_trained(layer) for layer in leaf_layers(model)):
        raise ArgumentError(f"model {model.name} has no layer with weights to train")


def unfreeze_groups(model: Any, policy: Policy) -> list[Group]:
    """The groups of a frozen model that a policy trains, unfrozen now, each with the layers that learn."""
    groups, choice = [g for g in layer_groups(model) if any(map(is_trained, g.layers))], policy.unfreeze
    if isinstance(choice, str):
        unfreeze(model, choice, policy.batchnorm)
    else:
        for group in groups[-(choice or len(groups)) :]:
            for layer in group.layers:
                layer.trainable = policy.batchnorm == "train" or is_trained(layer)
    learning = [replace(g, layers=tuple(layer for layer in g.layers if layer.trainable_weights)) for g in groups]
    found = [group for group in learning if group.layers]
    if policy.gradual * len(found) >= policy.epochs:
        raise ArgumentError(
            f"policy: with gradual={policy.gradual} the lowest of {len(found)} groups would begin to learn after "
            f"{policy.gradual * len(found)} epochs, and there are {policy.epochs}: take more epochs, or fewer groups"
        )
    return found


def _phase(
    name: str, detail: str, parameters: int, history: dict[str, list[float]], seconds: list[float], duration: float
) -> Phase:
    figures = {key: history[key] for key in ("loss", "accuracy", "val_loss", "val_accuracy")}
    rates = history["learning_rate"]
    return Phase(name, detail, parameters, seconds=seconds, duration=duration, rates=rates, **figures)
