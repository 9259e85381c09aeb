"""The head: one dense softmax layer on the features of a frozen base.

It is trained on standardised features, where one rate suits all of them, and then rewritten for the features as the
base gives them:  softmax(((x - mean) / scale) W + b) = softmax(x (W / scale) + (b - (mean / scale) W)).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn.autograd import Tensor
from minicnn.callbacks import Callback
from minicnn.layers import Dense, Dropout, Input
from minicnn.layers.regularizers import L1L2
from minicnn.losses import SparseCategoricalCrossentropy
from minicnn.models import Sequential
from minicnn.optimizers import Adam
from minicnn.schedules import CosineDecay
from minicnn.transfer.views import Drawn
from minicnn.transfer.weight_decay import standardiser
from minicnn.utils import one_hot

RATE = 0.02


class Stopwatch(Callback):
    """Notes the seconds of every epoch and, among its figures, the rate of its last step; tells of its progress."""

    def __init__(self, step: str, epochs: int, progress: Callable[[str, int, int], None] | None = None):
        super().__init__()
        self.step, self.epochs, self.progress = step, epochs, progress
        self.seconds: list[float] = []
        self._rate = 0.0

    def state(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "rate": self._rate}

    def load_state(self, state: dict[str, Any]) -> None:
        self.seconds, self._rate = state["seconds"], state["rate"]

    def on_train_begin(self, logs=None) -> None:
        self._begun = time.perf_counter()

    def on_train_batch_begin(self, batch, logs=None) -> None:
        self._rate = self.model.optimizer.learning_rate

    def on_epoch_end(self, epoch, logs=None) -> None:
        if logs is not None:
            logs["learning_rate"] = self._rate
        now = time.perf_counter()
        self.seconds.append(now - self._begun)
        self._begun = now
        if self.progress is not None:
            self.progress(self.step, epoch + 1, self.epochs)


@dataclass
class TrainedHead:
    """Weights for features as they are, the figures of every epoch, and the seconds of each."""

    kernel: np.ndarray
    bias: np.ndarray
    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """softmax(features W + b), (N,C)."""
        logits = features @ self.kernel + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        exponentials = np.exp(logits)
        return exponentials / exponentials.sum(axis=1, keepdims=True)


def train_head(
    training: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
    *,
    epochs: int,
    batch_size: int,
    weight_decay: float,
    dropout: float = 0.0,
    label_smoothing: float = 0.0,
    class_weight: dict[int, float] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    callbacks: Sequence[Callback] = (),
    views: Sequence[np.ndarray] = (),
    seed: int = 0,
) -> TrainedHead:
    """
    Minimise the mean cross-entropy + weight_decay/2 · ‖W‖² on standardised features by Adam with a cosine rate.

    Parameters
    ----------
    training, validation : (features float32 (N,D), labels int (N,))
        The validation part is measured after each epoch and decides nothing.
    classes : int, C
    label_smoothing : float, the share of each target that is spread over all classes (`SmoothedCrossentropy`)
    class_weight : dict, optional, {class number: how much its samples count}
    views : sequence of K float32 (N,D)
        Features of changed training pictures: every epoch draws one of them for each picture, by `seed`.

    Examples
    --------
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0]] * 8, np.float32)
    >>> y = np.array([0, 1] * 8)
    >>> head = train_head((x, y), (x, y), 2, epochs=20, batch_size=16, weight_decay=0.01)
    >>> bool((head.probabilities(x).argmax(axis=1) == y).all())
    True
    """
    features, labels = training
    mean, scale = standardiser(features)
    model = _head_model(features.shape[1], classes, weight_decay, dropout)
    rate = CosineDecay(RATE, epochs * -(-len(features) // batch_size))
    model.compile(Adam(rate), SmoothedCrossentropy(label_smoothing), ["accuracy", cross_entropy])
    watch = Stopwatch("training the head", epochs, progress)
    drawn = [[(view - mean) / scale] for view in views]
    record = model.fit(
        *((Drawn(drawn, labels, np.arange(len(labels)), seed),) if views else ((features - mean) / scale, labels)),
        batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[watch, *callbacks], class_weight=class_weight,
        validation_data=((validation[0] - mean) / scale, validation[1]),
    )  # fmt: skip
    return TrainedHead(*_rewritten(model, mean, scale), _without_penalty(record.history), watch.seconds)


def _rewritten(model: Sequential, mean: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights for features as they are, from those for standardised ones: W / scale and b - (mean / scale) W."""
    kernel, bias = model.get_weights()
    kernel = kernel / scale[:, None]
    return kernel, bias - mean @ kernel


def _without_penalty(history: dict[str, list[float]]) -> dict[str, list[float]]:
    """What fit records, whose losses hold the penalty of the weights too; later phases have none to compare with."""
    return history | {name: history[name.replace("loss", "cross_entropy")] for name in ("loss", "val_loss")}


def _head_model(features: int, classes: int, weight_decay: float, dropout: float) -> Sequential:
    """The head as a model of its own."""
    dense = Dense(
        classes,
        activation="softmax",
        kernel_initializer="zeros",
        kernel_regularizer=L1L2(l2=weight_decay / 2),
    )
    return Sequential([Input((features,)), *([Dropout(dropout)] if dropout else []), dense])


class SmoothedCrossentropy(SparseCategoricalCrossentropy):
    """loss[n] = - Σ_k t[n,k] log p[n,k],  t = one-hot(label) (1 - a) + a / K: label smoothing for class numbers (N,).

    Source: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016, section 7.
    """

    def __init__(self, label_smoothing: float = 0.0):
        super().__init__()
        self.label_smoothing = label_smoothing

    def per_sample(self, y_true: np.ndarray, y_pred: Tensor) -> Tensor:
        classes, a = y_pred.shape[-1], self.label_smoothing
        targets = one_hot(y_true.reshape(-1).astype(np.int64), classes, y_pred.dtype)
        return self._rows(targets * (1 - a) + a / classes if a else targets, y_pred)


def cross_entropy(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """-log p of the true class, (N,)."""
    right = np.take_along_axis(probabilities, labels.reshape(-1, 1).astype(np.int64), axis=1)
    return -np.log(np.maximum(right[:, 0], 1e-7))
