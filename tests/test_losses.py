"""Losses against Keras in float64, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import golden_ops

from minicnn import Tensor, gradcheck, losses, ops
from minicnn.errors import ArgumentError, DataError, MinicnnError, ShapeError
from minicnn.losses import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy

pytestmark = pytest.mark.numpy_only
KINDS = (
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "binary_crossentropy",
    "mean_squared_error",
    "mean_absolute_error",
)
ROWS = np.random.default_rng(0).standard_normal((5, 4))


@pytest.mark.parametrize(("case", "arrays"), [pytest.param(*item, id=item[0]["name"]) for item in golden_ops(*KINDS)])
def test_agrees_with_keras(case, arrays):
    options = {key: case[key] for key in ("from_logits", "label_smoothing") if key in case}
    loss = losses.CLASSES[case["op"]](**options)
    x = Tensor(arrays["x"], requires_grad=True)
    value = loss(arrays["target"], x)
    value.backward()
    assert value.item() == pytest.approx(float(arrays["loss"]), rel=1e-10)
    # Keras' own epsilon, 1e-7, is a float32 number
    np.testing.assert_allclose(x.grad.numpy(), arrays["dx"], rtol=1e-9, atol=1e-12)


def test_a_softmax_is_looked_through():
    """Where p underflows, the loss of the logits is still exact, and so is the gradient."""
    x = Tensor(np.array([[0.0, 200.0]], np.float32), requires_grad=True)
    value = SparseCategoricalCrossentropy()([0], ops.softmax(x))
    assert value.item() == 200
    value.backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[-1, 1]])
    cut = Tensor(ops.softmax(x).numpy())  # no history: clipped as Keras clips
    assert SparseCategoricalCrossentropy()([0], cut).item() == pytest.approx(-np.log(1e-7), rel=1e-6)


@given(st.integers(0, 99), st.booleans())
def test_class_numbers_and_one_hot_rows_agree(seed, logits):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((6, 3))
    x = Tensor(x if logits else np.exp(x) / np.exp(x).sum(-1, keepdims=True))
    labels = generator.integers(0, 3, 6)
    dense = CategoricalCrossentropy(logits)(np.eye(3)[labels], x).item()
    assert SparseCategoricalCrossentropy(logits)(labels, x).item() == pytest.approx(dense, rel=1e-12)
    assert SparseCategoricalCrossentropy(logits)(labels[:, None].astype(float), x).item() == pytest.approx(dense)


@pytest.mark.parametrize(
    "loss", [CategoricalCrossentropy(True, 0.1), BinaryCrossentropy(True, 0.2), losses.get("mse"), losses.get("mae")]
)
def test_sample_weights(loss):
    x, targets, weights = Tensor(ROWS), np.eye(4)[[0, 1, 2, 3, 0]], np.array([0, 1, 2, 0, 3.0])
    each = [loss(targets[i : i + 1], Tensor(ROWS[i : i + 1])).item() for i in range(5)]
    assert loss(targets, x).item() == pytest.approx(np.mean(each), rel=1e-12)
    for shape in ((5,), (5, 1), (5, 1, 1)):
        assert loss(targets, x, weights.reshape(shape)).item() == pytest.approx(np.mean(weights * each), rel=1e-12)
    assert gradcheck(lambda x: loss(targets, x, weights), Tensor(ROWS, requires_grad=True))


def test_smoothing_mixes_with_the_uniform_distribution():
    targets = np.eye(4)[[0, 1, 2, 3, 0]]
    mixed = CategoricalCrossentropy(True)(targets * 0.7 + 0.3 / 4, Tensor(ROWS)).item()
    assert CategoricalCrossentropy(True, 0.3)(targets, Tensor(ROWS)).item() == pytest.approx(mixed)
    halves = BinaryCrossentropy(True)(targets * 0.7 + 0.15, Tensor(ROWS)).item()
    assert BinaryCrossentropy(True, 0.3)(targets, Tensor(ROWS)).item() == pytest.approx(halves)


def test_maps_of_classes():
    """Class numbers (N,H,W) for predictions (N,H,W,K), as in segmentation."""
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    labels = np.random.default_rng(1).integers(0, 5, (2, 3, 4))
    flat = SparseCategoricalCrossentropy(True)(labels.reshape(-1), Tensor(x.reshape(-1, 5))).item()
    assert SparseCategoricalCrossentropy(True)(labels, Tensor(x)).item() == pytest.approx(flat)


def test_one_number_a_sample():
    x = Tensor(ROWS[:, :1])
    for name in ("mse", "mae"):
        assert losses.get(name)(np.zeros(5), x).item() == losses.get(name)(np.zeros((5, 1)), x).item()


def test_predictions_may_be_an_array():
    for kind in (CategoricalCrossentropy, BinaryCrossentropy, losses.MeanSquaredError):
        p = np.full((2, 2), 0.25)
        assert kind()(np.eye(2), p).item() == kind()(np.eye(2), Tensor(p)).item()


def test_a_log_softmax_is_not_looked_through():
    shown = ops.softmax(Tensor(ROWS, requires_grad=True), log=True)
    targets = np.eye(4)[[0, 1, 2, 3, 0]]
    assert CategoricalCrossentropy()(targets, shown).item() == CategoricalCrossentropy()(targets, shown.detach()).item()


def test_a_probability_that_is_clipped_has_no_gradient():
    p = Tensor([[0.0, 1.0, 0.5]], requires_grad=True)
    BinaryCrossentropy()([[1, 0, 1]], p).backward()
    np.testing.assert_allclose(p.grad.numpy(), [[0, 0, -2 / 3]])


def test_names():
    assert losses.get("mse").__class__ is losses.get("MeanSquaredError").__class__ is losses.MeanSquaredError
    loss = CategoricalCrossentropy(label_smoothing=0.1)
    assert losses.get(loss) is loss
    assert loss.get_config() == {"name": "CategoricalCrossentropy", "from_logits": False, "label_smoothing": 0.1}
    with pytest.raises(ArgumentError, match="unknown loss 'mes'; known are categorical_crossentropy"):
        losses.get("mes")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: losses.get("categorical_crossentropy")([0, 1, 2, 3, 0], x), ShapeError, "one-hot.*to_categorical"),
        (
            lambda x: losses.get("sparse_categorical_crossentropy")(np.eye(5)[:, :4], x),
            ShapeError,
            "one number for each",
        ),
        (
            lambda x: losses.get("sparse_categorical_crossentropy")([0, 1, 2, 4, 0], x),
            DataError,
            "from 0 to 4, the model has classes 0..3",
        ),
        (lambda x: losses.get("sparse_categorical_crossentropy")([-1, 1, 2, 3, 0], x), DataError, "from -1 to 3"),
        (
            lambda x: losses.get("sparse_categorical_crossentropy")([0, 1, 0.5, 3, 0], x),
            DataError,
            "sparse_categorical_crossentropy: labels must be whole numbers; they are float64 such as .*0.5",
        ),
        (
            lambda x: losses.get("mse")(np.zeros((5, 3)), x),
            ShapeError,
            r"mean_squared_error: targets of shape \(5, 3\)",
        ),
        (lambda x: losses.get("binary_crossentropy")(np.zeros(5), x), ShapeError, "binary_crossentropy: targets"),
        (
            lambda x: CategoricalCrossentropy(label_smoothing=2),
            ArgumentError,
            r"label_smoothing must be a number in \[0, 1\]",
        ),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call(Tensor(ROWS))
    assert isinstance(caught.value, MinicnnError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", KINDS)
def test_targets_that_are_no_numbers(name):
    with pytest.raises(MinicnnError, match=r"targets must be a number, or a list of numbers|must be whole numbers"):
        losses.get(name)([["a", "b"]], Tensor([[0.1, 0.9]]))
    with pytest.raises(MinicnnError, match="targets must be a number"):
        ops.crossentropy(Tensor([[0.1, 0.9]]), [["a", "b"]])
