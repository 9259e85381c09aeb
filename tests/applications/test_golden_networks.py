"""The arithmetic of whole networks, layer by layer, against Keras in float64 (tests/golden/networks)."""

import json

import numpy as np
import pytest
from formula_weights import make_weight, sample_indices

from minicnn import applications
from minicnn.models import Model
from minicnn.preparation.modes import preprocess_input

NAMES = [
    "MobileNet_notop_odd",
    "MobileNet_top_even",
    "ResNet50_notop_odd",
    "ResNet50_top_even",
    "VGG16_notop_odd",
    "VGG19_notop_odd",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_agrees_with_keras(name, golden):
    with np.load(golden / "networks" / f"{name}.npz") as file:
        stored = dict(file)
    meta, weights = (json.loads(stored[key].tobytes()) for key in ("meta", "weights"))
    options = {"classes": meta["classes"]} if meta["include_top"] else {}
    shape = tuple(meta["input_shape"][1:])
    make = getattr(applications, meta["architecture"])
    model = make(weights=None, include_top=meta["include_top"], input_shape=shape, **options)
    arrays: dict[str, list[np.ndarray]] = {}
    for key, shape, _, _ in weights:
        arrays.setdefault(key.rsplit("/", 1)[0], []).append(make_weight(key, tuple(shape), meta["gain"]))
    for layer, values in arrays.items():
        model.get_layer(layer).set_weights(values)
    x = preprocess_input(stored["input"], meta["input_mode"])
    check_output(model.predict(x), stored)
    check_layers(model, x, list(stored["layer_samples"]))


def check_output(found: np.ndarray, stored: dict[str, np.ndarray]) -> None:
    """Relative L2 of the output, at most 1e-5."""
    expected = stored["output"]
    if "output_index" in stored:
        found = found.reshape(-1)[stored["output_index"]]
    assert found.shape == expected.shape
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)


def check_layers(model: Model, x: np.ndarray, expected: list[np.ndarray]) -> None:
    """Sampled numbers of every layer's output, to 5e-5 of the largest of them."""
    layers = model.layers[1:]  # the first is the input
    outputs = Model(model.inputs, [layer.output for layer in layers]).predict(x)
    for layer, output, samples in zip(layers, outputs, expected, strict=True):
        found = output.reshape(-1)[sample_indices(output.size)]
        scale = max(np.abs(samples).max(), 1e-3)
        assert np.abs(found - samples).max() <= 5e-5 * scale, layer.name
