"""batchnorm and layernorm on a GPU: empty batches, far means, NaN, limits of activations, long rows."""

import numpy as np
import pytest
from cuda_extremes import cuda_rungs, emulated
from emulator.device import install
from rung_cases import BOUND

from minicnn import kernels
from minicnn.kernels import activation, batchnorm, layernorm

pytestmark = pytest.mark.cuda_emulated
FORWARD, BACKWARD = cuda_rungs("batchnorm", "forward_train"), cuda_rungs("batchnorm", "backward_train")


@pytest.mark.parametrize("rung", FORWARD)
def test_an_empty_batch_has_mean_and_variance_zero(rung):
    x = np.zeros((0, 4, 4, 3), np.float32)
    y, *statistics = emulated(batchnorm.forward_train, x, None, None, 0.25, rung=rung)
    assert y.shape == x.shape
    np.testing.assert_array_equal(statistics, [[0] * 3, [0] * 3, [2] * 3])


@pytest.mark.parametrize("rung", cuda_rungs("batchnorm", "backward_train", "backward_infer"))
def test_an_empty_batch_has_no_gradients(rung):
    x, ones = np.zeros((0, 4, 4, 3), np.float32), np.ones(3, np.float32)
    _, dgamma, dbeta = emulated(batchnorm.backward_train, x, x, None, ones, ones, rung=rung)
    np.testing.assert_array_equal([dgamma, dbeta], np.zeros((2, 3)))
    _, dgamma, dbeta = emulated(batchnorm.backward_infer, x, x, None, ones, ones, 1e-3, rung=rung)
    np.testing.assert_array_equal([dgamma, dbeta], np.zeros((2, 3)))


@pytest.mark.parametrize("rung", FORWARD)
def test_a_mean_far_from_zero_leaves_the_variance_exact(rung):
    x = (np.random.default_rng(0).integers(0, 16, (20_000, 3)) + 4096).astype(np.float32)
    _, mean, variance, _ = emulated(batchnorm.forward_train, x, rung=rung)
    np.testing.assert_allclose(mean, x.mean(axis=0, dtype=np.float64), rtol=2e-7)
    np.testing.assert_allclose(variance, x.var(axis=0, dtype=np.float64), rtol=1e-5)


@pytest.mark.parametrize("rung", FORWARD)
def test_constant_channels_become_beta(rung):
    x, beta = np.full((4, 5, 2), 7, np.float32), np.array([1, -2], np.float32)
    y, _, variance, _ = emulated(batchnorm.forward_train, x, None, beta, rung=rung)
    np.testing.assert_array_equal(variance, 0)
    np.testing.assert_allclose(y, np.broadcast_to(beta, y.shape), atol=1e-4)


@pytest.mark.parametrize("rung", FORWARD)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("row", [0, 5])
def test_nan_spoils_its_channel_alone(rung, bad, row):
    x = np.random.default_rng(0).standard_normal((9, 72)).astype(np.float32)
    x[row, 3] = bad
    others = np.arange(72) != 3
    y, mean, variance, _ = emulated(batchnorm.forward_train, x, rung=rung)
    assert np.isnan(y[:, 3]).all()
    assert np.isfinite(y[:, others]).all()
    assert not np.isfinite(mean[3])
    assert np.isnan(variance[3])


@pytest.mark.parametrize("rung", BACKWARD)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_spoils_the_gradients_of_its_channel_alone(rung, bad):
    x = np.random.default_rng(0).standard_normal((9, 72)).astype(np.float32)
    x[5, 3] = bad
    others = np.arange(72) != 3
    with np.errstate(invalid="ignore"):
        _, mean, _, inverse_std = batchnorm.forward_train(x, rung="v1_numpy")
    dx, dgamma, dbeta = emulated(batchnorm.backward_train, x, x, None, mean, inverse_std, rung=rung)
    assert np.isnan(dx[:, 3]).all()
    assert np.isnan(dgamma[3])
    assert np.isfinite([dgamma[others], dbeta[others]]).all()


