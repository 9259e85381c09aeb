"""What users call on a model beside training: predict, summary, get_layer, weights."""

import numpy as np
import pytest

from minicnn.errors import ArgumentError, DataError, DTypeError, MinicnnError, ShapeError
from minicnn.layers import Activation, Add, BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, Input, Rescaling
from minicnn.models import Model, Sequential

pytestmark = pytest.mark.numpy_only


def net() -> Model:
    x = Input((6, 6, 3), name="pixels")
    y = BatchNormalization(name="bn")(Conv2D(4, 3, padding="same", name="conv_a")(x))
    y = Add(name="sum")([Activation("relu", name="relu")(y), Conv2D(4, 1, name="conv_b")(x)])
    return Model(x, Dense(2, activation="softmax", name="out")(GlobalAveragePooling2D(name="mean")(y)), name="net")


X = np.random.default_rng(0).integers(0, 256, (7, 6, 6, 3))


@pytest.mark.parametrize("batch_size", [1, 2, 7, 32, None])
def test_batches_and_the_remainder(batch_size):
    model, x = net(), X / 255
    expected = np.concatenate([model.predict(x[i : i + 1]) for i in range(7)])
    found = model.predict(x, batch_size=batch_size)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert found.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float64, bool])
def test_inputs_of_any_number_type_are_cast(dtype):
    model = net()
    np.testing.assert_array_equal(model.predict(X.astype(dtype)), model.predict(X.astype(dtype).astype(np.float32)))


def test_inputs_in_any_memory_order():
    model, x = net(), X.astype(np.float32)
    expected = model.predict(x)
    for other in (np.asfortranarray(x), x[::-1].copy()[::-1], np.repeat(x, 2, axis=0)[::2]):
        np.testing.assert_array_equal(model.predict(other), expected)
    np.testing.assert_array_equal(
        Sequential([Input((2,)), Dense(2, "relu", kernel_initializer="ones")]).predict([[1, 2]]), [[3, 3]]
    )


def test_no_samples():
    assert net().predict(X[:0]).shape == (0, 2)
    assert Sequential([Input((3,)), Dense(2)]).predict(np.ones((0, 3))).shape == (0, 2)


def test_the_result_is_the_callers():
    """Nothing of it lies in the input, nor in what the model keeps."""
    x = X.astype(np.float32)
    pixels = Input((6, 6, 3))
    assert not np.shares_memory(Model(pixels, pixels).predict(x), x)
    model = net()
    first = model.predict(x)
    kept = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(model.predict(x), kept)


def test_nan_is_seen_in_the_result():
    x = X.astype(np.float32)
    x[2, 0, 0, 0] = np.nan
    y = net().predict(x)
    assert np.isnan(y[2]).all()
    assert np.isfinite(np.delete(y, 2, axis=0)).all()


def test_float64_models():
    model = Sequential([Input((3,), dtype="float64"), Dense(2, dtype="float64")])
    assert model.predict(np.ones((1, 3), np.float32)).dtype == np.float64


TWO = (Input((3,), name="a"), Input((3,), name="b"))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: net().predict(X[:, :5]),
            ShapeError,
            r"model net: input pixels takes samples of shape \(6, 6, 3\); got an array of shape \(7, 5, 6, 3\)",
        ),
        (lambda: net().predict(X[0]), ShapeError, "first axis is the batch"),
        (lambda: net().predict([X, X]), ShapeError, "model net has 1 input, 2 were given; .* use np.stack"),
        (
            lambda: net().predict([X[0], X[1][:1]]),
            ShapeError,
            "1 input, 2 were given; for a batch of samples",
        ),
        (lambda: net().fit([X[0], X[1], X[2]], [0, 1, 0]), ShapeError, "1 input, 3 were given; for a batch of samples"),
        (lambda: net().predict(X, batch_size=0), ArgumentError, "batch_size must be .* at least 1; it is 0"),
        (lambda: net().predict(np.full((1, 6, 6, 3), "a")), DTypeError, "x must be an array of numbers"),
        (lambda: net().predict(None), DTypeError, "x must be an array of numbers"),
        (lambda: net().predict([[1, 2], [3]]), DTypeError, "rows of different lengths"),
        (lambda: net().predict(5), ShapeError, "x must have a batch axis"),
        (
            lambda: Model(TWO, Add()(list(TWO))).predict([np.ones((4, 3)), np.ones((1, 3))]),
            DataError,
            r"x has 4 samples, x\[1\] has 1",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert isinstance(caught.value, MinicnnError)
    assert "\n" not in str(caught.value)


def test_get_layer():
    model = net()
    assert model.get_layer("conv_b").name == "conv_b"
    assert model.get_layer(index=0).name == "pixels"
    assert model.get_layer(index=-1).name == "out"
    with pytest.raises(ArgumentError, match="model net has no layer 'conv_c'; near are conv_b, conv_a"):
        model.get_layer("conv_c")
    with pytest.raises(ArgumentError, match="no layer 99; it has 8 layers"):
        model.get_layer(index=99)


def test_weights_round_trip():
    first, second = net(), net()
    second.set_weights(first.get_weights())
    np.testing.assert_array_equal(first.predict(X), second.predict(X))
    with pytest.raises(ShapeError, match="net has 10 weights, 9 arrays"):
        second.set_weights(first.get_weights()[:-1])
    assert first.count_params() == sum(array.size for array in first.get_weights()) == 4 * 27 + 4 + 16 + 12 + 4 + 10


SUMMARY = """\
model net
layer   class                   output shape  weights  trainable  batch norm
-------------------------------------------------------------------------------------------
pixels  InputLayer              (?, 6, 6, 3)        0
conv_a  Conv2D                  (?, 6, 6, 4)      112  no
bn      BatchNormalization      (?, 6, 6, 4)       16  no         frozen: moving statistics
relu    Activation              (?, 6, 6, 4)        0
conv_b  Conv2D                  (?, 6, 6, 4)       16  yes
sum     Add                     (?, 6, 6, 4)        0
mean    GlobalAveragePooling2D  (?, 4)              0
out     Dense                   (?, 2)             10  yes
-------------------------------------------------------------------------------------------
weights 154 (0.0 MiB)   trainable 26   frozen 128"""


def test_summary():
    model, lines = net(), []
    model.get_layer("conv_a").trainable = model.get_layer("bn").trainable = False
    model.summary(print_fn=lines.append)
    assert "\n".join(lines) == SUMMARY


def test_summary_opens_nested_models(capsys):
    inner = Sequential([Input((3,)), Dense(3, name="d"), BatchNormalization(name="n")], name="inner")
    inner.layers[0].trainable = False
    Sequential([inner, Dense(1, name="end")], name="outer").summary()
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line for line in lines[3:-2]}
    assert list(rows) == ["inner", "d", "n", "end"]
    assert rows["d"].startswith("  d ")
    assert rows["inner"].split()[-1] == "partly"
    assert rows["n"].endswith("batch statistics")
    assert lines[-1] == "weights 28 (0.0 MiB)   trainable 10   frozen 18"


def test_a_model_predicts_within_another_ones_preprocessing():
    base = net()
    x = Input((6, 6, 3))
    whole = Model(x, base(Rescaling(1 / 255)(x)))
    np.testing.assert_allclose(whole.predict(X), base.predict(X / 255), rtol=1e-4)
