"""Fine-tuning: the unfrozen layers and the head, by a policy, on the kept features of all layers before them."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn.autograd import Parameter
from minicnn.callbacks import Callback, SwapEMAWeights
from minicnn.data import stratified_split
from minicnn.models.feature_file import is_mapped
from minicnn.optimizers import SGD, Adam, Optimizer
from minicnn.schedules import CosineDecay, LearningRateSchedule, OneCycle
from minicnn.transfer.best_epoch import BestEpoch
from minicnn.transfer.class_weights import class_weights
from minicnn.transfer.freeze import flags_kept
from minicnn.transfer.groups import Group
from minicnn.transfer.head import SmoothedCrossentropy, Stopwatch, TrainedHead, cross_entropy
from minicnn.transfer.low_rank import LowRank
from minicnn.transfer.policy import Policy
from minicnn.transfer.starting_point import held_to_start
from minicnn.transfer.views import Drawn, augmentation

LEVEL = 1e9  # a cosine over so many times the steps does not fall
MOMENTUM = 0.9
PORTION = 32  # batches whose features are read from a file at a time

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Live:
    """
    The frozen part of a net, for pictures that are new in every epoch.

    Attributes
    ----------
    prefix : Model
        From prepared pictures to what flows into the tail.
    images : array (N,...)
        Pictures uint8 (N,H,W,3), or what the net takes.
    preparation : function
        From them to what the net takes.
    """

    prefix: Any
    images: np.ndarray
    preparation: Any

    def features(self, pictures: np.ndarray) -> list[np.ndarray]:
        """What flows into the tail for a batch of pictures."""
        return self.prefix.run_plan(self.prefix.cast_inputs([self.preparation(pictures)]))


@dataclass
class Tail:
    """
    The trained part of a net, and what flows into it.

    Attributes
    ----------
    model : Model
        Its layers are those of the whole net: training it trains the net.
    head : Dense
        The last of them.
    features : list of float32 (N,...)
        One array an input, for all pictures.
    labels : int (N,)
    groups : list of Group
        The layers to train below the head, from the lowest.
    live : Live or None
        With it a policy can augment anew in every epoch.
    views : list of K lists like features
        Of changed pictures, of which every epoch draws.
    """

    model: Any
    head: Any
    features: list[np.ndarray]
    labels: np.ndarray
    groups: Sequence[Group] = field(default_factory=list)
    live: Live | None = None
    views: Sequence[Sequence[np.ndarray]] = ()

    def set_head(self, head: TrainedHead) -> None:
        """Begin with this head."""
        self.head.set_weights([head.kernel, head.bias])

    def probabilities(self, rows: np.ndarray, batch_size: int) -> np.ndarray:
        """Class probabilities (M,C) of some pictures."""
        parts = [rows[start : start + PORTION * batch_size] for start in range(0, len(rows), PORTION * batch_size)]
        return np.concatenate([self.model.predict(self._inputs(part), batch_size=batch_size) for part in parts])

    def fit(
        self,
        train: np.ndarray,
        validation: np.ndarray,
        policy: Policy,
        hashes: Sequence[str] | None = None,
        progress: Progress | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> tuple[dict[str, list[float]], list[float]]:
        """
        Train on some pictures; (figures of every epoch, seconds of each).

        The validation part is measured after each epoch and decides nothing: with `policy.patience` a part of the
        training pictures is measured in its place, and decides when to stop.
        """
        if policy.patience is not None:
            train, validation = watched_part(self.labels, train, policy, hashes)
        steps = policy.epochs * -(-len(train) // policy.batch_size)
        self.compile(self.optimizer(policy, schedule_of(policy, steps)), policy)
        watch = Stopwatch("fine-tuning", policy.epochs, progress)
        judged = self._samples(validation)
        layers = [layer for group in self.groups for layer in group.layers]
        with held_to_start(self._body(), policy.l2_sp), flags_kept(layers):
            record = self.model.fit(
                *self._training(train, policy),
                batch_size=policy.batch_size,
                epochs=policy.epochs,
                verbose=0,
                callbacks=[*self._callbacks(policy, validation), watch, *callbacks],
                validation_data=judged if len(judged) == 2 else judged[0],
                class_weight=class_weights(policy.class_weight, self.labels[train], self.head.units),
            )
        return plain_losses(record.history), watch.seconds

    def _training(self, rows: np.ndarray, policy: Policy) -> tuple[Any, ...]:
        """Some pictures as `fit` trains on them."""
        if self.views:
            return (Drawn(self.views, self.labels, rows, policy.seed),)
        if policy.augment is not None and self.live is not None:
            return (Augmented(self, rows, policy),)
        return self._samples(rows)

    def _samples(self, rows: np.ndarray) -> tuple[Any, ...]:
        """Some pictures as they are, as `fit` takes them: where they lie in a file, read batch by batch."""
        if any(map(is_mapped, self.features)):
            return (Drawn([self.features], self.labels, rows, seed=0),)
        return self._inputs(rows), self.labels[rows]

    def _callbacks(self, policy: Policy, validation: np.ndarray) -> list[Callback]:
        callbacks: list[Callback] = []
        if policy.gradual:
            callbacks.append(Thaw(self.groups, policy.gradual))
        if policy.ema is not None:
            callbacks.append(SwapEMAWeights())
        if policy.patience is not None:
            p = self.probabilities(validation, policy.batch_size)
            callbacks.append(BestEpoch(policy.patience, float(cross_entropy(self.labels[validation], p).mean())))
        return callbacks

    def compile(self, optimizer: Optimizer, policy: Policy) -> None:
        """Make the model ready to be trained."""
        self.model.compile(optimizer, SmoothedCrossentropy(policy.label_smoothing), ["accuracy", cross_entropy])

    def optimizer(self, policy: Policy, rate: LearningRateSchedule) -> Optimizer:
        """The optimizer of the policy, with a rate for each group, and no decay of biases and norms."""
        options: dict[str, Any] = {
            "weight_decay": policy.weight_decay or None, "global_clipnorm": policy.clip_norm,
            "use_ema": policy.ema is not None, "ema_momentum": policy.ema or 0.0,
        }  # fmt: skip
        optimizer = Adam(rate, **options) if policy.optimizer == "adam" else SGD(rate, MOMENTUM, **options)
        kernels = [layer.kernel for group in self.groups for layer in group.layers if LowRank.takes(layer)]
        low_rank = LowRank(optimizer, kernels, policy.rank) if policy.rank else None
        undecayed = [p for p in self.model.weights if len(p.shape) < 2]
        optimizer.exclude_from_weight_decay(undecayed + (self._body() if policy.l2_sp else []))
        for depth, group in enumerate(reversed(self.groups), 1):
            factor = policy.layer_decay**depth
            parameters = group.parameters if low_rank is None else low_rank.factors_of(group.parameters)
            optimizer.scale_learning_rate((parameter, factor) for parameter in parameters)
        return low_rank or optimizer

    def _body(self) -> list[Parameter]:
        """What is trained beside the head."""
        head = {id(parameter) for parameter in self.head.weights}
        return [parameter for parameter in self.model.trainable_weights if id(parameter) not in head]

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[None]:
        """What is trained in the block is forgotten at its end."""
        kept = self.kept()
        try:
            yield
        finally:
            for parameter, array in kept:
                parameter.assign(array)

    def kept(self) -> list[tuple[Parameter, np.ndarray]]:
        """What training changes, with copies of what it is now: moving statistics too, where they move."""
        moving = {id(p) for layer in self.model.layers if layer.trainable_weights for p in layer.weights}
        return [(p, p.numpy().copy()) for p in self.model.weights if id(p) in moving]

    def _inputs(self, rows: np.ndarray) -> Any:
        """The features of some pictures as the model takes them."""
        arrays = [array[rows] for array in self.features]
        return arrays[0] if len(arrays) == 1 else arrays


class Augmented:
    """The training pictures as batches of features and labels, in a new order and changed anew in every epoch."""

    def __init__(self, tail: "Tail", rows: np.ndarray, policy: Policy):
        self.tail, self.rows, self.change = tail, rows, augmentation(policy)
        self.batch_size, self.seed = policy.batch_size, policy.seed
        self.epoch = 0

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[list[np.ndarray], np.ndarray]]:
        epoch, self.epoch = self.epoch, self.epoch + 1
        order = np.random.default_rng((self.seed, epoch)).permutation(self.rows)
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            yield self._features(rows, epoch), self.tail.labels[rows]

    def _features(self, rows: np.ndarray, epoch: int) -> list[np.ndarray]:
        """What flows into the tail for some pictures in an epoch."""
        live = self.tail.live
        if live is None or self.change is None:
            return [array[rows] for array in self.tail.features]
        return live.features(np.stack([self.change(live.images[i], index=int(i), epoch=epoch) for i in rows]))

    def state(self) -> dict[str, int]:
        """What the next epoch depends on."""
        return {"epoch": self.epoch}

    def load_state(self, state: dict[str, int]) -> None:
        """Go on with what `state` returned."""
        self.epoch = state["epoch"]


def watched_part(
    labels: np.ndarray,
    train: np.ndarray,
    policy: Policy,
    keys: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(training rows to train on, training rows that early stopping watches).

    Raises
    ------
    DataError
        A class has not two different pictures there.
    """
    keys = None if keys is None else [keys[int(i)] for i in train]
    inner = stratified_split(labels[train], policy.held_out, seed=policy.seed + 2, keys=keys, class_names=class_names)
    return train[inner.train], train[inner.validation]