@pytest.mark.parametrize("rung", cuda_rungs("batchnorm", "backward_infer"))
@pytest.mark.parametrize("name", ["relu", "relu6"])
def test_the_gradient_at_and_beyond_the_limits_is_that_of_the_activation_alone(rung, name):
    y, dy = (np.float32(v) for v in ([-1, -0.0, 0, 2, 6, 7, np.nan, np.inf, -np.inf], [3, np.nan, -np.inf]))
    x, dy = np.repeat(y, len(dy))[None], np.tile(dy, len(y))[None]  # each in a channel of its own
    mean, variance = np.zeros((2, x.size), x.dtype)
    variance += 1  # so that y is x
    with np.errstate(invalid="ignore"):
        before = activation.backward(x, x, dy, name)
    expected = emulated(batchnorm.backward_infer, x, before, None, mean, variance, 0.0, rung=rung)
    found = emulated(batchnorm.backward_infer, x, dy, None, mean, variance, 0.0, activation=name, rung=rung)
    for gradient, other in zip(found, expected):
        np.testing.assert_array_equal(gradient, other)


@pytest.mark.parametrize("rung", cuda_rungs("batchnorm", "forward_train", "backward_train"))
@pytest.mark.parametrize("name", ["relu", "relu6"])
@pytest.mark.parametrize("shape", [(8, 3), (2, 9, 5, 72)])
def test_training_with_an_activation_gives_the_bits_of_both_operations(rung, name, shape):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, *shape)).astype(np.float32)
    gamma, beta = (4 * rng.standard_normal((2, shape[-1]))).astype(np.float32)
    x[-1, ..., 1], dy[..., 0] = np.nan, dy[..., 0] * np.inf
    plain, mean, _, inverse_std = emulated(batchnorm.forward_train, x, gamma, beta, rung=rung)
    y = activation.forward(plain, name)
    found, *_ = emulated(batchnorm.forward_train, x, gamma, beta, activation=name, rung=rung)
    np.testing.assert_array_equal(found, y)
    with np.errstate(invalid="ignore"):
        before = activation.backward(y, y, dy, name)
    statistics = gamma, mean, inverse_std
    expected = emulated(batchnorm.backward_train, x, before, *statistics, rung=rung)
    found = emulated(batchnorm.backward_train, x, dy, *statistics, beta=beta, activation=name, rung=rung)
    for gradient, other in zip(found, expected):
        np.testing.assert_array_equal(gradient, other)


@pytest.mark.parametrize("rung", cuda_rungs("batchnorm", "forward_infer"))
def test_inference_may_write_in_place(rung):
    device = install("checked")
    x, scale, shift = np.float32([[1, -2, 3, 4]] * 5), np.full(4, 2, np.float32), np.ones(4, np.float32)
    there = device.from_host(x)
    arrays = there, device.from_host(scale), device.from_host(shift)
    assert batchnorm.forward_infer(*arrays, activation="relu6", rung=rung, out=there) is there
    np.testing.assert_array_equal(there.get(), np.clip(x * 2 + 1, 0, 6))


@pytest.mark.parametrize("rung", cuda_rungs("layernorm", "forward", "backward"))
def test_nan_spoils_its_row_alone(rung):
    x = np.random.default_rng(0).standard_normal((3, 70)).astype(np.float32)
    x[1, 33] = np.nan
    y, mean, inverse_std = emulated(layernorm.forward, x, rung=rung)
    assert np.isnan(y[1]).all()
    assert np.isfinite(y[[0, 2]]).all()
    dx, dgamma, _ = emulated(layernorm.backward, x, x, None, mean, inverse_std, rung=rung)
    assert np.isnan(dx[1]).all()
    assert np.isfinite(dx[[0, 2]]).all()
    assert np.isnan(dgamma).all()


@pytest.mark.parametrize("order", [0, 1, 7])
def test_long_rows_go_to_blocks(order):
    x = np.random.default_rng(0).uniform(63, 65, (3, 9_000)).astype(np.float32)
    with kernels.record() as calls:
        y, mean, inverse_std = emulated(layernorm.forward, x, order=order)
        dx, dgamma, dbeta = emulated(layernorm.backward, x, y, None, mean, inverse_std, order=order)
    assert {rung for _, _, rung in calls} == {"v3_blocks"}
    exact = x.astype(np.float64)
    expected, *_ = layernorm.forward(exact, rung="v1_numpy")
    np.testing.assert_allclose(mean[:, 0], exact.mean(axis=1), rtol=BOUND)
    np.testing.assert_allclose(y, expected, atol=256 * BOUND)
    np.testing.assert_allclose(dbeta, y.sum(axis=0, dtype=np.float64), atol=8 * BOUND)
    np.testing.assert_allclose(dgamma, np.square(y).sum(axis=0, dtype=np.float64), rtol=1e-4)
    assert np.abs(dx).max() < 0.01  # y is its own normal: through the statistics next to nothing of it is left
