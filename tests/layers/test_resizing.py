"""Images of any size become images of one: what the golden numbers do not say."""

import numpy as np
import pytest

from minicnn import Tensor, ops
from minicnn.errors import UnsupportedError
from minicnn.layers import CenterCrop, Input, RandomCrop, Resizing
from minicnn.models import Model, Sequential, model_from_json
from minicnn.models.config_reading import _Reader
from minicnn.ops.resize import METHODS, axis_weights

pytestmark = [pytest.mark.numpy_only, pytest.mark.no_jit]


def picture(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape, np.float32)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize(("size", "target"), [(1, 5), (7, 3), (3, 7), (4, 4), (64, 2)])
def test_weights_add_up_to_one(size, target, method, antialias):
    weights = axis_weights(size, target, method, antialias)
    assert weights.shape == (target, size)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12)
    if size == target:
        np.testing.assert_allclose(weights, np.eye(size), atol=1e-12)


def test_antialias_takes_the_mean_of_what_becomes_one_pixel():
    ramp = np.arange(8.0).reshape(1, 1, 8, 1)
    assert ops.resize(Tensor(ramp), (1, 2)).numpy().ravel().tolist() == [1.5, 5.5]
    spike = np.zeros((1, 1, 9, 1))
    spike[0, 0, 3] = 9
    assert not ops.resize(Tensor(spike), (1, 3)).numpy()[0, 0, :2].any()
    assert ops.resize(Tensor(spike), (1, 3), antialias=True).numpy()[0, 0, :2].all()


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("layer", [Resizing(4, 6), Resizing(4, 6, pad_to_aspect_ratio=True), CenterCrop(4, 6)])
def test_one_model_takes_images_of_all_sizes(layer, count):
    model = Sequential([Input((None, None, 2)), layer])
    for height, width in ((4, 6), (9, 8), (2, 3), (1, 20)):
        x = picture(count, height, width, 2)
        y = model.predict(x)
        assert y.shape == (count, 4, 6, 2)
        np.testing.assert_allclose(y, layer(x).numpy(), rtol=1e-6)


def test_sides_that_are_padded_have_the_value():
    x = np.ones((1, 4, 2, 1), np.float32)
    y = Resizing(4, 4, pad_to_aspect_ratio=True, fill_value=7.0)(x).numpy()[0, :, :, 0]
    np.testing.assert_array_equal(y, [[7, 1, 1, 7]] * 4)
    wide = Resizing(4, 4, "nearest", pad_to_aspect_ratio=True)(np.ones((1, 2, 4, 1), np.float32)).numpy()[0, :, :, 0]
    np.testing.assert_array_equal(wide.T, [[0, 1, 1, 0]] * 4)


def test_a_random_crop_leaves_images_as_they_are_and_is_refused_in_training():
    """In inference, as Keras 3.15."""
    layer = RandomCrop(4, 6, name="crop")
    for sides in ((4, 6), (9, 9), (3, 9), (2, 3)):
        x = picture(2, *sides, 3)
        np.testing.assert_array_equal(layer(x).numpy(), x)
        assert layer(Input((*sides, 3))).shape == (None, *sides, 3)
    assert layer(Input((None, 9, 3))).shape == (None, 4, 6, 3)  # as Keras says whatever comes
    with pytest.raises(UnsupportedError, match=r"layer crop \(RandomCrop\) does not augment while training"):
        layer(x, training=True)


@pytest.mark.parametrize("sides", [(8, 16), (3, 9), (4, 6)])
def test_a_random_crop_of_keras_2_is_the_middle_resized_and_stays_so(sides):
    x = Input((*sides, 3))
    config = {"name": "crop", "height": 4, "width": 6, "seed": 1}
    crop = _Reader("2.12.0").layer({"class_name": "RandomCrop", "config": config})
    model = Model(x, crop(x))
    images = picture(2, *sides, 3)
    expected = Resizing(4, 6, crop_to_aspect_ratio=True)(images).numpy()
    for one in (model, model_from_json(model.to_json())):
        assert one.output_shape == (None, 4, 6, 3)
        np.testing.assert_allclose(one.predict(images), expected, rtol=1e-6)
    with pytest.raises(UnsupportedError, match="does not augment while training"):
        crop(images, training=True)
