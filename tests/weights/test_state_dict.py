"""State dicts of PyTorch: tensors find their layers by the module's name, and their axes Keras' order."""

from typing import Any

import numpy as np
import pytest

from minicnn.errors import WeightsMismatchError
from minicnn.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    Layer,
)
from minicnn.models import Model, Sequential
from minicnn.weights.safetensors import write

pytestmark = pytest.mark.numpy_only


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def loaded(tmp_path: Any, arrays: dict[str, np.ndarray], *layers: Layer, shape: Any = (4, 5, 6)) -> Model:
    """A model of layers with the weights of a state dict."""
    model = Sequential([Input(shape), *layers])
    write(tmp_path / "a.safetensors", arrays)
    model.load_weights(tmp_path / "a.safetensors")
    return model


def test_kernels_are_turned(tmp_path):
    w, b = numbers(8, 3, 2, 3), numbers(8)
    model = loaded(tmp_path, {"a.0.weight": w, "a.0.bias": b}, Conv2D(8, (2, 3), groups=2, name="a.0"))
    kernel, bias = model.get_weights()
    assert all(kernel[i, j, c, f] == w[f, c, i, j] for i, j, c, f in np.ndindex(kernel.shape))
    np.testing.assert_array_equal(bias, b)


def test_depthwise_kernels_are_turned(tmp_path):
    w = numbers(12, 1, 2, 3)
    layer = DepthwiseConv2D((2, 3), depth_multiplier=2, use_bias=False, name="a")
    (kernel,) = loaded(tmp_path, {"a.weight": w}, layer).get_weights()
    assert all(kernel[i, j, c, m] == w[2 * c + m, 0, i, j] for i, j, c, m in np.ndindex(kernel.shape))


@pytest.mark.parametrize("shape", [(3, 120), (3, 6, 4, 5)])
def test_a_dense_layer_on_an_image_has_its_rows_in_the_order_of_the_pixels(shape, tmp_path):
    """As a matrix, or as the convolution over the whole image that timm's VGG has."""
    w, x = numbers(*shape), numbers(2, 4, 5, 6)
    layers = [BatchNormalization(name="n"), Flatten(), Dropout(0.5), Dense(3, use_bias=False, name="a")]
    statistics = {f"n.{key}": np.full(6, key in ("weight", "running_var"), np.float32) for key in ("weight", "bias")}
    statistics |= {"n.running_mean": np.zeros(6, np.float32), "n.running_var": np.ones(6, np.float32)}
    model = loaded(tmp_path, {"a.weight": w} | statistics, *layers)
    expected = x.transpose(0, 3, 1, 2).reshape(2, -1) @ w.reshape(3, -1).T
    np.testing.assert_allclose(model.layers[-1](Flatten()(x)).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_a_dense_layer_on_means_is_turned_alone(tmp_path):
    w, b = numbers(3, 6, 1, 1), numbers(3)
    model = loaded(tmp_path, {"a.weight": w, "a.bias": b}, GlobalAveragePooling2D(), Dense(3, name="a"))
    np.testing.assert_array_equal(model.get_weights()[0], w[:, :, 0, 0].T)


def test_statistics_have_pytorchs_names_and_the_counter_is_left_out(tmp_path):
    arrays = {f"n.{key}": numbers(6) + i for i, key in enumerate(("weight", "bias", "running_mean", "running_var"))}
    arrays["n.num_batches_tracked"] = np.int64(5)
    model = loaded(tmp_path, arrays, BatchNormalization(name="n"))
    for found, expected in zip(model.get_weights(), list(arrays.values())[:4], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_what_does_not_fit_is_said_in_keras_order(tmp_path):
    with pytest.raises(WeightsMismatchError, match=r"kernel is \(2, 3, 6, 7\) in the file, \(2, 3, 6, 8\)"):
        loaded(tmp_path, {"a.weight": numbers(7, 6, 2, 3)}, Conv2D(8, (2, 3), use_bias=False, name="a"))
    with pytest.raises(WeightsMismatchError, match=r"bias"):
        loaded(tmp_path, {"a.weight": numbers(8, 6, 2, 3)}, Conv2D(8, (2, 3), name="a"))
    with pytest.raises(WeightsMismatchError, match=r"\(8,\)"):
        loaded(
            tmp_path,
            {"a.weight": numbers(8, 6, 2, 3), "a.bias": numbers(8)},
            Conv2D(8, (2, 3), use_bias=False, name="a"),
        )


def test_a_network_with_keras_names_is_told_where_pytorchs_are(tmp_path):
    with pytest.raises(WeightsMismatchError, match=r"minicnn.applications.torchvision and .timm"):
        loaded(tmp_path, {"layer1.0.conv1.weight": numbers(8, 6, 2, 3)}, Conv2D(8, (2, 3), name="conv1_conv"))
