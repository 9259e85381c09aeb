"""Augmentation against Keras' own, for draws that both make: what is done to the pixels is the same.

Keras is no dependency: these tests run where it is installed beside minicnn, and are skipped elsewhere.
"""

import numpy as np
import pytest

from minicnn import layers as L
from minicnn.preparation.colour import contrasted, turned_hue

keras = pytest.importorskip("keras", reason="Keras is not installed")
pytestmark = pytest.mark.filterwarnings("default")

X = np.random.default_rng(0).uniform(1, 255, (3, 7, 10, 3)).astype(np.float32)

FIXED = {
    **{
        f"RandomRotation {fill} {interpolation} {factor}": (
            "RandomRotation",
            {"factor": (factor, factor), "fill_mode": fill, "fill_value": 9.0, "interpolation": interpolation},
        )
        for fill in ("reflect", "constant", "nearest")
        for interpolation in ("bilinear", "nearest")
        for factor in (0.07, -0.3)
    },
    "RandomTranslation": ("RandomTranslation", {"height_factor": (0.23, 0.23), "width_factor": (-0.61, -0.61)}),
    "RandomTranslation wrap": (
        "RandomTranslation",
        {"height_factor": (0.5, 0.5), "width_factor": (-0.3, -0.3), "fill_mode": "wrap"},
    ),
    "RandomZoom out": ("RandomZoom", {"height_factor": (0.4, 0.4)}),
    "RandomZoom in": ("RandomZoom", {"height_factor": (-0.3, -0.3), "width_factor": (0.2, 0.2)}),
    "RandomBrightness": ("RandomBrightness", {"factor": (-0.4, -0.4)}),
    "RandomSaturation": ("RandomSaturation", {"factor": (0.3, 0.3)}),
    "RandomGrayscale": ("RandomGrayscale", {"factor": 1.0}),
    "RandomInvert": ("RandomInvert", {"factor": (1.0, 1.0)}),
    "RandomErasing all": ("RandomErasing", {"factor": (1.0, 1.0), "scale": (1.0, 1.0), "fill_value": 7.0}),
}


@pytest.mark.parametrize("name", FIXED)
def test_the_same_draw_gives_the_same_pixels(name):
    kind, options = FIXED[name]
    theirs = keras.ops.convert_to_numpy(getattr(keras.layers, kind)(**options)(X, training=True))
    own = getattr(L, kind)(**options)(X, training=True).numpy()
    np.testing.assert_allclose(own, theirs, atol=0.02)


@pytest.mark.parametrize(
    ("kind", "bounds", "key", "changed", "tolerance"),
    [
        ("RandomContrast", (0.5, 0.9), "contrast_factor", contrasted, 0.01),
        ("RandomHue", (0.2, 0.9), "factor", turned_hue, 0.05),
    ],
)
def test_contrast_and_hue_by_what_keras_has_drawn(kind, bounds, key, changed, tolerance):
    layer = getattr(keras.layers, kind)(bounds, seed=1)
    drawn = layer.get_random_transformation(X, training=True)
    theirs = keras.ops.convert_to_numpy(layer.transform_images(keras.ops.convert_to_tensor(X), drawn, training=True))
    factors = keras.ops.convert_to_numpy(drawn[key]).ravel()
    own = np.stack([changed(x, float(factor)) for x, factor in zip(X, factors)])
    np.testing.assert_allclose(own, theirs, atol=tolerance)


def test_a_flip_both_ways_is_one_draw():
    theirs = keras.ops.convert_to_numpy(keras.layers.RandomFlip(seed=0)(np.tile(X[:1], (64, 1, 1, 1)), training=True))
    done = {np.array_equal(y, X[0, ::-1, ::-1]) for y in theirs}
    assert done == {True, False}
    assert all(np.array_equal(y, X[0]) or np.array_equal(y, X[0, ::-1, ::-1]) for y in theirs)


def test_numbers_alone_mean_what_they_mean_there():
    """The ends between which each side draws."""
    for kind, factor, name, ends in (
        ("RandomBrightness", 0.3, "factor", (-0.3, 0.3)),
        ("RandomContrast", 0.3, "factor", (0, 0.3)),
        ("RandomHue", 0.3, "factor", (0, 0.3)),
        ("RandomSaturation", 0.3, "factor", (-0.3, 0.3)),
        ("RandomRotation", 0.3, "factor", (-0.3, 0.3)),
        ("RandomErasing", 0.3, "factor", (0, 0.3)),
    ):
        theirs = getattr(keras.layers, kind)(factor)
        own = getattr(L, kind)(factor)
        assert tuple(theirs.factor) == ends, kind
        low = own.least if hasattr(own, "least") else {"RandomErasing": 0}.get(kind, -1)
        assert own.ends(name, low) == ends, kind
