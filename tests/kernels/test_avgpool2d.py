"""avgpool2d and global_avgpool2d: what padding does to the mean, non-finite numbers, refusals."""

import numpy as np
import pytest
from hypothesis import given
from strategies import arrays, pools

from minicnn import kernels
from minicnn.errors import ArgumentError, ShapeError
from minicnn.kernels import avgpool2d, global_avgpool2d

RUNGS = kernels.rungs("avgpool2d")
GLOBAL_RUNGS = kernels.rungs("global_avgpool2d")


@pytest.mark.parametrize("rung", RUNGS)
@given(shape_and_window=pools())
def test_padding_is_not_counted(rung, shape_and_window):
    """So a constant image stays constant."""
    shape, window = shape_and_window
    y = avgpool2d.forward(np.full(shape, 7, np.float32), **window, rung=rung)
    assert (y == 7).all()


@pytest.mark.parametrize("rung", RUNGS)
@given(shape_and_window=pools())
def test_shares_of_a_window_add_up_to_its_gradient(rung, shape_and_window):
    shape, window = shape_and_window
    y = avgpool2d.forward(np.zeros(shape, np.float32), **window, rung=rung)
    dx = avgpool2d.backward(np.ones_like(y), shape, **window, rung=rung)
    assert dx.sum(dtype=np.float64) == pytest.approx(y.size, rel=1e-6)


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_non_finite_numbers_stay_in_their_windows(value, rung):
    x = np.ones((1, 4, 4, 20), np.float32)
    x[0, 1, 1, 3] = value
    y = avgpool2d.forward(x, 2, rung=rung)
    np.testing.assert_array_equal(y[0, 0, 0, 3], value)
    y[0, 0, 0, 3] = 1
    assert (y == 1).all()


@pytest.mark.parametrize("rung", GLOBAL_RUNGS)
@given(x=arrays((3, 4, 5, 6)))
def test_global_pool_is_a_pool_of_the_whole_image(rung, x):
    y = global_avgpool2d.forward(x.astype(np.float32), keepdims=True, rung=rung)
    np.testing.assert_allclose(y, avgpool2d.forward(x, (4, 5)), rtol=1e-5, atol=1e-6)
    flat = global_avgpool2d.forward(x.astype(np.float32), rung=rung)
    np.testing.assert_array_equal(flat, y[:, 0, 0])
    np.testing.assert_array_equal(global_avgpool2d.backward(flat, x.shape), global_avgpool2d.backward(y, x.shape))


def test_refusals():
    x = np.zeros((2, 5, 5, 3))
    with pytest.raises(ShapeError, match="does not fit"):
        avgpool2d.forward(x, 6)
    with pytest.raises(ArgumentError, match="smaller than the pool"):
        avgpool2d.forward(x, 2, padding=((0, 2), (0, 0)))
    with pytest.raises(ShapeError, match="dy must have"):
        avgpool2d.backward(np.zeros((2, 3, 2, 3)), x.shape, 2)
    with pytest.raises(ShapeError, match="dy must have"):
        global_avgpool2d.backward(np.zeros((2, 4)), x.shape)
    with pytest.raises(ShapeError, match="at least one pixel"):
        global_avgpool2d.forward(x[:, :, :0])
