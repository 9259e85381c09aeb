"""fit and evaluate on arrays: the arithmetic, the history, and what they refuse."""

import re

import numpy as np
import pytest

from minicnn import layers as L
from minicnn.callbacks import Callback, EarlyStopping, History
from minicnn.data import ArrayDataset
from minicnn.errors import ArgumentError, DataError, DTypeError, MinicnnError, ShapeError
from minicnn.layers.regularizers import L1L2, MaxNorm, NonNeg
from minicnn.models import Model, Sequential
from minicnn.optimizers import SGD
from minicnn.utils import set_random_seed, to_categorical

pytestmark = [pytest.mark.numpy_only, pytest.mark.no_jit]
GENERATOR = np.random.default_rng(0)
X = GENERATOR.standard_normal((20, 3)).astype(np.float32)
Y = (X @ GENERATOR.standard_normal((3, 2)) + 1).astype(np.float32)
LABELS = Y.argmax(1)


def linear(units: int = 2, **options) -> Sequential:
    """One dense layer that starts at zero."""
    model = Sequential([L.Input((3,)), L.Dense(units, kernel_initializer="zeros", name="d", **options)])
    model.compile(SGD(0.1), "mse", metrics=["mae"])
    return model


def classifier() -> Sequential:
    set_random_seed(1)
    model = Sequential([L.Input((3,)), L.Dense(8, "relu"), L.Dropout(0.2), L.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def by_hand(weights: list[np.ndarray], x, y, sample_weight=None, rate: float = 0.1) -> list[np.ndarray]:
    """One step of gradient descent on the mean squared error of a linear model, in float64."""
    kernel, bias = (w.astype(np.float64) for w in weights)
    scale = 1.0 if sample_weight is None else np.asarray(sample_weight, np.float64)[:, None]
    slope = 2 * (x @ kernel + bias - y) / y.size * scale
    return [kernel - rate * x.T @ slope, bias - rate * slope.sum(0)]


def assert_weights(model: Model, expected: list[np.ndarray]) -> None:
    for found, array in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, array, rtol=1e-5, atol=1e-6)


def test_an_epoch_is_gradient_descent_over_the_batches_in_order():
    model, expected, losses = linear(), [np.zeros((3, 2)), np.zeros(2)], []
    for rows in (slice(0, 8), slice(8, 16), slice(16, 20)):
        losses.append(np.square(X[rows] @ expected[0] + expected[1] - Y[rows]).mean() * len(X[rows]))
        expected = by_hand(expected, X[rows], Y[rows])
    history = model.fit(X, Y, batch_size=8, epochs=1, shuffle=False, verbose=0)
    assert_weights(model, expected)
    assert history.history["loss"][0] == pytest.approx(sum(losses) / 20, rel=1e-5)


def test_sample_weights_and_class_weights_scale_each_samples_share():
    weights = np.linspace(0, 2, 20)
    for options, scale in (
        ({"sample_weight": weights}, weights),
        ({"class_weight": {0: 0.5, 1: 3.0}}, np.where(LABELS == 0, 0.5, 3.0)),
        ({"class_weight": {1: 3.0}, "sample_weight": weights}, weights * np.where(LABELS == 0, 1, 3)),
    ):
        model, one_hot = linear(), to_categorical(LABELS, 2)
        model.fit(X, one_hot, batch_size=20, shuffle=False, verbose=0, **options)
        assert_weights(model, by_hand([np.zeros((3, 2)), np.zeros(2)], X, one_hot, scale))


def test_class_weights_take_class_numbers_too():
    first, second = classifier(), classifier()
    first.fit(X, LABELS, shuffle=False, verbose=0, class_weight={0: 0.0, 1: 2.0})
    second.fit(X, LABELS[:, None], shuffle=False, verbose=0, sample_weight=np.where(LABELS == 0, 0, 2))
    assert_weights(first, second.get_weights())


@pytest.mark.parametrize("y", [LABELS, LABELS[:, None], LABELS.astype(np.float32)])
def test_class_weights_for_class_numbers_name_classes_of_the_model(y):
    model = classifier()
    before = model.get_weights()
    with pytest.raises(ArgumentError, match=r"class_weight names class 2; the model has classes 0\.\.1"):
        model.fit(X, y, verbose=0, class_weight={0: 1.0, 2: 3.0})
    assert_weights(model, before)


def test_one_output_may_be_of_any_class():
    weighted, plain = linear(1), linear(1)
    plain.set_weights(weighted.get_weights())
    weighted.fit(X, LABELS * 5, verbose=0, shuffle=False, class_weight={0: 1.0, 5: 3.0})
    plain.fit(X, LABELS * 5, verbose=0, shuffle=False)
    assert not np.allclose(weighted.get_weights()[0], plain.get_weights()[0])


def test_a_weight_of_zero_leaves_a_sample_out():
    model = linear()
    y = Y.copy()
    y[10:] = 1e6
    model.fit(X, y, batch_size=20, verbose=0, sample_weight=np.arange(20) < 10)
    assert np.abs(model.get_weights()[0]).max() < 1


@pytest.mark.parametrize("options", [{"validation_data": (X[15:], Y[15:])}, {"validation_split": 0.25}])
def test_history_and_validation(options):
    model = linear()
    x, y = (X, Y) if "validation_split" in options else (X[:15], Y[:15])
    history = model.fit(x, y, epochs=3, batch_size=4, shuffle=False, verbose=0, **options)
    assert list(history.history) == ["loss", "mae", "val_loss", "val_mae"]
    assert all(len(values) == 3 for values in history.history.values())
    assert history.epoch == [0, 1, 2]
    other = linear()
    other.fit(X[:15], Y[:15], epochs=3, batch_size=4, shuffle=False, verbose=0)
    assert_weights(model, other.get_weights())  # the held-out part is not trained on
    loss, mae = model.evaluate(X[15:], Y[15:])
    assert history.history["val_loss"][-1] == pytest.approx(loss, rel=1e-6)
    assert history.history["val_mae"][-1] == pytest.approx(mae, rel=1e-6)


def test_validation_has_its_own_rhythm():
    history = linear().fit(X, Y, epochs=4, verbose=0, validation_data=(X, Y, np.ones(20)), validation_freq=2)
    assert len(history.history["val_loss"]) == 2


def test_evaluate_is_the_mean_over_all_samples():
    model = linear()
    model.fit(X, Y, verbose=0)
    error = model.predict(X) - Y
    assert model.evaluate(X, Y, batch_size=7) == pytest.approx(
        [np.square(error).mean(), np.abs(error).mean()], rel=1e-5
    )
    named = model.evaluate(X, Y, return_dict=True)
    assert list(named) == ["loss", "mae"]
    weights = np.linspace(0, 1, 20)
    assert model.evaluate(X, Y, sample_weight=weights)[0] == pytest.approx((np.square(error).mean(1) * weights).mean())
    model.compile("sgd", "mse")
    assert isinstance(model.evaluate(X, Y), float)


def test_shuffling_with_a_seed_gives_the_same_bits_twice():
    def run(seed: int) -> list[np.ndarray]:
        set_random_seed(seed)
        model = Sequential([L.Input((3,)), L.Dense(8, "relu"), L.Dropout(0.3), L.Dense(2)])
        model.compile("adam", "mse")
        model.fit(X, Y, epochs=3, batch_size=3, verbose=0)
        return model.get_weights()

    first, second, other = run(7), run(7), run(8)
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(first, other))


