"""What goes into the networks and what comes out: pixels and names of classes."""

import json

import numpy as np
import pytest

from minicnn import applications
from minicnn.applications import decode_predictions, labels, vgg
from minicnn.errors import ArgumentError, FileFormatError, ShapeError
from minicnn.preparation import preprocess_input
from minicnn.weights.architectures import architectures

pytestmark = pytest.mark.numpy_only
PIXELS = np.array([[[[0, 127, 255], [10, 20, 30]]]])


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_modes_are_those_of_keras(golden, mode, dtype):
    expected = json.loads((golden / "keras_facts.json").read_text())["preprocessed"][mode]
    given = PIXELS.astype(dtype)
    found = preprocess_input(given, mode)
    np.testing.assert_allclose(found[0, 0], expected, rtol=1e-6, atol=1e-6)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(given, PIXELS)  # the pixels themselves are left alone


def test_each_family_has_its_mode():
    for row in architectures():
        family, mode = getattr(applications, row.module), row.preprocessing
        np.testing.assert_array_equal(family.preprocess_input(PIXELS), preprocess_input(PIXELS, mode))
    np.testing.assert_array_equal(preprocess_input(PIXELS, "none"), PIXELS)
    assert applications.preprocess_input is preprocess_input


def test_one_image_without_a_batch_axis():
    np.testing.assert_array_equal(vgg.preprocess_input(PIXELS[0]), vgg.preprocess_input(PIXELS)[0])


def test_refusals():
    with pytest.raises(
        ArgumentError, match="unknown preprocessing mode 'coffee'; known are caffe, tf, torch, unit, none"
    ):
        preprocess_input(PIXELS, "coffee")
    with pytest.raises(ShapeError, match=r"needs RGB images \(...,H,W,3\); got shape \(4, 4, 1\)"):
        preprocess_input(np.zeros((4, 4, 1)))
    for given in ("a", None):
        with pytest.raises(ArgumentError, match="preprocess_input: x must be a number, or a list of numbers"):
            preprocess_input(given, "none")


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A class index of our own, in place of the published one."""
    path = tmp_path / "index.json"
    path.write_text(json.dumps({str(i): [f"n{i:04d}", f"name {i}"] for i in range(1000)}))
    monkeypatch.setattr(labels, "locate", lambda entry: path)
    labels.imagenet_classes.cache_clear()
    yield path
    labels.imagenet_classes.cache_clear()


def test_decode_predictions(index):
    p = np.zeros((2, 1000), np.float32)
    p[0, [7, 3]] = 0.75, 0.25
    p[1, 999] = 1
    best, other = decode_predictions(p, top=2)
    assert best == [("n0007", "name 7", 0.75), ("n0003", "name 3", 0.25)]
    assert other[0] == ("n0999", "name 999", 1.0)
    assert [len(row) for row in decode_predictions(p)] == [5, 5]
    assert vgg.decode_predictions is applications.resnet.decode_predictions is decode_predictions


def test_decode_refusals(index):
    with pytest.raises(ShapeError, match=r"needs probabilities \(N,1000\); got shape \(2, 10\)"):
        decode_predictions(np.zeros((2, 10)))
    for content in ("{", "[]", '{"0": 5}'):
        index.write_text(content)
        with pytest.raises(FileFormatError, match=r"index\.json is not the ImageNet class index"):
            decode_predictions(np.zeros((1, 1000)))


def test_the_published_index(test_data, monkeypatch, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "imagenet_class_index.json").write_bytes(
        (test_data / "datasets" / "imagenet_class_index.json").read_bytes()
    )
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    labels.imagenet_classes.cache_clear()
    p = np.zeros((1, 1000))
    p[0, 281] = 1
    assert decode_predictions(p, top=1) == [[("n02123045", "tabby", 1.0)]]
    labels.imagenet_classes.cache_clear()
