"""softmax and its cross-entropy on a GPU: extremes, NaN, long rows, in place."""

import numpy as np
import pytest
from cuda_extremes import cuda_rungs, emulated
from emulator.device import install
from rung_cases import BOUND

from minicnn import kernels
from minicnn.kernels import softmax, softmax_crossentropy

pytestmark = pytest.mark.cuda_emulated
every_rung = pytest.mark.parametrize("rung", cuda_rungs("softmax"))
of_the_loss = pytest.mark.parametrize("rung", cuda_rungs("softmax_crossentropy"))
BACKWARD = cuda_rungs("softmax", "backward")
LARGE_AND_EQUAL = np.float32([[1e4, 0, -1e4], [-3e38, -3e38, -3e38], [88, 89, 90]])


@every_rung
def test_logits_of_any_size_do_not_overflow(rung):
    x = np.concatenate([LARGE_AND_EQUAL, np.float32([[-3.4028235e38, 0, 3.4028235e38]])])
    y = emulated(softmax.forward, x, rung=rung)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(y[[0, 3]], [[1, 0, 0], [0, 0, 1]])
    assert np.isfinite(emulated(softmax.forward, x[:3], True, rung=rung)).all()


@of_the_loss
def test_the_loss_of_large_and_equal_logits(rung):
    loss, _ = emulated(softmax_crossentropy.forward, LARGE_AND_EQUAL, np.eye(3, dtype=np.float32), rung=rung)
    np.testing.assert_allclose(loss, [0, np.log(3), np.log1p(np.exp(-1) + np.exp(-2))], rtol=1e-6)


@every_rung
def test_minus_infinity_is_an_impossible_class(rung):
    for place in (0, 1, 2):
        x = np.zeros((1, 3), np.float32)
        x[0, place] = -np.inf
        possible = np.isfinite(x)
        np.testing.assert_array_equal(emulated(softmax.forward, x, rung=rung), possible / 2)
        assert emulated(softmax.forward, x, True, rung=rung)[0, place] == -np.inf


@of_the_loss
def test_an_impossible_class_takes_no_part_in_the_loss(rung):
    for place in (0, 1, 2):
        x = np.zeros((1, 3), np.float32)
        x[0, place] = -np.inf
        possible = np.isfinite(x)
        targets = (possible.cumsum() == 1)[None].astype(np.float32) * possible
        loss, _ = emulated(softmax_crossentropy.forward, x, targets, rung=rung)
        np.testing.assert_allclose(loss, np.log(2), rtol=1e-6)


@every_rung
def test_a_row_without_a_possible_class_is_nan(rung):
    x = np.full((2, 70), -np.inf, np.float32)
    x[1, 69] = 3
    y = emulated(softmax.forward, x, rung=rung)
    assert np.isnan(y[0]).all()
    assert np.isnan(emulated(softmax.forward, x, True, rung=rung)[0]).all()
    assert y[1, 69] == 1


@every_rung
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 1, 70])
def test_nan_and_infinity_spoil_their_row_alone(rung, bad, place):
    x = np.zeros((2, 71), np.float32)
    x[0, place] = bad
    for log in (False, True):
        y = emulated(softmax.forward, x, log, rung=rung)
        assert np.isnan(y[0]).all()
        assert np.isfinite(y[1]).all()


@of_the_loss
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 1, 70])
def test_nan_and_infinity_spoil_the_loss_of_their_row_alone(rung, bad, place):
    x = np.zeros((2, 71), np.float32)
    x[0, place] = bad
    targets = np.full_like(x, 1 / 71)
    loss, p = emulated(softmax_crossentropy.forward, x, targets, rung=rung)
    assert np.isnan(loss[0])
    assert np.isnan(p[0]).all()
    assert np.isfinite(loss[1])


@pytest.mark.parametrize("rung", BACKWARD)
@pytest.mark.parametrize("place", [0, 1, 70])
def test_a_gradient_of_nan_spoils_its_row_alone(rung, place):
    dy, p = np.zeros((2, 71), np.float32), np.full((2, 71), 1 / 71, np.float32)
    dy[0, place] = np.nan
    for log in (False, True):
        dx = emulated(softmax.backward, p, dy, log, rung=rung)
        assert np.isnan(dx[0]).all()
        assert np.isfinite(dx[1]).all()


@every_rung
@pytest.mark.parametrize("count", [70, 2_000])
def test_softmax_writes_in_place(rung, count):
    device = install("checked")
    x = np.linspace(-3, 3, 3 * count, dtype=np.float32).reshape(3, count)
    expected = softmax.forward(device.from_host(x), rung=rung).get()
    there = device.from_host(x)
    assert softmax.forward(there, rung=rung, out=there) is there
    np.testing.assert_array_equal(there.get(), expected)


@pytest.mark.parametrize("count", [1_025, 9_000])
@pytest.mark.parametrize("order", [0, 1, 7])
def test_long_rows(count, order):
    rng = np.random.default_rng(0)
    x, dy = rng.uniform(-8, 8, (2, 2, count)).astype(np.float32)
    targets = rng.uniform(0, 1, x.shape).astype(np.float32)
    size = (x.max(axis=1, keepdims=True) - x).astype(np.float64)
    with kernels.record() as calls:
        y = emulated(softmax.forward, x, order=order)
        dx = emulated(softmax.backward, y, dy, order=order)
        loss, p = emulated(softmax_crossentropy.forward, x, targets, order=order)
    assert {rung for _, _, rung in calls} == {"v4_online", "v3_blocks"}
    exact = softmax.forward(x.astype(np.float64), rung="v1_numpy")
    spread = (exact * size).sum(axis=1, keepdims=True)
    assert np.all(np.abs(y - exact) <= BOUND * exact * (1 + size + spread))
    np.testing.assert_array_equal(p, y)
    terms = np.abs(dy) + (np.abs(dy) * y).sum(axis=1, keepdims=True)
    assert np.all(np.abs(dx - softmax.backward(*(a.astype(np.float64) for a in (y, dy)))) <= BOUND * y * terms)
    exact_loss, _ = softmax_crossentropy.forward(x.astype(np.float64), targets.astype(np.float64))
    assert np.all(np.abs(loss - exact_loss) <= BOUND * (targets * (2 * size + spread + 1)).sum(axis=1))


def test_short_rows_go_to_warps():
    x = np.zeros((3, 10), np.float32)
    with kernels.record() as calls:
        emulated(softmax_crossentropy.backward, x, x, np.zeros(3, np.float32))
    assert calls == [("softmax_crossentropy", "backward", "v2_warps")]
