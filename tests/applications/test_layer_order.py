"""Every member of every family has Keras' weighted layers: their names, classes, order, and weights."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from minicnn import applications
from minicnn.layers import Layer
from minicnn.layers.naming import reset_names
from minicnn.models import Model

pytestmark = pytest.mark.numpy_only
# {architecture: [[layer, class, [[weight, shape, whether it is trained], ...]], ...]} as Keras builds it
ORDER = json.loads(gzip.decompress((Path(__file__).parents[1] / "golden" / "layer_order.json.gz").read_bytes()))


def described(layer: Layer) -> list[Any]:
    """A layer with its weights; a model with its layers."""
    inside = layer.layers if isinstance(layer, Model) else []
    own = [[w.name, list(w.shape), w.trainable] for w in layer.weights]
    return [layer.name, type(layer).__name__, [described(inner) for inner in inside] or own]


@pytest.mark.parametrize("name", ORDER)
def test_weighted_layers(name):
    reset_names()
    model = getattr(applications, name)(weights=None)
    assert [described(layer) for layer in model.layers if layer.weights] == ORDER[name]
