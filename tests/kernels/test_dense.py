"""dense and channel_sum: leading axes, non-finite numbers, the default rung, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import kernels
from minicnn.errors import DTypeError, ShapeError
from minicnn.kernels import channel_sum, dense

RUNGS = kernels.rungs("dense")
LIMITS = [None, "relu", "relu6"]


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("leading", [(), (1,), (0,), (2, 0), (2, 3), (1, 2, 3)])
def test_any_leading_axes(leading, rung):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((*leading, 5), np.float32), rng.standard_normal((5, 7), np.float32)
    np.testing.assert_allclose(dense.forward(x, w, rung=rung), x @ w, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("rows", [3, 40])
def test_nan_stays_in_its_row(rows, rung):
    x, w = np.ones((rows, 100), np.float32), np.ones((100, 33), np.float32)
    x[1, 70] = np.nan
    y = dense.forward(x, w, activation="relu", rung=rung)
    assert np.isnan(y[1]).all()
    y[1] = 100
    assert (y == 100).all()


@pytest.mark.parametrize("rung", RUNGS[1:])
@pytest.mark.parametrize(("rows", "inputs", "outputs"), [(3, 1001, 5), (130, 300, 7), (20, 5, 700), (9, 600, 600)])
def test_sums_too_long_for_one_slice_or_block(rows, inputs, outputs, rung):
    rng = np.random.default_rng(0)
    x, w, dy = (rng.integers(-3, 4, shape) for shape in ((rows, inputs), (inputs, outputs), (rows, outputs)))
    x32, w32, dy32 = (array.astype(np.float32) for array in (x, w, dy))
    np.testing.assert_array_equal(dense.forward(x32, w32, rung=rung), x @ w)
    np.testing.assert_array_equal(dense.backward_input(dy32, w32, rung=rung), dy @ w.T)
    np.testing.assert_array_equal(dense.backward_weights(x32, dy32, rung=rung), x.T @ dy)


def test_weights_are_streamed_for_few_rows_and_tiled_for_many():
    w = np.ones((16, 4), np.float32)
    for rows, rung in ((1, "v3_stream"), (8, "v3_stream"), (9, "v4_tiled")):
        with kernels.record() as calls:
            dense.forward(np.ones((rows, 16), np.float32), w)
        assert calls == [("dense", "forward", rung)]
    for rows, inputs, rung in ((32, 16, "v3_stream"), (33, 16, "v4_tiled"), (1, 15, "v4_tiled")):
        x, dy = np.ones((rows, inputs), np.float32), np.ones((rows, 4), np.float32)
        with kernels.record() as calls:
            dense.backward_input(dy, w[:inputs])
            dense.backward_weights(x, dy)
        assert calls == [("dense", "backward_input", rung), ("dense", "backward_weights", rung)]


@given(
    inputs=st.integers(1, 600), outputs=st.integers(1, 70), rows=st.integers(1, 40), activation=st.sampled_from(LIMITS)
)
def test_a_row_does_not_depend_on_those_beside_it(inputs, outputs, rows, activation):
    rng = np.random.default_rng(rows)
    x, residual = (rng.standard_normal((rows, size), np.float32) for size in (inputs, outputs))
    w, bias = rng.standard_normal((inputs, outputs), np.float32), rng.standard_normal(outputs, np.float32)
    y = dense.forward(x, w, bias, activation=activation, residual=residual)
    for part in (slice(0, 1), slice(rows // 2, rows)):
        own = dense.forward(x[part], w, bias, activation=activation, residual=residual[part])
        np.testing.assert_array_equal(own, y[part])


@pytest.mark.parametrize("rung", kernels.rungs("channel_sum"))
def test_nan_stays_in_its_channel(rung):
    x = np.ones((4, 5, 3), np.float32)
    x[2, 3, 1] = np.nan
    np.testing.assert_array_equal(channel_sum.forward(x, rung=rung), [20, np.nan, 20])


@pytest.mark.parametrize("rung", kernels.rungs("channel_sum"))
def test_no_rows_sum_to_zero(rung):
    np.testing.assert_array_equal(channel_sum.forward(np.ones((0, 3, 5), np.float32), rung=rung), np.zeros(5))


def test_refusals():
    x, w = np.zeros((2, 3)), np.zeros((3, 4))
    with pytest.raises(ShapeError, match="w takes 3 numbers"):
        dense.forward(np.zeros((2, 4)), w)
    with pytest.raises(ShapeError, match="w takes 4 numbers"):
        dense.backward_input(np.zeros((2, 3)), w)
    with pytest.raises(ShapeError, match="same leading axes"):
        dense.backward_weights(x, np.zeros((3, 4)))
    with pytest.raises(ShapeError, match="bias"):
        dense.forward(x, w, np.zeros(3))
    with pytest.raises(DTypeError, match="one float dtype"):
        dense.forward(x, w.astype(np.float32))
    with pytest.raises(ShapeError, match="at least one channel"):
        channel_sum.forward(np.zeros((3, 0)))
    with pytest.raises(DTypeError, match="float"):
        channel_sum.forward(np.zeros((3, 2), int))
