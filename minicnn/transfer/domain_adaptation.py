"""Making a network that was trained on one kind of pictures work on another kind, of which no labels are known."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.arguments import number, whole_number
from minicnn.autograd import Tensor, no_grad
from minicnn.callbacks import Callback
from minicnn.errors import ArgumentError, DataError
from minicnn.layers import BatchNormalization, Dense, Layer
from minicnn.models import Model
from minicnn.models.graph import Program
from minicnn.optimizers import SGD
from minicnn.schedules import CosineDecay
from minicnn.seeds import new_seed
from minicnn.transfer.surgery import without_head
from minicnn.utils import one_hot, whole_numbers

RATE = 0.01
STEEPNESS = 10.0  # of the strength's climb from 0 to its full value


def adapt_batchnorm(model: Any, x: Any, batch_size: int = 64) -> list[str]:
    """
    AdaBN: put the statistics of these pictures in place of the stored ones of every BatchNormalization; nothing else.

    With mₖ, vₖ the mean and variance of a layer's input on batch k of nₖ pictures, which the layers before normalise by
    the batch, too:  mean = Σ nₖ mₖ / N,  variance = Σ nₖ (vₖ + mₖ²) / N - mean².

    Parameters
    ----------
    model : Model
        Changed in place; dropout and the like act as in prediction.
    x : (N,H,W,C)
        Pictures of the new kind, as the model takes them, in random order; no labels are used.
    batch_size : int
        The most in a batch; batches are of about equal size.

    Returns
    -------
    list of str
        The layers whose statistics were replaced.

    Raises
    ------
    ArgumentError, DataError
        The model has no BatchNormalization; no pictures.

    Source
    ------
    Y. Li et al., Revisiting batch normalization for practical domain adaptation (2016), algorithm 1.

    Examples
    --------
    >>> from minicnn.layers import BatchNormalization, Input
    >>> from minicnn.models import Sequential
    >>> model = Sequential([Input((1,)), BatchNormalization(name="bn")])
    >>> adapt_batchnorm(model, np.array([[4.0], [6.0]]))
    ['bn']
    >>> [float(weight[0]) for weight in model.get_layer("bn").get_weights()[2:]]
    [5.0, 1.0]
    """
    whole_number("adapt_batchnorm", "batch_size", batch_size, 1)
    x = model.cast_inputs([np.asarray(x)])[0]
    calls = [call for call in model.program.calls if isinstance(call.layer, BatchNormalization)]
    layers = {id(call.layer): call.layer for call in calls}
    if not layers:
        raise ArgumentError(f"model {model.name} has no BatchNormalization: there are no statistics to adapt")
    if not len(x):
        raise DataError("adapt_batchnorm: there are no pictures")
    kept = [(layer, layer.momentum, layer.trainable, layer.get_weights()) for layer in layers.values()]
    found: dict[int, np.ndarray] = {}
    try:
        for layer in layers.values():
            layer.momentum, layer.trainable = 0.0, True  # so that the stored statistics are those of the last batch
        for batch in np.array_split(x, -(-len(x) // batch_size)):
            _see(model.program, batch)
            for key, layer in layers.items():
                mean, variance = (w.numpy().astype(np.float64) for w in (layer.moving_mean, layer.moving_variance))
                found[key] = found.get(key, 0) + len(batch) / len(x) * np.stack([mean, variance + mean**2])
    finally:
        for layer, momentum, trainable, weights in kept:
            layer.momentum, layer.trainable = momentum, trainable
            layer.set_weights(weights)
    for key, (mean, square) in found.items():
        layers[key].moving_mean.assign(mean.astype(x.dtype))
        layers[key].moving_variance.assign(np.maximum(square - mean**2, 0).astype(x.dtype))
    return [layer.name for layer in layers.values()]


def _see(program: Program, batch: np.ndarray) -> None:
    """One batch through a program in which BatchNormalization alone acts as in training."""
    calls = [replace(call, training=isinstance(call.layer, BatchNormalization)) for call in program.calls]
    with no_grad():
        Program(calls, program.inputs, program.outputs).run({program.inputs[0]: Tensor(batch)}, training=False)


class GradientReversal(Layer):
    """
    y = x; in training, the gradient that comes back is multiplied by -strength.

    What lies after it learns to tell domains apart, what lies before it to make that impossible.  It serves training
    alone: model files do not know it.

    Examples
    --------
    >>> GradientReversal(0.5)(np.ones((1, 2), np.float32)).numpy()
    array([[1., 1.]], dtype=float32)
    """

    def __init__(self, strength: float = 1.0, **options: Any):
        super().__init__(**options)
        self.strength = number(f"layer {self.name}", "strength", strength, "[0, inf)")

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.reverse_gradient(x, self.strength) if training else x


def train_dann(
    model: Any,
    source: tuple[Any, Any],
    target: Any,
    *,
    epochs: int = 20,
    batch_size: int = 32,
    optimizer: Any = None,
    strength: float = 0.1,
    hidden: int = 64,
    callbacks: Any = None,
) -> dict[str, list[float]]:
    """
    DANN: train a classifier on the source while its features unlearn what tells source from target.

    A second head, GradientReversal → Dense(hidden) → sigmoid, tells the domains apart on the features that the model's
    last dense layer sees.  Each step takes batch_size pictures of either domain and minimises, with n source pictures,

        1/n Σ -log p[y]  +  mean binary cross-entropy of the domain,

    the latter with its gradient reversed, times strength (2 / (1 + exp(-10 t)) - 1), before it reaches the features; t
    goes from 0 to 1 in training.

    Parameters
    ----------
    model : Model
        Pictures to class probabilities, softmax; trained in place, by its `trainable` flags.
    source : (x, y)
        Pictures (N,H,W,C) as the model takes them, and class numbers (N,).
    target : (M,H,W,C)
        Pictures of the other kind.
    epochs, batch_size : int
        An epoch sees every source picture once, and target pictures in random order.
    optimizer : optional
        SGD(momentum=0.9) when None, its rate 0.01 and falling as a cosine; Adam's steps are too bold for two sides that
        work against each other.
    strength : float
    hidden : int
        Units of the domain head, which is thrown away.
    callbacks : optional
        As `fit` takes them.

    Returns
    -------
    dict
        {"loss", "class_loss", "domain_loss"}: one figure an epoch.  A domain loss of log 2 = 0.69 is that of
        guessing, one far above it a sign that the strength or the rate is too large.

    Raises
    ------
    MinicnnError
        Labels that do not fit the pictures or the model; no pictures; a model without a dense last layer.

    Source
    ------
    Y. Ganin and V. Lempitsky, Unsupervised domain adaptation by backpropagation (ICML 2015), sections 3 and 4.

    Examples
    --------
    >>> history = train_dann(model, (x, y), x_new, epochs=10)  # doctest: +SKIP
    """
    size = whole_number("train_dann", "batch_size", batch_size, 1)
    batches = _mixed(model.outputs[0].shape[-1], source, target, size)
    steps = whole_number("train_dann", "epochs", epochs, 1) * len(batches)
    reversal = GradientReversal(0.0)
    climb = _Climb(reversal, number("train_dann", "strength", strength, "[0, inf)"), steps)
    shared = Dense(hidden, activation="relu")(reversal(without_head(model).outputs[0]))
    joint = Model(model.inputs, [model.outputs[0], Dense(1, activation="sigmoid")(shared)])
    optimizer = optimizer or SGD(CosineDecay(RATE, steps), momentum=0.9)
    losses = ["categorical_crossentropy", "binary_crossentropy"]
    joint.compile(optimizer, losses, loss_weights=[2.0, 1.0])  # half of the rows have no class
    record = joint.fit(batches, epochs=epochs, verbose=0, callbacks=[climb, *(callbacks or [])]).history
    of_class, of_domain = (record[f"{output}_loss"] for output in joint.output_names)
    return {"loss": record["loss"], "class_loss": [2 * loss for loss in of_class], "domain_loss": of_domain}


def _mixed(classes: int, source: tuple[Any, Any], target: Any, size: int) -> "_Mixed":
    """Batches of the pictures of both kinds, checked."""
    x, y, target = np.asarray(source[0]), whole_numbers(source[1], "train_dann").reshape(-1), np.asarray(target)
    if len(x) != len(y) or not len(x) or not len(target):
        raise DataError(f"train_dann: {len(x)} source pictures, {len(y)} labels and {len(target)} target pictures")
    if y.min() < 0 or y.max() >= classes:
        raise DataError(f"train_dann: labels go from {y.min()} to {y.max()}; the model has classes 0..{classes - 1}")
    return _Mixed(x, one_hot(y, classes, np.float32), target, size)


class _Mixed:
    """Batches of as many pictures of the source as of the target, drawn anew in each epoch."""

    def __init__(self, x: np.ndarray, rows: np.ndarray, target: np.ndarray, size: int):
        self.x, self.rows, self.target = x, rows, target
        self.size = min(size, len(x), len(target))
        self.generator = np.random.default_rng(new_seed())

    def __len__(self) -> int:
        return len(self.x) // self.size

    def __iter__(self) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        order = self.generator.permutation(len(self.x))
        domain = np.repeat(np.array([[0], [1]], np.float32), self.size, axis=0)
        others: list[int] = []
        for step in range(len(self)):
            own = order[step * self.size : (step + 1) * self.size]
            if len(others) < self.size:
                others = self.generator.permutation(len(self.target)).tolist()
            drawn, others = others[: self.size], others[self.size :]
            labels = np.concatenate([self.rows[own], np.zeros_like(self.rows[own])])  # a row of zeros has no loss
            yield np.concatenate([self.x[own], self.target[drawn]]), [labels, domain]


class _Climb(Callback):
    """Lets the strength of a reversal climb from 0: full (2 / (1 + exp(-10 t)) - 1) at the share t of all steps."""

    def __init__(self, reversal: GradientReversal, full: float, steps: int):
        super().__init__()
        self.reversal, self.full, self.steps, self.done = reversal, full, steps, 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        share = self.done / max(self.steps, 1)
        self.reversal.strength = self.full * (2 / (1 + float(np.exp(-STEEPNESS * share))) - 1)
        self.done += 1
