"""Write masked_training.npz: what Keras 3 trains and measures where the outputs of a model have masks.

python make_masked_training.py        (in an environment that has Keras 3 with TensorFlow; the result is committed)
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

L = keras.layers
STEPS, SAMPLES = 5, 8  # in batches of one size: Keras averages the losses of several outputs over batches
Case = tuple[Callable[[], keras.Model], Any, list[str]]  # the model, its loss, its metrics


def words() -> keras.Model:
    x = keras.Input((STEPS,))
    y = L.BatchNormalization(momentum=0.8)(L.Embedding(6, 4, mask_zero=True)(x))
    y = L.GRU(4, return_sequences=True, name="gru")(y)
    return keras.Model(x, L.Dense(3, activation="softmax", name="classes")(y))


def sequences(axis: int, units: int, activation: str) -> keras.Model:
    """A normalisation whose result also goes where the mask does not."""
    x = keras.Input((STEPS, 3))
    y = L.BatchNormalization(axis=axis, momentum=0.5)(L.Masking()(x))
    y = L.Add()([y, L.Dense(3)(y)])
    return keras.Model(x, L.Dense(units, activation=activation, name="end")(y))


def two_outputs() -> keras.Model:
    x = keras.Input((STEPS, 3))
    y = L.BatchNormalization(scale=False)(L.Masking()(x))
    kept = L.Dense(2, name="kept")(y)
    return keras.Model(x, [kept, L.Conv1D(2, 2, padding="same", name="lost")(y)])


CASES: dict[str, Case] = {
    "words": (words, "sparse_categorical_crossentropy", ["accuracy", "sparse_top_k_categorical_accuracy"]),
    "values": (lambda: sequences(-1, 2, "tanh"), "mse", ["mae", "mse"]),
    "by_step": (lambda: sequences(1, 2, "tanh"), "mae", ["mse"]),
    "yes_or_no": (lambda: sequences(-1, 1, "sigmoid"), "binary_crossentropy", ["accuracy", "precision", "recall"]),
    "one_hot": (lambda: sequences(-1, 3, "softmax"), "categorical_crossentropy", ["categorical_accuracy"]),
    "two_outputs": (two_outputs, "mse", []),
}


def metric(name: str) -> Any:
    known = {"precision": keras.metrics.Precision, "recall": keras.metrics.Recall}
    return known[name](name=name) if name in known else name


def data(name: str, model: keras.Model) -> tuple[np.ndarray, list[np.ndarray]]:
    """Sequences of which steps do not count: at the end, at the begin, within, all, none."""
    generator = np.random.default_rng(0)
    counts = generator.random((SAMPLES, STEPS)) < 0.6
    counts[0], counts[1] = True, False
    targets = [generator.uniform(0, 1, (SAMPLES, *t.shape[1:])).astype(np.float32) for t in model.outputs]
    if name == "words":
        targets = [generator.integers(0, 3, (SAMPLES, STEPS))]
        return (counts * generator.integers(1, 6, counts.shape)).astype(np.float32), targets
    if name == "yes_or_no":
        targets = [np.round(targets[0])]
    if name == "one_hot":
        targets = [np.eye(3, dtype=np.float32)[generator.integers(0, 3, counts.shape)]]
    return generator.standard_normal((*counts.shape, 3)).astype(np.float32) * counts[..., None], targets


def record(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    make, loss, metrics = CASES[name]
    keras.utils.clear_session()
    model = make()
    generator = np.random.default_rng(1)
    model.set_weights([generator.uniform(0.1, 0.9, w.shape) for w in model.get_weights()])
    arrays = {f"{name}/w{i}": w for i, w in enumerate(model.get_weights())}
    x, targets = data(name, model)
    y = targets if len(targets) > 1 else targets[0]
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=[metric(one) for one in metrics] or None)
    step = model.train_on_batch(x, y)
    backwards = [target[::-1] for target in targets]
    validation = x[::-1], backwards if len(targets) > 1 else backwards[0]
    options = {"epochs": 2, "shuffle": False, "validation_batch_size": 2, "verbose": 0}
    history = model.fit(x, y, 4, validation_data=validation, **options).history
    arrays |= {f"{name}/v{i}": w for i, w in enumerate(model.get_weights())}
    arrays |= {f"{name}/x0": x} | {f"{name}/y{i}": t for i, t in enumerate(targets)}
    facts = {"config": json.loads(model.to_json()), "loss": loss, "metrics": metrics, "history": history}
    facts["step"] = [float(value) for value in np.atleast_1d(step)]
    facts["evaluated"] = model.evaluate(x, y, batch_size=2, verbose=0, return_dict=True)
    return facts, arrays


def main() -> None:
    arrays: dict[str, np.ndarray] = {}
    facts: dict[str, Any] = {}
    for name in CASES:
        facts[name], found = record(name)
        arrays |= found
    text = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    np.savez_compressed(Path(__file__).with_name("masked_training.npz"), facts=text, **arrays)


if __name__ == "__main__":
    main()