class Thaw(Callback):
    """Gradual unfreezing: before epoch i · every the i-th group from the top begins to learn, with those above it.

    The head learns from the first epoch on.

    Source: Howard & Ruder, "Universal Language Model Fine-tuning for Text Classification", 2018, section 3.3.
    """

    def __init__(self, groups: Sequence[Group], every: int):
        super().__init__()
        self.every = every
        self.flags = [[(layer, layer.trainable) for layer in group.layers] for group in reversed(groups)]

    def on_epoch_begin(self, epoch, logs=None) -> None:
        thawed = epoch // self.every
        for position, group in enumerate(self.flags):
            for layer, flag in group:
                layer.trainable = flag and position < thawed


def schedule_of(policy: Policy, steps: int) -> LearningRateSchedule:
    """The rate of every step."""
    rate, warmup = policy.learning_rate, policy.warmup * steps
    if policy.schedule == "one-cycle":
        return OneCycle(rate, steps, climb=policy.warmup)
    length = (steps - warmup) * (LEVEL if policy.schedule == "constant" else 1)
    if not warmup:
        return CosineDecay(rate, length)
    return CosineDecay(0.0, length, warmup_target=rate, warmup_steps=warmup)


def plain_losses(history: dict[str, list[float]]) -> dict[str, list[float]]:
    """Figures whose losses are plain cross-entropies: those that fit records hold penalties, smoothing and weights."""
    return history | {name: history[name.replace("loss", "cross_entropy")] for name in ("loss", "val_loss")}
