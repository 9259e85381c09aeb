"""Pictures as a model takes them: sizes, pixel values, metadata, and what is refused."""

import numpy as np
import pytest

from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.layers import Conv2D, GlobalAveragePooling2D, Input
from minicnn.models import Sequential
from minicnn.preparation import Preparation, ResizeRule, preparation_from, preprocess_input

pytest.importorskip("PIL")
GREY = np.full((40, 60, 3), 51, np.uint8)


def model(side: int | None = 32) -> Sequential:
    return Sequential([Input((side, side, 3)), Conv2D(2, 3), GlobalAveragePooling2D()])


def test_prepares_pictures_of_any_size_as_the_metadata_says():
    net = model()
    net.metadata = {"preprocessing": "tf"}
    prepared = net.prepare([GREY, GREY[:10]])
    assert prepared.shape == (2, 32, 32, 3)
    np.testing.assert_allclose(prepared, 51 / 127.5 - 1, rtol=1e-6)
    assert net.predict(prepared).shape == (2, 2)


def test_the_stored_rule_decides_the_size():
    rule = ResizeRule((8, 6), "stretch")
    stored = Preparation(rule, "none").metadata(["a", "b"])
    again = preparation_from(stored, (None, 8, 6, 3))
    assert again == Preparation(rule, "none")
    assert stored["class_names"] == ["a", "b"]
    assert again.prepare(GREY[None]).shape == (1, 8, 6, 3)


def test_pictures_of_the_right_size_are_not_touched():
    noise = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    prepared = Preparation(ResizeRule(32, "crop", 0.5), "caffe").prepare(noise)
    np.testing.assert_array_equal(prepared, preprocess_input(noise, "caffe"))


def test_no_pictures_are_an_empty_batch():
    assert Preparation(ResizeRule(32), "tf").prepare([]).shape == (0, 32, 32, 3)


@pytest.mark.parametrize(
    ("metadata", "side", "images", "error", "match"),
    [
        ({}, 32, [GREY], ArgumentError, "does not say how pixels are prepared"),
        ({"preprocessing": "tf"}, None, [GREY], ArgumentError, "names no size"),
        ({"preprocessing": "tf"}, 32, [GREY / 255], DTypeError, "pictures are uint8"),
        ({"preprocessing": "tf"}, 32, [GREY[..., 0]], ShapeError, r"a picture is \(H,W,3\)"),
        ({"preprocessing": "sepia"}, 32, [GREY], ArgumentError, "unknown preprocessing mode 'sepia'"),
    ],
)
def test_refusals(metadata, side, images, error, match):
    net = model(side)
    net.metadata = metadata
    with pytest.raises(error, match=match):
        net.prepare(images)