def test_every_sample_comes_once_an_epoch_in_a_new_order():
    seen = []

    class Rows(L.Layer):
        def call(self, x, training):
            if training and len(x):
                seen.extend(x.numpy()[:, 0].tolist())
            return x

    x = np.arange(20, dtype=np.float32)[:, None]
    model = Sequential([L.Input((1,)), L.Dense(1, kernel_initializer="ones"), Rows()])
    model.compile(SGD(0.0), "mse")
    model.fit(x, x, epochs=2, batch_size=6, verbose=0)
    first, second = seen[:20], seen[20:]
    assert sorted(first) == sorted(second) == x[:, 0].tolist()
    assert first != second
    assert first != sorted(first)


def test_penalties_are_part_of_loss_and_gradient():
    options = {"kernel_regularizer": L1L2(l2=0.5), "bias_regularizer": L1L2(l1=0.25)}
    model = linear(**options)
    start = [np.full((3, 2), 0.5), np.array([1.0, -1.0])]
    model.set_weights(start)
    error = X @ start[0] + start[1] - Y
    penalty = 0.5 * np.square(start[0]).sum() + 0.25 * np.abs(start[1]).sum()
    loss = np.square(error).mean() + penalty
    assert model.evaluate(X, Y)[0] == pytest.approx(loss, rel=1e-6)
    history = model.fit(X, Y, batch_size=20, verbose=0, validation_data=(X, Y))
    assert history.history["loss"][0] == pytest.approx(loss, rel=1e-6)
    kernel, bias = by_hand(start, X, Y)
    assert_weights(model, [kernel - 0.1 * 2 * 0.5 * start[0], bias - 0.1 * 0.25 * np.sign(start[1])])
    assert history.history["val_loss"][0] == pytest.approx(model.evaluate(X, Y)[0], rel=1e-6)


