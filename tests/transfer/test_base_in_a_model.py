"""The weights of a base in a model around it, as people save what they have fine-tuned."""

import json
from pathlib import Path

import numpy as np
import pytest

from minicnn import applications
from minicnn.cli import main
from minicnn.errors import ArgumentError, WeightsMismatchError
from minicnn.layers import Dense, GlobalAveragePooling2D, Input
from minicnn.models import Model, Sequential
from minicnn.transfer import load_base

pytestmark = pytest.mark.numpy_only
SIDE = 32


def body(weights: Path | None = None) -> Model:
    options = {"include_top": False, "alpha": 0.25, "input_shape": (SIDE, SIDE, 3), "pooling": "avg"}
    return applications.MobileNet(weights=weights, **options)


def around(base: Model) -> Model:
    """The base, some layers frozen, under a head of two layers."""
    base.trainable = False
    for layer in base.layers[-9:]:
        layer.trainable = True
    x = Input((SIDE, SIDE, 3))
    return Model(x, Dense(5)(Dense(4, activation="relu")(base(x, training=False))))


@pytest.fixture(params=["a.weights.h5", "a.h5", "a.safetensors"])
def saved(request, tmp_path: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    base = body()
    images = np.random.default_rng(0).normal(size=(2, SIDE, SIDE, 3)).astype(np.float32)
    around(base).save_weights(tmp_path / request.param)
    return tmp_path / request.param, images, base.predict(images)


@pytest.mark.parametrize("named", [True, False])
def test_is_a_base(saved, named):
    path, images, features = saved
    base = load_base("mobilenet", path, size=SIDE) if named else load_base(path, size=SIDE)
    assert base.name == "MobileNet, alpha 0.25"
    np.testing.assert_allclose(base.model.predict(images), features, rtol=1e-5)


def test_is_what_the_body_is_built_with(saved):
    path, images, features = saved
    model = body(weights=path)
    assert len(model.load_report.loaded) == 54
    assert len(model.load_report.unexpected) == 2  # the head's layers
    np.testing.assert_allclose(model.predict(images), features, rtol=1e-5)


@pytest.mark.parametrize("ending", [".weights.h5", ".h5", ".safetensors", ".keras"])
def test_in_a_model_within_a_model_is_a_base_too(ending, tmp_path):
    base, path = body(), tmp_path / f"a{ending}"
    inner = Sequential([base, Dense(4)], name="inner")
    outer = Sequential([Input((SIDE, SIDE, 3)), inner, Dense(3)])
    (outer.save if ending == ".keras" else outer.save_weights)(path)
    model = body(weights=path)
    assert len(model.load_report.unexpected) == 2
    for found, expected in zip(model.get_weights(), base.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_of_another_network_says_which(saved):
    with pytest.raises(ArgumentError, match=r"holds weights of MobileNet, .* not of VGG16: use base mobilenet"):
        load_base("vgg16", saved[0], size=SIDE)


def test_a_base_that_lacks_layers_is_refused(tmp_path):
    base = body()
    cut = Model(base.inputs, GlobalAveragePooling2D()(base.get_layer("conv_pw_12").output), name="cut")
    Sequential([Input((SIDE, SIDE, 3)), cut, Dense(5)]).save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(WeightsMismatchError, match="49 of 54 layers fit"):
        load_base("mobilenet", tmp_path / "a.weights.h5", size=SIDE)


def test_inspect_says_what_can_be_done_with_it(saved, capsys):
    main(["inspect", "--json", str(saved[0])])
    assert json.loads(capsys.readouterr().out)["command"] == "minicnn finetune PHOTOS --base FILE"
