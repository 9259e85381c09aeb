"""Every member of every family has Keras' weighted layers: their names, classes, order, and weights."""

import gzip
import json
from typing import Any

import pytest

from minicnn import applications
from minicnn.layers import Layer
from minicnn.layers.naming import reset_names
from minicnn.models import Model

pytestmark = pytest.mark.numpy_only
NAMES = [name for name in applications.__all__ if name[0].isupper()]
OWN = {"AlexNet", "GoogLeNet", "SqueezeNet1_0", "SqueezeNet1_1"}  # which Keras does not have


@pytest.fixture(scope="module")
def order(golden):
    """{architecture: [[layer, class, [[weight, shape, whether it is trained], ...]], ...]} as Keras builds it."""
    return json.loads(gzip.decompress((golden / "layer_order.json.gz").read_bytes()))


def described(layer: Layer) -> list[Any]:
    """A layer with its weights; a model with its layers."""
    inside = layer.layers if isinstance(layer, Model) else []
    own = [[w.name, list(w.shape), w.trainable] for w in layer.weights]
    return [layer.name, type(layer).__name__, [described(inner) for inner in inside] or own]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OWN])
def test_weighted_layers(name, order):
    reset_names()
    model = getattr(applications, name)(weights=None)
    assert [described(layer) for layer in model.layers if layer.weights] == order[name]
