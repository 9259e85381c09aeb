"""embedding: rows that come often, never, or are none; the order of sums on a GPU."""

import numpy as np
import pytest
from cuda_extremes import cuda_rungs
from emulator.device import install

from minicnn import kernels
from minicnn.errors import DataError, DTypeError, ShapeError
from minicnn.kernels import embedding

TABLE = np.arange(12, dtype=np.float32).reshape(4, 3)


@pytest.mark.parametrize("rung", kernels.rungs("embedding"))
def test_rows_that_are_used_several_times_and_never(rung):
    y, rows = embedding.forward(np.array([[2.9, 0.0], [2.0, 2.0]]), TABLE, rung=rung)
    np.testing.assert_array_equal(y, TABLE[[[2, 0], [2, 2]]])
    dw = embedding.backward(rows, y + 1, 4, rung=rung)
    np.testing.assert_array_equal(dw, [TABLE[0] + 1, np.zeros(3), 3 * TABLE[2] + 3, np.zeros(3)])


@pytest.mark.parametrize("rung", kernels.rungs("embedding"))
def test_nan_and_infinity_stay_in_their_rows(rung):
    dy = np.array([[np.nan], [1.0], [np.inf], [2.0]], np.float32)
    dw = embedding.backward(np.array([0, 1, 2, 1]), dy, 4, rung=rung)
    np.testing.assert_array_equal(dw, [[np.nan], [3.0], [np.inf], [0.0]])


@pytest.mark.cuda_emulated
@pytest.mark.parametrize("rung", cuda_rungs("embedding", "backward"))
def test_a_row_of_many_uses_has_the_same_bits_in_any_order_of_threads(rung):
    rows = np.random.default_rng(0).integers(0, 3, 500)
    dy = np.random.default_rng(1).standard_normal((500, 40)).astype(np.float32)
    found = []
    for order in (0, 1, 7):
        gpu = install("fast", order)
        there = embedding.backward(gpu.from_host(rows), gpu.from_host(dy), 3, rung=rung)
        found.append(gpu.to_host(there))
    assert all(np.array_equal(found[0], other) for other in found)
    np.testing.assert_allclose(found[0], embedding.backward(rows, dy.astype(np.float64), 3), rtol=1e-6)


@pytest.mark.cuda_emulated
def test_rows_of_the_host_go_to_the_table():
    gpu = install()
    y, rows = embedding.forward(np.array([1.0, 3.0]), gpu.from_host(TABLE))
    np.testing.assert_array_equal(gpu.to_host(y), TABLE[[1, 3]])
    assert kernels.device_of(rows) == gpu.name


def test_refusals():
    for number in (-1.0, 4.0, np.nan, 1e30):
        with pytest.raises(DataError, match="the table has the rows 0 to 3"):
            embedding.forward(np.array([0.0, number]), TABLE)
    with pytest.raises(ShapeError, match=r"w must be \(V,E\)"):
        embedding.forward(np.zeros(1), TABLE[0])
    with pytest.raises(ShapeError, match=r"dy must be \(2, 'E'\)"):
        embedding.backward(np.array([0, 1]), TABLE, 4)
    with pytest.raises(DTypeError):
        embedding.forward(np.zeros(1), np.zeros((2, 3), np.int64))
