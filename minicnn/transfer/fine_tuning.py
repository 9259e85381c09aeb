"""Fine-tuning: the layers from one on and the head, at a small rate, on the kept features of all before them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minicnn.callbacks import Callback
from minicnn.optimizers import Adam
from minicnn.schedules import CosineDecay
from minicnn.transfer.head import Stopwatch


@dataclass
class Tail:
    """
    The trained part of a net, and what flows into it.

    Attributes
    ----------
    model : Model
        Its layers are those of the whole net: training it trains the net.
    features : list of float32 (N,...)
        One array an input, for all pictures.
    labels : int (N,)
    """

    model: object
    features: list[np.ndarray]
    labels: np.ndarray

    def rows(self, indices: np.ndarray) -> list[np.ndarray]:
        """The features of some pictures."""
        return [array[indices] for array in self.features]

    def probabilities(self, indices: np.ndarray, batch_size: int) -> np.ndarray:
        """Class probabilities (M,C) of some pictures."""
        return self.model.predict(self.rows(indices), batch_size=batch_size)

    def fit(
        self,
        train: np.ndarray,
        validation: np.ndarray,
        *,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        callbacks: Sequence[Callback] = (),
    ) -> tuple[dict[str, list[float]], list[float]]:
        """
        Train on some pictures by Adam with a cosine rate; (figures of every epoch, seconds of each).

        The validation part is measured after each epoch and decides nothing.
        """
        steps = epochs * -(-len(train) // batch_size)
        self.model.compile(Adam(CosineDecay(learning_rate, steps)), "sparse_categorical_crossentropy", ["accuracy"])
        watch = Stopwatch("fine-tuning", epochs)
        record = self.model.fit(
            self.rows(train),
            self.labels[train],
            batch_size=batch_size,
            epochs=epochs,
            verbose=0,
            callbacks=[watch, *callbacks],
            validation_data=(self.rows(validation), self.labels[validation]),
        )
        return record.history, watch.seconds
