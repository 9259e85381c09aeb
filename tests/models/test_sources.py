"""Batches from generators, iterables and datasets."""

import numpy as np
import pytest

from minicnn import layers as L
from minicnn.callbacks import LambdaCallback
from minicnn.data import ArrayDataset
from minicnn.errors import ArgumentError, DataError, MinicnnError, ShapeError
from minicnn.models import Sequential
from minicnn.optimizers import SGD
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only
X = np.random.default_rng(0).standard_normal((12, 3)).astype(np.float32)
Y = X[:, :2] * 2


def linear() -> Sequential:
    model = Sequential([L.Input((3,)), L.Dense(2, kernel_initializer="zeros")])
    model.compile(SGD(0.1), "mse")
    return model


def trained(*data, **options) -> list[np.ndarray]:
    model = linear()
    model.fit(*data, verbose=0, shuffle=False, **options)
    return model.get_weights()


EXPECTED = trained(X, Y, batch_size=4, epochs=2)


def assert_expected(found: list[np.ndarray]) -> None:
    for a, b in zip(found, EXPECTED, strict=True):
        np.testing.assert_array_equal(a, b)


def batches():
    return [(X[i : i + 4], Y[i : i + 4]) for i in (0, 4, 8)]


def endless():
    while True:
        yield from batches()


def test_a_generator_goes_on_where_the_last_epoch_stopped():
    assert_expected(trained(endless(), steps_per_epoch=3, epochs=2))
    assert_expected(trained(endless(), steps_per_epoch=2, epochs=3))


def test_a_list_of_batches_begins_anew_each_epoch():
    assert_expected(trained(batches(), epochs=2))
    assert_expected(trained(batches() + batches(), steps_per_epoch=3, epochs=2))


def test_batches_with_weights():
    weights = np.linspace(0, 1, 12)
    found = trained([(X, Y, weights)])
    expected = trained(X, Y, sample_weight=weights, batch_size=12)
    for a, b in zip(found, expected):
        np.testing.assert_array_equal(a, b)


def test_a_dataset():
    data = ArrayDataset(X, Y)
    assert_expected(trained(data, batch_size=4, epochs=2))
    model = linear()
    model.set_weights(EXPECTED)
    np.testing.assert_array_equal(model.predict(data, batch_size=5), model.predict(X, batch_size=5))
    assert model.evaluate(data) == model.evaluate(X, Y)


def test_a_dataset_is_shuffled_as_arrays_are():
    def run(*data) -> list[np.ndarray]:
        set_random_seed(2)
        model = linear()
        model.fit(*data, batch_size=5, epochs=2, verbose=0)
        return model.get_weights()

    for a, b in zip(run(ArrayDataset(X, Y)), run(X, Y)):
        np.testing.assert_array_equal(a, b)


def test_validation_from_every_source():
    expected = linear().fit(X, Y, verbose=0, shuffle=False, validation_data=(X, Y)).history["val_loss"]
    for data in (ArrayDataset(X, Y), batches(), [X, Y]):
        found = linear().fit(X, Y, verbose=0, shuffle=False, validation_data=data).history["val_loss"]
        assert found == pytest.approx(expected, rel=1e-5)


def numbered():
    """Batches that differ: 1 x, 2 x, ..."""
    count = 0
    while True:
        count += 1
        yield X * count, Y


def test_validation_draws_on_from_a_generator():
    stream = numbered()
    history = linear().fit(X, Y, epochs=2, verbose=0, validation_data=stream, validation_steps=2).history
    assert len(history["val_loss"]) == 2
    np.testing.assert_array_equal(next(stream)[0], X * 5)


def test_validation_steps_are_the_first_batches():
    model, other = linear(), linear()
    part = model.fit(
        X, Y, verbose=0, shuffle=False, validation_data=(X, Y), validation_batch_size=4, validation_steps=2
    )
    first = other.fit(X, Y, verbose=0, shuffle=False, validation_data=(X[:8], Y[:8]))
    assert part.history["val_loss"] == pytest.approx(first.history["val_loss"], rel=1e-6)
    for data in (batches(), ArrayDataset(X, Y)):
        found = linear().fit(
            X, Y, verbose=0, shuffle=False, validation_data=data, validation_batch_size=4, validation_steps=2
        )
        assert found.history["val_loss"] == pytest.approx(part.history["val_loss"], rel=1e-6)


def test_evaluate_draws_from_a_generator():
    model, stream = linear(), numbered()
    first = model.evaluate(stream, steps=1)
    assert first == model.evaluate(X, Y)
    np.testing.assert_array_equal(next(stream)[0], X * 2)
    assert model.evaluate(iter(batches()), steps=3) == pytest.approx(first)
    assert model.evaluate(X, Y, batch_size=4, steps=2) == pytest.approx(model.evaluate(X[:8], Y[:8]))


