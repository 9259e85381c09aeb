"""The families that scale pixels by themselves: MobileNetV3, EfficientNet, EfficientNetV2 and ConvNeXt."""

import hashlib
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from minicnn.applications import family
from minicnn.applications.convnext import ConvNeXtTiny
from minicnn.applications.efficientnet import EfficientNetB0
from minicnn.applications.efficientnet_v2 import EfficientNetV2B0, EfficientNetV2S
from minicnn.applications.mobilenet_v3 import MobileNetV3Large, MobileNetV3Small
from minicnn.errors import ArgumentError, DownloadError
from minicnn.layers import Multiply, Normalization
from minicnn.models import Model
from minicnn.preparation import preprocess_input
from minicnn.weights.registry import published

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize(
    ("build", "options", "file"),
    [
        (MobileNetV3Small, {}, "weights_mobilenet_v3_small_224_1.0_float.h5"),
        (MobileNetV3Large, {"alpha": 0.75}, "weights_mobilenet_v3_large_224_0.75_float.h5"),
        (
            MobileNetV3Large,
            {"minimalistic": True, "include_top": False},
            "weights_mobilenet_v3_large_minimalistic_224_1.0_float_no_top_v2.h5",
        ),
        (EfficientNetB0, {"include_top": False}, "efficientnetb0_notop.h5"),
        (EfficientNetV2S, {}, "efficientnetv2-s.h5"),
        (ConvNeXtTiny, {}, "convnext_tiny.h5"),
    ],
)
def test_which_published_file_serves_a_variant(build, options, file, asked):
    with pytest.raises(DownloadError):
        build(weights="imagenet", **options)
    assert asked == [file]


def test_variants_without_published_weights():
    with pytest.raises(ArgumentError, match=r"minimalistic MobileNetV3Small has .* for alpha=0\.75.* alpha 1\.0$"):
        MobileNetV3Small(minimalistic=True, alpha=0.75)
    with pytest.raises(
        ArgumentError, match=r"MobileNetV3Large has .* for alpha=0\.5.*: there are some for alpha 0\.75, 1"
    ):
        MobileNetV3Large(alpha=0.5)


def scalings(model: Model) -> list[str]:
    """The first layers after the input."""
    return [type(layer).__name__ for layer in model.layers[1:4]]


def test_published_weights_of_efficientnet_have_one_more_scaling(tmp_path, monkeypatch):
    assert scalings(EfficientNetB0(weights=None)) == ["Rescaling", "Normalization", "ZeroPadding2D"]
    model = EfficientNetB0(weights=None, include_top=False)
    model.set_weights([np.full(weight.shape, 0.5) for weight in model.weights])
    path = tmp_path / "efficientnetb0_notop.h5"
    model.save_weights(path)
    other = path.with_name("other.h5")
    other.write_bytes(path.read_bytes())
    build = partial(EfficientNetB0, include_top=False)
    assert scalings(build(weights=path)) == ["Rescaling", "Normalization", "ZeroPadding2D"]  # others have this name
    entry = replace(published("EfficientNetB0", False), hash=hashlib.md5(path.read_bytes()).hexdigest())
    monkeypatch.setattr(family, "published", lambda *_, **__: entry)
    monkeypatch.setattr(family, "locate", lambda _: path)
    for weights in ("imagenet", path, str(path)):
        model = build(weights=weights)
        assert scalings(model) == ["Rescaling", "Normalization", "Rescaling"]
        np.testing.assert_allclose(model.layers[3].scale, np.array([0.229, 0.224, 0.225]) ** -0.5)
        assert model.get_weights()[0][0] == 0.5
    assert scalings(build(weights=other)) == ["Rescaling", "Normalization", "ZeroPadding2D"]


@pytest.mark.parametrize(
    ("build", "mode"),
    [(MobileNetV3Small, "tf"), (EfficientNetV2B0, "torch"), (EfficientNetV2S, None), (ConvNeXtTiny, "torch")],
)
def test_what_is_left_out_of_the_net_is_the_mode(build, mode):
    x = np.random.default_rng(0).integers(0, 256, (1, 33, 32, 3))
    inside = build(weights=None, include_top=False, input_shape=(33, 32, 3))
    outside = build(weights=None, include_top=False, input_shape=(33, 32, 3), include_preprocessing=False)
    assert (inside.metadata["preprocessing"], outside.metadata["preprocessing"]) == ("none", mode)
    assert outside.count_params() == inside.count_params()
    outside.set_weights(inside.get_weights())
    prepared = x / 128 - 1 if mode is None else preprocess_input(x, mode)
    np.testing.assert_allclose(outside.predict(prepared), inside.predict(x), rtol=1e-3, atol=1e-4)


def test_a_mobilenet_v3_with_top_takes_pictures_of_any_size():
    model = MobileNetV3Small(weights=None, alpha=0.35, minimalistic=True, classes=3)
    assert model.predict(np.zeros((1, 40, 64, 3))).shape == (1, 3)
    assert model.prepare([np.zeros((300, 400, 3), np.uint8)]).shape == (1, 224, 224, 3)
    assert not any(isinstance(layer, Multiply) for layer in model.layers)


@pytest.mark.parametrize(("build", "channels"), [(EfficientNetV2B0, 1), (ConvNeXtTiny, 4)])
def test_pictures_that_are_not_rgb(build, channels):
    model = build(weights=None, include_top=False, input_shape=(32, 32, channels))
    assert not any(isinstance(layer, Normalization) for layer in model.layers)


def test_blocks_are_left_out_more_often_the_later_they_come():
    rates = [layer.rate for layer in EfficientNetB0(weights=None).layers if layer.name.endswith("drop")]
    np.testing.assert_allclose(rates, np.array([2, 4, 6, 7, 9, 10, 12, 13, 14]) / 16 * 0.2)
    rates = [layer.rate for layer in EfficientNetV2B0(weights=None).layers if layer.name.endswith("drop")]
    np.testing.assert_allclose(rates, np.array([2, 4, 6, 7, *range(9, 13), *range(14, 21)]) / 21 * 0.2)
