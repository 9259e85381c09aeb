"""Models of images with channels first: Keras' numbers, and as few moves of axes as with channels last."""

import json
from typing import Any

import h5py
import numpy as np
import pytest

from minicnn import layers as L
from minicnn.errors import FileFormatError, UnsupportedError, WeightsMismatchError
from minicnn.models import Model, Sequential, load_model, model_from_config, model_from_json
from minicnn.models.config_reading import _Reader
from minicnn.models.plan import Plan

pytestmark = pytest.mark.numpy_only
FIRST: dict[str, Any] = {"data_format": "channels_first"}
RNG = np.random.default_rng(0)


def functions(model: Model) -> list[str]:
    """What the prediction plan of a model runs."""
    shapes, dtypes = [t.shape[1:] for t in model.inputs], [t.dtype for t in model.inputs]
    return [item.function.__name__ for item in Plan(model.program, shapes, dtypes).instructions]


def test_a_network_of_keras(golden):
    model = load_model(golden / "channels_first.keras")
    with np.load(golden / "channels_first.npz") as expected:
        x, y = expected["x"], expected["y"]
    found = model.predict(x)
    assert np.linalg.norm(found - y) <= 1e-5 * np.linalg.norm(y)
    np.testing.assert_allclose(model(x).numpy(), found, rtol=1e-4, atol=1e-5)
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(x), found)
    assert again.get_layer("conv2d").data_format == "channels_first"


def block(**options: Any) -> Model:
    """A residual block with a gate; `options` say where the channels are."""
    first = options.get("data_format") == "channels_first"
    axis = 1 if first else -1
    x = inputs = L.Input((3, 8, 6) if first else (8, 6, 3))
    x = shortcut = L.Conv2D(4, 3, padding="same", **options)(x)
    x = L.ReLU()(L.BatchNormalization(axis=axis)(x))
    x = L.Conv2D(4, 3, padding="same", **options)(x)
    gate = L.Conv2D(4, 1, activation="sigmoid", **options)(L.GlobalAveragePooling2D(keepdims=True, **options)(x))
    x = L.Activation("swish")(L.Add()([L.Multiply()([x, gate]), shortcut]) * 0.5)
    x = L.Maximum()([x, L.MaxPooling2D(3, 1, padding="same", **options)(x)])
    x = L.Concatenate(axis=axis)([x, shortcut - x])
    return Model(inputs, L.Softmax(axis=axis)(x))


def test_prediction_moves_axes_at_the_ends_alone():
    model, last = block(**FIRST), block()
    last.set_weights(model.get_weights())
    x = RNG.standard_normal((3, 3, 8, 6)).astype(np.float32)
    expected = last.predict(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(model.predict(x), expected)
    assert functions(model) == ["Permute", *functions(last), "Permute"]


def test_a_value_that_is_read_in_both_orders():
    x = L.Input((3, 4, 5))
    y = L.Conv2D(2, 1, **FIRST)(x)
    model = Model(x, [L.Conv2D(2, 1, **FIRST)(y), L.Flatten()(y), y])
    data = RNG.standard_normal((2, 3, 4, 5)).astype(np.float32)
    for found, expected in zip(model.predict(data), model(data), strict=True):
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-6)


def test_softmax_of_a_convolution_goes_along_the_last_axis_as_in_keras():
    layer = L.Conv2D(4, 1, activation="softmax", **FIRST)
    y = layer(RNG.standard_normal((2, 3, 5, 6)).astype(np.float32)).numpy()
    np.testing.assert_allclose(y.sum(axis=-1), np.ones((2, 4, 5)), rtol=1e-5)


def test_shapes_and_refusals_speak_of_the_layers_own_order():
    layer = L.Conv2D(4, 3, **FIRST)
    layer.build((None, 3, 8, 6))
    assert layer.kernel.shape == (3, 3, 3, 4)
    assert layer.compute_output_shape((None, 3, 8, 6)) == (None, 4, 6, 4)
    with pytest.raises(Exception, match=r"weights for 3 channels; got shape \(None, 8, 6, 3\)"):
        layer(L.Input((8, 6, 3)))


def test_in_time_distributed():
    layer = L.TimeDistributed(L.Conv2D(4, 3, **FIRST))
    assert layer(L.Input((2, 3, 8, 6))).shape == (None, 2, 4, 6, 4)
    assert layer(np.zeros((1, 2, 3, 8, 6), np.float32)).shape == (1, 2, 4, 6, 4)


def test_spatial_dropout_drops_channels():
    x = np.ones((4, 8, 3, 5), np.float32)
    y = L.SpatialDropout2D(0.5, seed=1, **FIRST)(x, training=True).numpy()
    assert {*np.unique(y)} == {0.0, 2.0}
    assert (y == y[:, :, :1, :1]).all()


