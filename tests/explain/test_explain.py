"""Input gradients against finite differences, occlusion on a net whose one pixel counts, and drawing maps."""

import numpy as np
import pytest

from minicnn.errors import ArgumentError, DTypeError, ShapeError, UnsupportedError
from minicnn.explain import input_gradient, occlusion, overlay
from minicnn.layers import Conv2D, Dense, Flatten, GlobalAveragePooling2D, Input
from minicnn.models import Sequential
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only


def test_the_gradient_of_the_input_is_that_of_the_score():
    set_random_seed(2)
    layers = [Conv2D(3, 3, activation="tanh"), GlobalAveragePooling2D(), Dense(3, activation="softmax")]
    layers = [type(layer).from_config(layer.get_config() | {"dtype": "float64"}) for layer in layers]
    model = Sequential([Input((5, 5, 2), dtype="float64"), *layers])
    x = np.random.default_rng(0).standard_normal((2, 5, 5, 2))
    found = input_gradient(model, x, [0, 2])
    for sample, row, column, channel in ((0, 1, 2, 0), (1, 4, 4, 1)):
        step = np.zeros_like(x)
        step[sample, row, column, channel] = 1e-5
        logs = [np.log(model.predict(x + sign * step)[sample]) for sign in (1, -1)]
        slopes = (logs[0] - logs[1]) / 2e-5  # of the scores, minus one number for all of them
        label = (0, 2)[sample]
        other = input_gradient(model, x, 1)[sample, row, column, channel]
        assert slopes[label] - slopes[1] == pytest.approx(found[sample, row, column, channel] - other, rel=1e-6)


def corner(channels_first=False):
    """A net that answers yes by how bright the lower right corner is."""
    shape = (1, 8, 8) if channels_first else (8, 8, 1)
    model = Sequential([Input(shape), Flatten(), Dense(2, activation="softmax")])
    kernel = np.zeros((8, 8, 2), np.float32)
    kernel[6:, 6:, 1] = 1
    model.set_weights([kernel.reshape(64, 2), np.zeros(2)])
    return model


@pytest.mark.parametrize("channels_first", [False, True])
def test_covering_what_speaks_for_a_class_makes_it_less_likely(channels_first):
    x = np.zeros((1, 8, 8, 1), np.float32)
    x[0, 6:, 6:] = 1
    x = x.transpose(0, 3, 1, 2) if channels_first else x
    model = corner(channels_first)
    found = occlusion(model, x, window=2, stride=2)
    assert found.shape == (1, 4, 4)
    before, after = (1 / (1 + np.exp(-4 * bright)) for bright in (1, 1 / 16))
    expected = np.zeros((4, 4))
    expected[3, 3] = before - after
    np.testing.assert_allclose(found[0], expected, atol=1e-6)
    np.testing.assert_allclose(occlusion(model, x, 0, window=2, stride=2)[0], -expected, atol=1e-6)


def test_a_window_that_the_picture_does_not_hold_is_refused():
    with pytest.raises(ArgumentError, match="window is 9, the pictures have 8 × 8 pixels"):
        occlusion(corner(), np.zeros((1, 8, 8, 1)), window=9)
    with pytest.raises(UnsupportedError, match="occlusion is for pictures"):
        occlusion(Sequential([Input((4,)), Dense(2)]), np.zeros((1, 4)))


def test_an_overlay_is_red_where_the_map_is_largest_and_the_picture_where_it_is_not_laid_on():
    picture = np.full((6, 8, 3), 200, np.uint8)
    heat = np.zeros((3, 4))
    heat[0, 0] = 7
    drawn = overlay(picture, heat, 1.0)
    assert drawn.shape == (6, 8, 3)
    assert drawn[0, 0].tolist() == [190, 20, 30]
    assert drawn[5, 7].tolist() == [28, 32, 96]
    np.testing.assert_array_equal(overlay(picture, heat, 0.0), picture)
    np.testing.assert_array_equal(overlay(picture, np.zeros((3, 4)), 1.0), np.broadcast_to([28, 32, 96], (6, 8, 3)))


def test_what_is_no_picture_or_no_map_is_refused():
    with pytest.raises(DTypeError, match="a picture is uint8; got float64"):
        overlay(np.zeros((4, 4, 3)), np.ones((2, 2)))
    with pytest.raises(ShapeError, match=r"got \(4, 4, 3\), \(2,\)"):
        overlay(np.zeros((4, 4, 3), np.uint8), np.ones(2))