def test_frozen_weights_have_no_penalty():
    model = linear(kernel_regularizer=L1L2(l2=0.5))
    model.add(L.Dense(2, name="e"))
    model.set_weights([np.ones(w.shape) for w in model.weights])
    model.layers[0].trainable = False
    assert model.evaluate(X, Y)[0] == pytest.approx(np.square(model.predict(X) - Y).mean(), rel=1e-6)


def test_constraints_hold_after_every_step():
    model = linear(kernel_constraint=MaxNorm(0.05), bias_constraint=NonNeg())
    model.fit(X, Y - 5, epochs=2, batch_size=4, verbose=0)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 0.05, rtol=1e-5)
    np.testing.assert_array_equal(bias, 0)


def test_train_on_batch_is_one_step():
    model = linear()
    loss, mae = model.train_on_batch(X, Y)
    assert (loss, mae) == pytest.approx((np.square(Y).mean(), np.abs(Y).mean()), rel=1e-5)
    assert_weights(model, by_hand([np.zeros((3, 2)), np.zeros(2)], X, Y))
    assert model.train_on_batch(X, Y, sample_weight=np.zeros(20))[0] == 0


def test_gradients_left_over_from_elsewhere_do_not_count():
    model = linear()
    model(X, training=True).sum().backward()
    assert model.weights[0].grad is not None
    model.train_on_batch(X, Y)
    assert_weights(model, by_hand([np.zeros((3, 2)), np.zeros(2)], X, Y))
    assert model.weights[0].grad is None


class Diary(Callback):
    """Notes every hook."""

    def __init__(self):
        super().__init__()
        self.notes = []

    def on_train_begin(self, logs=None):
        self.notes.append("train")

    def on_epoch_begin(self, epoch, logs=None):
        self.notes.append(f"epoch {epoch}")

    def on_train_batch_begin(self, batch, logs=None):
        self.notes.append(f"batch {batch}")

    def on_train_batch_end(self, batch, logs=None):
        self.notes.append(f"done {batch} {sorted(logs)}")

    def on_epoch_end(self, epoch, logs=None):
        self.notes.append(f"end {epoch} {sorted(logs)}")

    def on_train_end(self, logs=None):
        self.notes.append("over")


def test_a_single_callback_needs_no_list():
    record = History()
    assert linear().fit(X, Y, epochs=2, verbose=0, callbacks=record) is record
    assert record.epoch == [0, 1]


def test_validation_goes_by_its_own_batch_size():
    sizes = []

    class Batches(ArrayDataset):
        def batches(self, batch_size, order=None):
            sizes.append(batch_size)
            return super().batches(batch_size, order)

    for size in (None, 7):
        linear().fit(X, Y, batch_size=5, verbose=0, validation_data=Batches(X, Y), validation_batch_size=size)
    assert sizes == [1, 5, 1, 7]  # one sample is looked at before


def test_initial_epoch_and_zero_epochs():
    diary = Diary()
    history = linear().fit(X, Y, epochs=5, initial_epoch=3, batch_size=20, verbose=0, callbacks=[diary])
    assert history.epoch == [3, 4]
    assert linear().fit(X, Y, epochs=0, verbose=0).history == {}


def test_early_stopping_restores_the_best_weights():
    class Rise(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = [3.0, 1.0, 2.0, 2.5, 2.6][epoch]
            saved.append(self.model.get_weights())

    saved, model = [], linear()
    stop = EarlyStopping(patience=2, restore_best_weights=True)
    history = model.fit(X, Y, epochs=5, verbose=0, validation_data=(X, Y), callbacks=[Rise(), stop])
    assert history.epoch == [0, 1, 2, 3]
    for found, best, last in zip(model.get_weights(), saved[1], saved[3]):
        np.testing.assert_array_equal(found, best)
        assert (best != last).any()


def test_a_callback_may_stop_within_an_epoch():
    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 2

    diary = Diary()
    history = linear().fit(X, Y, epochs=9, batch_size=2, verbose=0, callbacks=[Stop(), diary])
    assert history.epoch == [0]
    assert "batch 3" not in diary.notes


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_plain_lines_where_there_is_no_terminal(verbose, capsys):
    linear().fit(X, Y, epochs=2, verbose=verbose)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r"epoch 2/2  \d+\.\d s  loss [\d.]+  mae [\d.]+", lines[1])
    linear().fit(X, Y, verbose=0)
    assert capsys.readouterr().out == ""