def test_a_mask_of_steps_stays_with_them():
    x = np.arange(24, dtype=np.float32).reshape(1, 4, 6)
    masked = L.Masking(0.0)(np.concatenate([x, np.zeros((1, 2, 6), np.float32)], axis=1))
    first = L.Permute((2, 1))(masked)
    first.mask = masked.mask
    pooled = L.GlobalAveragePooling1D(**FIRST)(first).numpy()
    np.testing.assert_allclose(pooled, L.GlobalAveragePooling1D()(masked).numpy())


def keras1_file(path, side):
    """A model of Theano's time: kernels turned, filters first, Flatten in the order (C,H,W), a deconvolution."""
    kernel, up = RNG.standard_normal((3, 2, 3, 4)).astype("f4"), RNG.standard_normal((3, 3, 5, 4)).astype("f4")
    dense, bias = RNG.standard_normal((5 * 8 * side, 3)).astype("f4"), np.arange(5, dtype="f4")
    first = {
        "nb_row": 3,
        "nb_col": 2,
        "border_mode": "valid",
        "dim_ordering": "th",
        "batch_input_shape": [None, 3, 6, 5],
    }
    second = {"nb_row": 3, "nb_col": 3, "border_mode": "same", "dim_ordering": "th", "subsample": [2, 2]}
    second["output_shape"] = [None, 5, 8, side]
    layers = [
        {"class_name": "Convolution2D", "config": {"name": "c", "nb_filter": 4, **first}},
        {"class_name": "Deconvolution2D", "config": {"name": "u", "nb_filter": 5, "activation": "relu", **second}},
        {"class_name": "Flatten", "config": {"name": "f"}},
        {"class_name": "Dense", "config": {"name": "d", "output_dim": 3, "bias": False}},
    ]
    arrays = {
        "c": [kernel.transpose(3, 2, 0, 1)[:, :, ::-1, ::-1], bias[:4]],
        "u": [up.transpose(2, 3, 0, 1)[:, :, ::-1, ::-1], bias],
        "d": [dense],
    }
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers})
        file.attrs["keras_version"] = "1.2.2"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = np.array([*arrays], "S")
        for name, values in arrays.items():
            group, names = weights.create_group(name), [f"{name}_W", f"{name}_b"][: len(values)]
            group.attrs["weight_names"] = np.array(names, "S")
            for key, value in zip(names, values):
                group[key] = value
    return kernel, up, dense, bias


@pytest.mark.parametrize(("side", "padding"), [(8, None), (7, (1, 0))])
def test_a_file_of_theanos_time(tmp_path, side, padding):
    kernel, up, dense, bias = keras1_file(tmp_path / "old.h5", side)
    model = load_model(tmp_path / "old.h5")
    shapes = [layer.output_shape for layer in model.layers]
    assert shapes == [(None, 4, 4, 4), (None, 5, 8, side), (None, 40 * side), (None, 3)]
    upwards = L.Conv2DTranspose(5, 3, 2, padding="same", output_padding=padding, activation="relu")
    last = Sequential([L.Input((6, 5, 3)), L.Conv2D(4, (3, 2)), upwards, L.Permute((3, 1, 2)), L.Flatten()])
    last.set_weights([kernel, bias[:4], up, bias])
    x = RNG.standard_normal((2, 3, 6, 5)).astype(np.float32)
    expected = last.predict(x.transpose(0, 2, 3, 1)) @ dense
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-4, atol=1e-4)


def test_weights_of_theanos_time_in_a_model_with_channels_last(tmp_path):
    keras1_file(tmp_path / "old.h5", 8)
    layers = [L.Conv2D(4, (3, 2), name="c"), L.Conv2DTranspose(5, 3, 2, padding="same", name="u")]
    model = Sequential([L.Input((6, 5, 3)), *layers, L.Flatten(), L.Dense(3, use_bias=False, name="d")])
    with pytest.raises(WeightsMismatchError, match="Dense layer 'd' has another order of weights"):
        model.load_weights(tmp_path / "old.h5")


def test_an_old_deconvolution_without_strides_is_refused():
    config = {"nb_filter": 5, "nb_row": 2, "nb_col": 2, "subsample": [0, 0], "output_shape": [None, 7, 8, 5]}
    layers = [{"class_name": "Deconvolution2D", "config": {"name": "u", **config}}]
    with pytest.raises(FileFormatError, match=r"not as Keras writes it \(ZeroDivisionError"):
        model_from_config({"class_name": "Sequential", "config": layers}, "1.2.2")


def test_an_old_deconvolution_of_a_size_that_no_padding_gives_is_refused():
    config = {"nb_filter": 5, "nb_row": 2, "nb_col": 2, "subsample": [2, 2], "border_mode": "same", "name": "u"}
    config |= {"output_shape": [None, 7, 8, 5], "dim_ordering": "tf"}
    with pytest.raises(UnsupportedError, match=r"layer 'u' is a Deconvolution2D with outputs of \(7, 8\)"):
        _Reader("1.2.2").layer({"class_name": "Deconvolution2D", "config": config})
