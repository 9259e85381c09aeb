"""Fine-tuning: the layers from one on and the head, at a small rate, on the kept features of all before them."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.autograd import Parameter
from minicnn.optimizers import Adam
from minicnn.schedules import CosineDecay
from minicnn.transfer.head import Stopwatch, TrainedHead
from minicnn.transfer.settings import Settings


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
    """

    model: Any
    head: Any
    features: list[np.ndarray]
    labels: np.ndarray

    def set_head(self, head: TrainedHead) -> None:
        """Begin with this head."""
        self.head.set_weights([head.kernel, head.bias])

    def probabilities(self, rows: np.ndarray, batch_size: int) -> np.ndarray:
        """Class probabilities (M,C) of some pictures."""
        return self.model.predict(self._inputs(rows), batch_size=batch_size)

    def fit(
        self,
        train: np.ndarray,
        validation: np.ndarray,
        settings: Settings,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> tuple[dict[str, list[float]], list[float]]:
        """
        Train on some pictures by Adam; (figures of every epoch, seconds of each).

        The rate climbs for two epochs and then falls as a cosine.

        The validation part is measured after each epoch and decides nothing.
        """
        epoch = -(-len(train) // settings.batch_size)
        warmup, decay = _warmup(settings.fine_epochs) * epoch, settings.fine_epochs * epoch
        rate = CosineDecay(0.0, decay - warmup, warmup_target=settings.learning_rate, warmup_steps=warmup)
        self.model.compile(Adam(rate), "sparse_categorical_crossentropy", ["accuracy"])
        watch = Stopwatch("fine-tuning", settings.fine_epochs, progress)
        record = self.model.fit(
            self._inputs(train),
            self.labels[train],
            batch_size=settings.batch_size,
            epochs=settings.fine_epochs,
            verbose=0,
            callbacks=[watch],
            validation_data=(self._inputs(validation), self.labels[validation]),
        )
        return record.history, watch.seconds

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
        """What training changes, with copies of what it is now."""
        return [(parameter, parameter.numpy().copy()) for parameter in self.model.trainable_weights]

    def _inputs(self, rows: np.ndarray) -> Any:
        """The features of some pictures as the model takes them."""
        arrays = [array[rows] for array in self.features]
        return arrays[0] if len(arrays) == 1 else arrays


def _warmup(epochs: int) -> float:
    """Epochs in which the rate climbs: Adam's first steps are all of full length, and would undo the head."""
    return min(2.0, epochs / 4)