def test_an_optimizer_keeps_its_state_from_fit_to_fit():
    first, second = classifier(), classifier()
    second.set_weights(first.get_weights())
    for _ in range(2):
        set_random_seed(5)
        first.fit(X, LABELS, shuffle=False, verbose=0)
    assert first.optimizer.iterations == 2
    assert second.optimizer.iterations == 0


NAN = np.where(np.arange(20)[:, None] == 7, np.nan, X)


@pytest.mark.parametrize(
    ("x", "y", "options", "error", "message"),
    [
        (NAN, Y, {}, DataError, "x holds NaN or infinity, first in sample 7"),
        (X, np.where(Y[3] == Y, np.inf, Y), {}, DataError, "y holds NaN or infinity, first in sample 3"),
        (X[:0], Y[:0], {}, DataError, "there are no samples"),
        (X, Y[:19], {}, DataError, "x has 20 samples, y has 19"),
        (X, Y, {"sample_weight": np.ones(3)}, DataError, "x has 20 samples, sample_weight has 3"),
        (
            X,
            Y,
            {"sample_weight": np.ones((20, 2))},
            ShapeError,
            r"sample_weight has shape \(20, 2\), an output",
        ),
        (X[:, :2], Y, {}, ShapeError, r"takes samples of shape \(3,\); got an array of shape \(20, 2\)"),
        (X, Y[:, :1], {}, ShapeError, r"targets of shape \(20, 1\) for predictions of shape \(None, 2\)"),
        (X, [Y, Y], {}, DataError, "the model has 1 outputs, targets were given for 2"),
        (X, None, {}, DataError, "targets were given for 0"),
        (X, np.full((20, 2), "a"), {}, DTypeError, "y must be an array of numbers"),
        (X, Y, {"epochs": -1}, ArgumentError, "epochs must be a whole number of at least 0; it is -1"),
        (X, Y, {"batch_size": 0}, ArgumentError, "batch_size must be"),
        (X, Y, {"batch_size": 2.5}, ArgumentError, "batch_size must be"),
        (X, Y, {"validation_split": 1.0}, ArgumentError, "validation_split=1.0 of 20 samples leaves one side empty"),
        (X, Y, {"validation_data": (X, Y[:3])}, DataError, "x has 20 samples, y has 3"),
        (
            X,
            Y,
            {"validation_batch_size": -2, "validation_data": (X, Y)},
            ArgumentError,
            "validation_batch_size must be",
        ),
        (X, Y, {"validation_freq": 0}, ArgumentError, "validation_freq must be a whole number of at least 1; it is 0"),
        (
            X,
            Y,
            {"sample_weight": np.full(20, np.nan)},
            DataError,
            "sample_weight holds NaN or infinity, first in sample 0",
        ),
        (X, Y, {"class_weight": {0: np.nan}}, ArgumentError, r"class_weight: of 0 must be a number .* it is nan"),
        (X, Y, {"class_weight": {"cat": 1.0}}, ArgumentError, "each class must be a whole number .* it is 'cat'"),
        (X, Y, {"class_weight": [1.0, 2.0]}, ArgumentError, "class_weight must be a dict"),
        (X, Y, {"class_weight": {7: 1.0}}, ArgumentError, "class_weight names class 7; the targets have classes 0..1"),
        (X, Y, {"callbacks": "History"}, ArgumentError, "callbacks: each must be an object"),
        (X, Y, {"steps_per_epoch": 2}, ArgumentError, "steps_per_epoch is for generators"),
    ],
)
def test_bad_data_is_refused_before_anything_changes(x, y, options, error, message):
    model = linear()
    before = model.get_weights()
    with pytest.raises(error, match=message) as caught:
        model.fit(x, y, **{"verbose": 0, "batch_size": 20, **options})
    assert isinstance(caught.value, MinicnnError)
    assert "\n" not in str(caught.value)
    assert_weights(model, before)


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        ("sparse_categorical_crossentropy", LABELS + 1, "labels run from 1 to 2, the model has classes 0..1"),
        ("sparse_categorical_crossentropy", LABELS - 1, "labels run from -1"),
        ("sparse_categorical_crossentropy", Y, "class numbers of shape"),
        ("categorical_crossentropy", LABELS, "one-hot"),
    ],
)
def test_labels_that_do_not_fit_the_loss(loss, y, message):
    model = classifier()
    model.compile("adam", loss)
    with pytest.raises(MinicnnError, match=message):
        model.fit(X, y, verbose=0, batch_size=20)
