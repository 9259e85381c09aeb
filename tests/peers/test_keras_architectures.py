"""Architectures go to Keras and back through files, and are those that Keras builds.

Keras is no dependency: these tests run where it is installed beside minicnn, and are skipped elsewhere.
"""

from typing import Any

import numpy as np
import pytest
from formula_weights import make_weight

from minicnn import applications
from minicnn.layers import Layer
from minicnn.layers.naming import reset_names
from minicnn.models import Model, load_model

keras = pytest.importorskip("keras", reason="Keras is not installed")
pytestmark = pytest.mark.filterwarnings("default")
SUFFIXES = [".keras", ".h5"]
# A small member of each family, the shape of its pictures, and the gain at which no signal grows or fades.
NETWORKS = [
    ("ResNet50V2", (33, 32, 3), 1.0),
    ("ResNeXt50", (33, 32, 3), 1.0),
    ("DenseNet121", (32, 33, 3), 1.0),
    ("Xception", (71, 72, 3), 1.0),
    ("AlexNet", (63, 64, 3), 1.0),
    ("SqueezeNet1_1", (36, 35, 3), 1.0),
    ("InceptionV3", (75, 76, 3), 2.0),
    ("InceptionResNetV2", (76, 75, 3), 2.0),
    ("NASNetMobile", (33, 32, 3), 1.0),
    ("GoogLeNet", (15, 16, 3), 2.0),
    ("MobileNetV3Small", (33, 40, 3), 1.5),
    ("EfficientNetB0", (33, 32, 3), 1.5),
    ("EfficientNetV2B0", (32, 33, 3), 1.5),
    ("ConvNeXtTiny", (33, 32, 3), 1.0),
]


def build(package: Any, name: str, shape: tuple[int, ...]) -> Any:
    """A network of Keras or minicnn, as the first of a program."""
    keras.backend.clear_session()
    reset_names()
    return getattr(package, name)(weights=None, input_shape=shape, classes=3)


def leaves(model: Model) -> list[Layer]:
    """The layers of a model and of those in it."""
    return [leaf for layer in model.layers for leaf in (leaves(layer) if isinstance(layer, Model) else [layer])]


def formula(model: Model, gain: float) -> list[np.ndarray]:
    """The weights of the golden networks, by numbers of layers in place of names."""
    return [make_weight(f"{i}/{w.name}", w.shape, gain) for i, layer in enumerate(leaves(model)) for w in layer.weights]


def images(model: Model, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers up to 1, or pixels for a net that scales them by itself."""
    most = 255 if model.metadata["preprocessing"] == "none" else 1
    return most * np.random.default_rng(1).uniform(0.1, 1, (2, *shape)).astype(np.float32)


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("name", "shape", "gain"), NETWORKS)
def test_keras_opens_what_is_saved_and_the_other_way_round(name, shape, gain, suffix, tmp_path):
    model = build(applications, name, shape)
    model.set_weights(formula(model, gain))
    x = images(model, shape)
    expected = model.predict(x)
    assert expected.max() < 0.99  # a softmax of one class alone would hide differences
    model.save(tmp_path / f"ours{suffix}")
    theirs = keras.models.load_model(tmp_path / f"ours{suffix}", compile=False)
    assert_close(theirs.predict(x, verbose=0), expected)
    for a, b in zip(theirs.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    theirs.save(tmp_path / f"theirs{suffix}")
    assert_close(load_model(tmp_path / f"theirs{suffix}").predict(x), expected)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("name", "shape", "gain"), [row for row in NETWORKS if hasattr(keras.applications, row[0])])
def test_architectures_are_those_that_keras_builds(name, shape, gain, suffix, tmp_path):
    ours, path = build(applications, name, shape), tmp_path / f"theirs{suffix}"
    ours.set_weights(formula(ours, gain))
    x = images(ours, shape)
    theirs = build(keras.applications, name, shape)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    theirs.set_weights(ours.get_weights())
    theirs.save(path)
    expected = theirs.predict(x, verbose=0)
    for opened in (load_model(path), getattr(applications, name)(weights=path, input_shape=shape, classes=3)):
        assert_close(opened.predict(x), expected)
