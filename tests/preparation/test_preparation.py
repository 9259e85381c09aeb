"""Pictures as a model takes them: sizes, pixel values, metadata, and what is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minicnn.errors import ArgumentError, DTypeError, MissingExtraError, ShapeError
from minicnn.layers import Conv2D, GlobalAveragePooling2D, Input
from minicnn.models import Sequential
from minicnn.preparation import Preparation, ResizeRule, preprocess_input
from minicnn.preparation.modes import to_grey

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
    again = Preparation.from_metadata(stored, (None, 8, 6, 3))
    assert again == Preparation(rule, "none")
    assert stored["class_names"] == ["a", "b"]
    assert again.prepare(GREY[None]).shape == (1, 8, 6, 3)


def test_pictures_of_the_right_size_are_not_touched():
    noise = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    prepared = Preparation(ResizeRule(32, "crop", 0.5), "caffe").prepare(noise)
    np.testing.assert_array_equal(prepared, preprocess_input(noise, "caffe"))


def test_no_pictures_are_an_empty_batch():
    assert Preparation(ResizeRule(32), "tf").prepare([]).shape == (0, 32, 32, 3)


def test_without_pillow_only_other_sizes_are_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    preparation = Preparation(ResizeRule(32), "tf")
    assert preparation.prepare([GREY[:32, :32]]).shape == (1, 32, 32, 3)
    with pytest.raises(MissingExtraError, match=r"resizing a picture of 40 × 60 pixels to 32 × 32 needs Pillow"):
        preparation.prepare([GREY])


@pytest.mark.parametrize(
    ("metadata", "side", "images", "error", "match"),
    [
        ({}, 32, [GREY], ArgumentError, "does not say how pixels are prepared"),
        ({"preprocessing": "tf"}, None, [GREY], ArgumentError, "names no size"),
        ({"preprocessing": "tf"}, 32, [GREY / 255], DTypeError, "pictures are uint8"),
        ({"preprocessing": "tf"}, 32, [GREY[..., 0]], ShapeError, r"a picture is \(H,W,3\)"),
        ({"preprocessing": "tf"}, 32, GREY, ShapeError, r"a list of pictures: prepare\(\[picture\]\); got one"),
        ({"preprocessing": "tf"}, 32, ["a.jpg"], DTypeError, r"'a.jpg' is the name of a file: minicnn.data.read_image"),
        ({"preprocessing": "tf"}, 32, np.array(["a.jpg"]), DTypeError, "'a.jpg' is the name of a file"),
        ({"preprocessing": "tf"}, 32, Path("a.jpg"), DTypeError, "'a.jpg' is the name of a file"),
        ({"preprocessing": "tf"}, 32, [GREY, "b.jpg"], DTypeError, "'b.jpg' is the name of a file"),
        ({"preprocessing": "sepia"}, 32, [GREY], ArgumentError, "unknown preprocessing mode 'sepia'"),
    ],
)
def test_refusals(metadata, side, images, error, match):
    net = model(side)
    net.metadata = metadata
    with pytest.raises(error, match=match):
        net.prepare(images)


@pytest.mark.parametrize("mode", ["P", "RGBA", "CMYK", "1", "HSV"])
def test_pictures_of_pillow_are_taken_in_rgb_alone(mode):
    from PIL import Image

    net = model(32)
    net.metadata = {"preprocessing": "tf"}
    photo = Image.effect_mandelbrot((32, 32), (-2, -1, 1, 1), 9).convert("RGB")
    np.testing.assert_array_equal(net.prepare([photo]), net.prepare([np.asarray(photo)]))
    with pytest.raises(ShapeError, match=rf"this one has Pillow's mode {mode}: give picture.convert\('RGB'\)"):
        net.prepare([photo.convert(mode)])


# Models that take one channel


def grey_model() -> Sequential:
    net = Sequential([Input((16, 16, 1)), Conv2D(2, 3), GlobalAveragePooling2D()])
    net.metadata = {"preprocessing": "none"}
    return net


def test_grey_is_pillows():
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3)).astype(np.uint8)
    expected = np.asarray(Image.fromarray(pixels[0]).convert("L"))
    np.testing.assert_array_equal(to_grey(pixels)[0, :, :, 0], expected)
    every = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    np.testing.assert_array_equal(to_grey(every)[:, 0], np.arange(256))


def test_a_model_of_one_channel_is_given_grey_pictures():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    prepared = grey_model().prepare([pixels])
    np.testing.assert_array_equal(prepared, to_grey(pixels[None]).astype(np.float32))
    assert grey_model().predict(prepared).shape == (1, 2)
    assert grey_model().prepare([]).shape == (0, 16, 16, 1)


@pytest.mark.parametrize("shape", [(16, 16), (16, 16, 1), (40, 20), (40, 20, 1)])
def test_a_model_of_one_channel_takes_grey_arrays(shape):
    assert np.all(grey_model().prepare([np.full(shape, 77, np.uint8)]) == 77)


@pytest.mark.parametrize(("mode", "value"), [("tf", 51 / 127.5 - 1), ("unit", 0.2), ("none", 51)])
def test_modes_that_treat_all_channels_alike_do_for_grey(mode, value):
    prepared = Preparation(ResizeRule(8), mode, channels=1).prepare([GREY])
    np.testing.assert_allclose(prepared, np.full((1, 8, 8, 1), value), rtol=1e-6)


@pytest.mark.parametrize("mode", ["caffe", "torch"])
def test_modes_of_colours_are_refused_for_grey(mode):
    with pytest.raises(
        ArgumentError, match=f"'{mode}' is for colour pictures, the model takes grey ones: 'tf' or 'unit' or 'none'"
    ):
        Preparation(ResizeRule(8), mode, channels=1)


def test_a_size_that_the_inputs_do_not_have_is_refused_before_pictures_are_resized():
    metadata = {"preprocessing": "tf", "resize": {"size": [9999, 9999], "method": "crop", "ratio": 1.0}}
    with pytest.raises(ArgumentError, match=r"takes inputs \(None, 8, 8, 3\), .* resizes pictures to \(9999, 9999\)"):
        Preparation.from_metadata(metadata, (None, 8, 8, 3))
    assert Preparation.from_metadata(metadata, (None, None, None, 3)).size == (9999, 9999)


@pytest.mark.parametrize(
    ("shape", "channels"), [((None, 3, 8, 6), 3), ((None, 1, 8, 6), 1), ((None, 3, None, None), 3)]
)
def test_a_model_with_channels_first_gets_them_first(shape, channels):
    metadata = {"preprocessing": "tf", "resize": ResizeRule((8, 6)).to_dict()}
    preparation = Preparation.from_metadata(metadata, shape)
    picture = np.arange(8 * 6 * 3, dtype=np.uint8).reshape(8, 6, 3)
    last = Preparation.from_metadata(metadata, (None, 8, 6, channels))(picture[None])
    assert preparation.size == (8, 6)
    np.testing.assert_array_equal(preparation.prepare([picture]), last.transpose(0, 3, 1, 2))
