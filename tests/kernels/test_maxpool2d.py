"""maxpool2d and global_maxpool2d: ties, NaN, infinities, where the gradient goes, refusals."""

import numpy as np
import pytest
from hypothesis import given
from strategies import arrays, pools

from minicnn import kernels
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.kernels import global_maxpool2d, maxpool2d

RUNGS = kernels.rungs("maxpool2d")
GLOBAL_RUNGS = kernels.rungs("global_maxpool2d")
INF, NAN = np.inf, np.nan


def image(rows: list[list[float]]) -> np.ndarray:
    """Rows of numbers as (1,H,W,1)."""
    return np.array(rows, np.float32)[None, :, :, None]


def gradient(x: np.ndarray, rung: str, **window) -> np.ndarray:
    """dx (H,W) where the windows' dy are 1, 2, 3, ..."""
    y = maxpool2d.forward(x, **window, rung=rung)
    dy = np.arange(1, y.size + 1, dtype=x.dtype).reshape(y.shape)
    return maxpool2d.backward(x, y, dy, **window, rung=rung)[0, :, :, 0]


@pytest.mark.parametrize("rung", RUNGS)
def test_first_of_equals_gets_the_gradient(rung):
    x = image([[7, 7, 0], [7, 0, 7], [0, 7, 7]])
    found = gradient(x, rung, pool_size=2, strides=1)
    np.testing.assert_array_equal(found, [[1, 2, 0], [3, 0, 4], [0, 0, 0]])


@pytest.mark.parametrize("rung", RUNGS)
def test_padding_never_wins(rung):
    x = image([[-3, -2], [-1, -INF]])
    window = {"pool_size": 3, "strides": 2, "padding": ((2, 2), (2, 2))}
    y = maxpool2d.forward(x, **window, rung=rung)
    np.testing.assert_array_equal(y[0, :, :, 0], [[-3, -2], [-1, -1]])
    np.testing.assert_array_equal(gradient(x, rung, **window), [[1, 2], [7, 0]])


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("place", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_nan_wins_and_gets_the_gradient(place, rung):
    x = image([[1, 2, 5, 5], [3, 4, 5, 5]])
    x[0, place[0], place[1], 0] = NAN
    y = maxpool2d.forward(x, 2, rung=rung)
    np.testing.assert_array_equal(y.ravel(), [NAN, 5])
    expected = np.array([[0, 0, 2, 0], [0, 0, 0, 0]])
    expected[place] = 1
    np.testing.assert_array_equal(gradient(x, rung, pool_size=2), expected)


@pytest.mark.parametrize("rung", RUNGS)
def test_infinite_gradient_reaches_its_pixel_alone(rung):
    x = image([[1, 2], [4, 3]])
    dx = maxpool2d.backward(x, image([[4]]), image([[INF]]), 2, rung=rung)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 0], [INF, 0]])


@pytest.mark.parametrize("rung", RUNGS)
@given(shape_and_window=pools())
def test_every_window_gives_its_gradient_away_once(rung, shape_and_window):
    shape, window = shape_and_window
    x = np.random.default_rng(0).integers(0, 3, shape).astype(np.float32)
    y = maxpool2d.forward(x, **window, rung=rung)
    dx = maxpool2d.backward(x, y, np.ones_like(y), **window, rung=rung)
    assert dx.sum() == y.size


@pytest.mark.parametrize("rung", GLOBAL_RUNGS)
@given(x=arrays((3, 4, 5, 6)))
def test_global_pool_is_a_pool_of_the_whole_image(rung, x):
    x = x.astype(np.float32)
    y = global_maxpool2d.forward(x, keepdims=True, rung=rung)
    np.testing.assert_array_equal(y, maxpool2d.forward(x, (4, 5)))
    flat = global_maxpool2d.forward(x, rung=rung)
    np.testing.assert_array_equal(flat, y[:, 0, 0])
    expected = maxpool2d.backward(x, y, y, (4, 5))
    np.testing.assert_array_equal(global_maxpool2d.backward(x, flat, flat, rung=rung), expected)


@pytest.mark.parametrize("rung", GLOBAL_RUNGS)
def test_global_nan_wins(rung):
    x = image([[1, NAN], [NAN, 2]])
    y = global_maxpool2d.forward(x, rung=rung)
    assert np.isnan(y).all()
    dx = global_maxpool2d.backward(x, y, np.ones_like(y), rung=rung)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 1], [0, 0]])


def test_refusals():
    x = np.zeros((2, 5, 5, 3))
    with pytest.raises(ShapeError, match="does not fit"):
        maxpool2d.forward(x, 6)
    with pytest.raises(ShapeError, match=r"\(N,H,W,C\)"):
        maxpool2d.forward(x[0], 2)
    with pytest.raises(ArgumentError, match="pool_size"):
        maxpool2d.forward(x, 0)
    with pytest.raises(ArgumentError, match="smaller than the pool"):
        maxpool2d.forward(x, 2, padding=2)
    with pytest.raises(ShapeError, match="dy must have"):
        maxpool2d.backward(x, np.zeros((2, 2, 2, 3)), np.zeros((2, 2, 2, 4)), 2)
    with pytest.raises(DTypeError, match="one float dtype"):
        maxpool2d.backward(x, np.zeros((2, 2, 2, 3), np.float32), np.zeros((2, 2, 2, 3)), 2)
    with pytest.raises(ShapeError, match="at least one pixel"):
        global_maxpool2d.forward(x[:, :0])
