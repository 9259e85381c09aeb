"""The arithmetic of whole networks, layer by layer, against Keras in float64 (tests/golden/networks)."""

import json
from typing import Any, NamedTuple

import numpy as np
import pytest
from formula_weights import make_weight, sample_indices

import minicnn
from minicnn import applications
from minicnn.layers import Layer
from minicnn.layers.naming import reset_names
from minicnn.losses import CategoricalCrossentropy
from minicnn.models import Model
from minicnn.preparation.modes import preprocess_input

NAMES = [
    "ConvNeXtTiny_notop_odd",
    "ConvNeXtTiny_top_even",
    "DenseNet121_notop_odd",
    "DenseNet121_top_even",
    "EfficientNetB0_notop_odd",
    "EfficientNetB0_top_even",
    "EfficientNetV2B0_notop_odd",
    "EfficientNetV2B0_top_even",
    "InceptionResNetV2_notop_odd",
    "InceptionResNetV2_top_even",
    "InceptionV3_notop_odd",
    "InceptionV3_top_even",
    "MobileNetV2_notop_odd",
    "MobileNetV2_top_even",
    "MobileNetV3Large_notop_odd",
    "MobileNetV3Large_top_even",
    "MobileNetV3Small_notop_odd",
    "MobileNetV3Small_top_even",
    "MobileNet_notop_odd",
    "MobileNet_top_even",
    "NASNetMobile_notop_odd",
    "NASNetMobile_top_even",
    "ResNet50V2_notop_odd",
    "ResNet50V2_top_even",
    "ResNet50_notop_odd",
    "ResNet50_top_even",
    "VGG16_notop_odd",
    "VGG19_notop_odd",
    "Xception_notop_odd",
    "Xception_top_even",
]
MODES = {"raw": "none"}  # what the file calls otherwise
JSON_FIELDS = ("meta", "weights", "layers", "grad_weights")
GRADIENT_TOLERANCE = 1e-3
WITH_GRADIENTS = [name for name in NAMES if "_top_" in name]


class Network(NamedTuple):
    """A model with the weights of a golden file, the prepared pictures, and what the file holds."""

    model: Model
    x: np.ndarray
    stored: dict[str, Any]


@pytest.fixture(scope="module")
def network(request, golden) -> Network:
    """The network of the golden file that the test names."""
    with np.load(golden / "networks" / f"{request.param}.npz") as file:
        stored = {key: json.loads(a.tobytes()) if key in JSON_FIELDS else a for key, a in file.items()}
    meta, weights = stored["meta"], stored["weights"]
    options = {"classes": meta["classes"]} if meta["include_top"] else {}
    make = getattr(applications, meta["architecture"])
    reset_names()
    model = make(weights=None, include_top=meta["include_top"], input_shape=meta["input_shape"][1:], **options)
    model.set_weights([make_weight(key, tuple(shape), meta["gain"]) for key, shape, _, _ in weights])
    mode = MODES.get(meta["input_mode"], meta["input_mode"])
    return Network(model, preprocess_input(stored["input"], mode), stored)


@pytest.mark.parametrize("network", NAMES, indirect=True)
def test_weights_have_the_names_and_the_order_of_keras(network):
    weights = [(layer.name, weight) for layer in leaves(network.model) for weight in layer.weights]
    found = [[f"{layer}/{weight.name}", list(weight.shape), weight.trainable] for layer, weight in weights]
    assert found == [entry[:3] for entry in network.stored["weights"]]


@pytest.mark.parametrize("network", NAMES, indirect=True)
def test_every_layer_agrees_with_keras(network):
    check_output(network.model.predict(network.x), network.stored)
    check_layers(network.model, network.x, network.stored)


@pytest.mark.parametrize("network", WITH_GRADIENTS, indirect=True)
def test_gradients_agree_with_keras(network):
    """Loss to 1e-5; norm and samples of every gradient to 1e-3 of its norm, in inference mode."""
    model, x, stored = network
    inputs = minicnn.Tensor(x, requires_grad=True)
    classes = stored["meta"]["classes"]
    loss = CategoricalCrossentropy()(np.eye(classes, dtype=np.float32)[: len(x)], model(inputs, training=False))
    loss.backward()
    assert abs(float(loss.numpy()) - stored["loss"]) <= 1e-5 * stored["loss"]
    norm = stored["input_grad_norm"]
    assert abs(np.linalg.norm(inputs.grad.numpy()) - norm) <= GRADIENT_TOLERANCE * norm
    floor = 1e-6 * stored["grad_norms"].max()
    rows = zip(stored["grad_weights"], stored["grad_norms"], stored["grad_samples"], strict=True)
    for weight, (key, norm, samples) in zip(model.trainable_weights, rows, strict=True):
        gradient = weight.grad.numpy().astype(np.float64).reshape(-1)
        scale = GRADIENT_TOLERANCE * max(norm, floor)
        assert abs(np.linalg.norm(gradient) - norm) <= scale, key
        assert np.abs(gradient[sample_indices(gradient.size, len(samples))] - samples).max() <= scale, key


def leaves(model: Model) -> list[Layer]:
    """The layers of a model and of those in it."""
    return [leaf for layer in model.layers for leaf in (leaves(layer) if isinstance(layer, Model) else [layer])]


def check_output(found: np.ndarray, stored: dict[str, Any]) -> None:
    """Relative L2 of the output, at most 1e-5."""
    expected = stored["output"]
    if "output_index" in stored:
        found = found.reshape(-1)[stored["output_index"]]
    assert found.shape == expected.shape
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)


def check_layers(model: Model, x: np.ndarray, stored: dict[str, Any]) -> None:
    """Sampled numbers of every layer's output, to 5e-5 of the largest number in it."""
    layers = model.layers[1:]  # the first is the input
    outputs = Model(model.inputs, [layer.output for layer in layers]).predict(x)
    rows = zip(stored["layer_samples"], stored["layer_stats"][:, 2], strict=True)
    for layer, output, (samples, largest) in zip(layers, outputs, rows, strict=True):
        found = output.reshape(-1)[sample_indices(output.size)]
        assert np.abs(found - samples).max() <= 5e-5 * largest, layer.name
