"""Long sums on a GPU: they keep their digits where all terms have one sign, and their bits in any order of threads."""

import numpy as np
import pytest
from cuda_extremes import cuda_rungs, rungs_by_direction
from emulator.device import install
from rung_cases import BOUND

from minicnn.kernels import batchnorm, channel_sum, global_avgpool2d

pytestmark = pytest.mark.cuda_emulated
SHAPES = [(70_000, 1), (30_000, 3), (5_000, 24), (3_000, 144), (40, 2_050)]


def positive(shape: tuple[int, ...]) -> np.ndarray:
    """Numbers whose sums grow with every one of them."""
    return np.random.default_rng(0).uniform(0.5, 1.5, shape).astype(np.float32)


def assert_relative(found, expected, times: float = 1) -> None:
    """Within what rounding may do to sums of positive numbers."""
    np.testing.assert_allclose(found.get(), expected, rtol=times * BOUND, atol=0)


@pytest.mark.parametrize("rung", cuda_rungs("channel_sum"))
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_of_channels(rung, shape):
    x = positive(shape)
    found = [channel_sum.forward(install(order=order).from_host(x), rung=rung) for order in (0, 1, 7)]
    assert_relative(found[0], x.sum(axis=0, dtype=np.float64))
    assert all(np.array_equal(other.get(), found[0].get()) for other in found)


@pytest.mark.parametrize("rung", cuda_rungs("batchnorm", "forward_train"))
@pytest.mark.parametrize("shape", SHAPES)
def test_statistics_of_channels(rung, shape):
    x = positive(shape) + np.float32(64)
    found = [batchnorm.forward_train(install(order=order).from_host(x), rung=rung) for order in (0, 1, 7)]
    _, mean, variance, _ = found[0]
    assert_relative(mean, x.mean(axis=0, dtype=np.float64))
    assert_relative(variance, x.var(axis=0, dtype=np.float64), 16)
    for others in zip(*found):
        assert all(np.array_equal(other.get(), others[0].get()) for other in others)


@pytest.mark.parametrize("rung", cuda_rungs("batchnorm", "forward_train"))
def test_a_first_number_far_from_the_others_spoils_no_variance(rung):
    x = positive((3_000, 2))
    x[0] = 1000, -1000
    _, _, variance, _ = batchnorm.forward_train(install().from_host(x), rung=rung)
    assert_relative(variance, x.var(axis=0, dtype=np.float64), 16)


@pytest.mark.parametrize(("direction", "rung"), [p for p in rungs_by_direction("batchnorm") if "backward" in p[0]])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_of_channels(rung, direction, shape):
    device = install()
    x, zeros, ones = positive(shape), np.zeros(shape[1], np.float32), np.ones(shape[1], np.float32)
    x, mean, ones = (device.from_host(array) for array in (x, zeros, ones))
    if direction == "backward_train":
        _, dgamma, dbeta = batchnorm.backward_train(x, x, None, mean, ones, rung=rung)
    else:
        _, dgamma, dbeta = batchnorm.backward_infer(x, x, None, mean, ones, 0.0, rung=rung)
    assert_relative(dbeta, x.get().sum(axis=0, dtype=np.float64))
    assert_relative(dgamma, np.square(x.get(), dtype=np.float64).sum(axis=0))


@pytest.mark.parametrize("rung", ["v2_reduce", "v3_vector"])
@pytest.mark.parametrize("shape", [(1, 112, 112, 3), (2, 64, 64, 16), (1, 7, 7, 200)])
def test_means_of_images(rung, shape):
    x = positive(shape)
    found = [global_avgpool2d.forward(install(order=order).from_host(x), rung=rung) for order in (0, 1, 7)]
    assert_relative(found[0], x.mean(axis=(1, 2), dtype=np.float64))
    assert all(np.array_equal(other.get(), found[0].get()) for other in found)
