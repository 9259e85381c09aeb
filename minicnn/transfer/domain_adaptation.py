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
from minicnn.models.arrays import as_array
from minicnn.models.graph import Program
from minicnn.optimizers import SGD
from minicnn.schedules import CosineDecay
from minicnn.seeds import new_seed
from minicnn.transfer.surgery import without_head
from minicnn.utils import one_hot, whole_numbers

RATE = 0.01
STEEPNESS = 10.0  # of the strength's climb from 0 to its full value
LOSSES = ["categorical_crossentropy", "binary_crossentropy"]
LOSS_WEIGHTS = [2.0, 1.0]  # half of the rows have no class


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
    (x,) = model.cast_inputs([as_array(x, "the pictures")])
    layers = _norms(model)
    if not len(x):
        raise DataError("adapt_batchnorm: there are no pictures")
    for key, (mean, square) in _moments(model.program, layers, x, batch_size).items():
        layers[key].moving_mean.assign(mean.astype(x.dtype))
        layers[key].moving_variance.assign(np.maximum(square - mean**2, 0).astype(x.dtype))
    return [layer.name for layer in layers.values()]


def _norms(model: Any) -> dict[int, BatchNormalization]:
    """The layers with statistics, by their ids."""
    layers = {id(call.layer): call.layer for call in model.program.calls if isinstance(call.layer, BatchNormalization)}
    if not layers:
        raise ArgumentError(f"model {model.name} has no BatchNormalization: there are no statistics to adapt")
    return layers


def _moments(program: Program, layers: dict[int, Any], x: np.ndarray, batch_size: int) -> dict[int, np.ndarray]:
    """Mean and mean square (2,C) of what flows into each BatchNormalization; the layers are as before at the end."""
    kept = [(layer, layer.momentum, layer.trainable, layer.get_weights()) for layer in layers.values()]
    found: dict[int, np.ndarray] = {}
    try:
        for layer in layers.values():
            layer.momentum, layer.trainable = 0.0, True  # so that the stored statistics are those of the last batch
        for batch in np.array_split(x, -(-len(x) // batch_size)):
            _see(program, batch)
            for key, layer in layers.items():
                mean, variance = (w.numpy().astype(np.float64) for w in (layer.moving_mean, layer.moving_variance))
                found[key] = found.get(key, 0) + len(batch) / len(x) * np.stack([mean, variance + mean**2])
    finally:
        for layer, momentum, trainable, weights in kept:
            layer.momentum, layer.trainable = momentum, trainable
            layer.set_weights(weights)
    return found


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

    Source: Y. Ganin and V. Lempitsky, Unsupervised domain adaptation by backpropagation (ICML 2015), section 3.

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
    DANN: minimise  mean over the source of -log p[y]  +  mean binary cross-entropy of the domain,  with the gradient of
    the latter reversed on its way into the features, so that they unlearn what tells source from target.

    A second head tells the domains apart.  The reversed gradient counts strength (2 / (1 + exp(-10 t)) - 1) times, t
    going from 0 to 1 in training.  A step takes batch_size pictures of either domain.

    Parameters
    ----------
    model : Model
        Pictures to class probabilities, softmax; trained in place, by its `trainable` flags.
    source, target : (x, y), (M,H,W,C)
        Pictures (N,H,W,C) as the model takes them, and class numbers (N,); pictures of the other kind.
    epochs, batch_size, strength, hidden
        An epoch is so many whole batches as the source has; the second head has `hidden` units.
    optimizer, callbacks
        SGD(momentum=0.9), its rate falling as a cosine, when None; Adam's steps are too bold for this tug-of-war.

    Returns
    -------
    dict
        {"loss", "class_loss", "domain_loss"} by epoch; the last is log 2 by guessing, more where rates are too high.

    Raises
    ------
    DataError, ArgumentError, UnsupportedError

    Examples
    --------
    >>> history = train_dann(model, (x, y), x_new, epochs=10)  # doctest: +SKIP
    """
    size = whole_number("train_dann", "batch_size", batch_size, 1)
    batches = _mixed(model.outputs[0].shape[-1], source, target, size)
    steps = whole_number("train_dann", "epochs", epochs, 1) * len(batches)
    climb = _Climb(number("train_dann", "strength", strength, "[0, inf)"), steps)
    joint = _with_domain_head(model, climb.reversal, hidden)
    joint.compile(optimizer or SGD(CosineDecay(RATE, steps), 0.9), LOSSES, loss_weights=LOSS_WEIGHTS)
    return _losses(joint, joint.fit(batches, epochs=epochs, verbose=0, callbacks=[climb, *(callbacks or [])]).history)


def _with_domain_head(model: Any, reversal: GradientReversal, hidden: int) -> Model:
    """A model with what it says of the class, and of the domain on the features that its last dense layer sees."""
    shared = Dense(hidden, activation="relu")(reversal(without_head(model).outputs[0]))
    return Model(model.inputs, [model.outputs[0], Dense(1, activation="sigmoid")(shared)])


def _losses(joint: Model, record: dict[str, list[float]]) -> dict[str, list[float]]:
    """What `train_dann` returns of the figures of `fit`."""
    of_class, of_domain = (record[f"{output}_loss"] for output in joint.output_names)
    return {
        "loss": record["loss"],
        "class_loss": [LOSS_WEIGHTS[0] * loss for loss in of_class],
        "domain_loss": of_domain,
    }


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
    """A reversal whose strength climbs from 0: full (2 / (1 + exp(-10 t)) - 1) at the share t of all steps."""

    def __init__(self, full: float, steps: int):
        super().__init__()
        self.reversal, self.full, self.steps, self.done = GradientReversal(0.0), full, steps, 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        share = self.done / max(self.steps, 1)
        self.reversal.strength = self.full * (2 / (1 + float(np.exp(-STEEPNESS * share))) - 1)
        self.done += 1