def test_images_of_several_sizes_in_one_training():
    """Batches of free sides pass a frozen layer, which runs as a plan of fixed sides."""
    frozen = L.Conv2D(2, 3)
    model = Sequential([L.Input((None, None, 1)), frozen, L.GlobalAveragePooling2D(), L.Dense(2)])
    frozen.trainable = False
    model.compile("sgd", "mse")
    sizes = [np.ones((4, side, side, 1), np.float32) for side in (5, 7, 5, 9)]
    history = model.fit([(x, Y[:4]) for x in sizes], epochs=2, verbose=0, validation_data=(sizes[1], Y[:4]))
    assert len(history.history["val_loss"]) == 2


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        (lambda: endless(), {}, ArgumentError, "a generator has no end: .* steps_per_epoch"),
        (lambda: [X], {"y": None}, DataError, "the model has 1 outputs"),
        (lambda: [5], {}, DataError, r"each batch must be \(x, y\)"),
        (lambda: [(X, Y[:3])], {}, DataError, "x has 12 samples, y has 3"),
        (lambda: [(np.full((2, 3), np.nan), Y[:2])], {}, DataError, "x holds NaN or infinity"),
        (lambda: [(X[:, :2], Y)], {}, ShapeError, "takes samples of shape"),
        (lambda: iter([]), {"steps_per_epoch": 1}, DataError, "no batches to train on"),
        (lambda: ArrayDataset(X[:0], Y[:0]), {}, DataError, "the dataset is empty"),
        (lambda: ArrayDataset(X, Y), {"y": Y}, ArgumentError, "a dataset holds its own targets"),
        (
            lambda: ArrayDataset(X, Y),
            {"validation_split": 0.5},
            ArgumentError,
            "validation_split needs x and y as arrays",
        ),
        (
            batches,
            {"validation_data": endless()},
            ArgumentError,
            "fit: a generator has no end: say how many batches to take with validation_steps=",
        ),
        (batches, {"validation_data": iter([]), "validation_steps": 2}, DataError, "there are no batches to evaluate"),
        (
            batches,
            {"validation_data": (X, Y), "validation_steps": 0},
            ArgumentError,
            "fit: validation_steps must be a whole number of at least 1; it is 0",
        ),
        (lambda: ArrayDataset(X, Y), {"steps_per_epoch": 2}, ArgumentError, "steps_per_epoch is for generators"),
    ],
)
def test_refusals(data, options, error, message):
    with pytest.raises(error, match=message) as caught:
        linear().fit(data(), verbose=0, **options)
    assert isinstance(caught.value, MinicnnError)


@pytest.mark.parametrize(("drawn", "epochs"), [(3, 1), (4, 2), (6, 2)])
def test_a_generator_that_ends_too_early_ends_the_training(drawn, epochs):
    model, ends = linear(), []
    whole = (batches() * 2)[:drawn]
    with pytest.warns(UserWarning, match=f"the generator ended in epoch {epochs} of 4, so training ends; .* steps_per"):
        found = model.fit(
            iter(whole), steps_per_epoch=3, epochs=4, verbose=0, callbacks=LambdaCallback(on_train_end=ends.append)
        )
    assert len(found.history["loss"]) == epochs
    assert len(ends) == 1
    assert model.optimizer.iterations == drawn


def test_a_last_epoch_that_a_generator_cuts_short():
    with pytest.warns(UserWarning, match="the generator ended in epoch 2 of 2"):
        found = linear().fit(iter(batches()), steps_per_epoch=2, epochs=2, verbose=0)
    assert len(found.history["loss"]) == 2


def test_validation_data_that_end_too_early_end_the_training():
    options = {"validation_data": iter(batches()), "validation_steps": 1, "validation_freq": 2, "epochs": 9}
    with pytest.warns(UserWarning, match="the generator of validation data ended in epoch 6 of 9, so training ends"):
        found = linear().fit(X, Y, verbose=0, **options)
    assert (len(found.history["loss"]), len(found.history["val_loss"])) == (6, 3)


def test_evaluate_refuses_a_generator_without_an_end():
    with pytest.raises(
        ArgumentError, match="evaluate: a generator has no end: say how many batches to take with steps="
    ):
        linear().evaluate(endless())


def test_batches_without_samples_are_passed_over():
    empty = (X[:0], Y[:0])
    assert_expected(trained([empty, *batches(), empty], epochs=2))
    assert_expected(trained(iter([empty, *batches() * 2]), steps_per_epoch=3, epochs=2))


def test_steps_are_whole_numbers():
    with pytest.raises(ArgumentError, match="evaluate: steps must be a whole number of at least 1"):
        linear().evaluate(X, Y, steps=2.5)
