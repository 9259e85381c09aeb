"""x and y as dicts by the names of inputs and outputs."""

import numpy as np
import pytest

from minicnn import layers as L
from minicnn.errors import ArgumentError, DataError, GraphError, MinicnnError
from minicnn.models import Model, Sequential
from minicnn.optimizers import SGD

pytestmark = [pytest.mark.numpy_only, pytest.mark.no_jit]
GENERATOR = np.random.default_rng(0)
P, Q = (GENERATOR.standard_normal((8, n)).astype(np.float32) for n in (3, 2))
A, B = (GENERATOR.standard_normal((8, n)).astype(np.float32) for n in (2, 1))
X, Y = {"q": Q, "p": P}, {"b": B, "a": A}  # in another order than the model's


def model() -> Model:
    p, q = L.Input((3,), name="p"), L.Input((2,), name="q")
    both = L.Concatenate()([p, q])
    model = Model([p, q], [L.Dense(n, name=name, kernel_initializer="ones")(both) for name, n in (("a", 2), ("b", 1))])
    model.compile(SGD(0.01), ["mse", "mae"])
    return model


def trained(x, y=None, **options) -> tuple[dict, list[np.ndarray]]:
    one = model()
    history = one.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, **options).history
    return history, one.get_weights()


def assert_equal(found, expected) -> None:
    assert found[0] == expected[0]
    for a, b in zip(found[1], expected[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_fit_takes_dicts():
    expected = trained([P, Q], [A, B], validation_data=([P, Q], [A, B]))
    assert_equal(trained(X, Y, validation_data=(X, Y)), expected)
    assert_equal(trained(X, [A, B], validation_data=([P, Q], Y)), expected)
    weights = np.linspace(0, 1, 8)
    assert_equal(
        trained(X, Y, sample_weight=weights, validation_split=0.5),
        trained([P, Q], [A, B], sample_weight=weights, validation_split=0.5),
    )


def test_batches_may_be_dicts():
    def part(data, rows):
        return {name: array[rows] for name, array in data.items()}

    batches = [(part(X, rows), part(Y, rows)) for rows in (slice(4), slice(4, 8))]
    assert_equal(trained(batches, validation_data=batches), trained([P, Q], [A, B], validation_data=([P, Q], [A, B])))

    class Dataset:
        def __len__(self):
            return 8

        def batches(self, batch_size, order=None):
            return iter(batches)

    assert_equal(trained(Dataset()), trained([P, Q], [A, B]))
    for a, b in zip(model().predict(Dataset(), batch_size=4), model().predict([P, Q])):
        np.testing.assert_array_equal(a, b)


def test_evaluate_predict_and_train_on_batch_take_dicts():
    one, other = model(), model()
    assert one.evaluate(X, Y) == one.evaluate([P, Q], [A, B])
    for a, b in zip(one.predict(X, batch_size=3), one.predict([P, Q], batch_size=3)):
        np.testing.assert_array_equal(a, b)
    assert one.train_on_batch(X, Y) == other.train_on_batch([P, Q], [A, B])
    for a, b in zip(one.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_one_input_and_one_output_by_name():
    one = Sequential([L.Input((3,), name="p"), L.Dense(2, name="a")])
    one.compile("sgd", "mse")
    assert one.evaluate({"p": P}, {"a": A}) == one.evaluate(P, A)
    assert one.predict({"p": P.tolist()}).shape == (8, 2)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ({"p": P}, Y, "x holds nothing for q; the model's inputs are p, q"),
        ({**X, "r": P}, Y, "x holds r, which is none of the model's inputs p, q"),
        (X, {"a": A}, "y holds nothing for b; the model's outputs are a, b"),
        (X, {**Y, "c": A}, "y holds c, which is none of the model's outputs a, b"),
        ({}, Y, "x holds nothing for p, q"),
    ],
)
def test_names_that_do_not_fit(x, y, message):
    for run in ("fit", "evaluate", "train_on_batch"):
        with pytest.raises(ArgumentError, match=message) as caught:
            getattr(model(), run)(x, y)
        assert isinstance(caught.value, MinicnnError)
    with pytest.raises(ArgumentError, match="x holds nothing for q"):
        model().predict({"p": P})


def test_a_dict_without_targets_is_no_stream_of_batches():
    with pytest.raises(DataError, match="the model has 2 outputs, targets were given for 0"):
        model().fit(X, verbose=0)


def test_a_sequential_must_know_its_input_to_know_its_name():
    one = Sequential([L.Dense(2)])
    one.compile("sgd", "mse")
    with pytest.raises(GraphError, match="does not know its input's shape yet"):
        one.fit({"p": P}, A, verbose=0)
