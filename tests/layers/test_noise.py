"""Random layers: silent at inference, right on average, and decided by a seed."""

import numpy as np
import pytest

from minicnn import Tensor
from minicnn.layers import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    StochasticDepth,
)
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only
NOISE = [Dropout, AlphaDropout, SpatialDropout2D, GaussianDropout, GaussianNoise]


@pytest.mark.parametrize("cls", [*NOISE, StochasticDepth])
def test_inference_is_the_identity(cls):
    x = np.random.default_rng(0).standard_normal((2, 3, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(cls(0.5)(x).numpy(), x)


def test_dropout_zeroes_a_part_and_scales_the_rest():
    x = Tensor(np.full((100, 100), 2, np.float32), requires_grad=True)
    y = Dropout(0.25, seed=0)(x, training=True)
    kept = y.numpy() != 0
    np.testing.assert_allclose(y.numpy()[kept], 2 / 0.75, rtol=1e-6)
    assert 0.24 < 1 - kept.mean() < 0.26
    y.backward(np.ones(y.shape))
    np.testing.assert_allclose(x.grad.numpy(), kept / np.float32(0.75), rtol=1e-6)


def test_noise_shape_repeats_the_mask():
    y = Dropout(0.5, noise_shape=(None, 1, None), seed=0)(np.ones((50, 4, 5), np.float32), training=True).numpy()
    assert (y == y[:, :1]).all()
    assert (y != y[:, :, :1]).any()


def test_spatial_dropout_leaves_out_whole_channels():
    y = SpatialDropout2D(0.5, seed=0)(np.ones((20, 3, 4, 8), np.float32), training=True).numpy()
    assert (y == y[:, :1, :1]).all()
    assert 0.3 < (y == 0).mean() < 0.7
    assert (y[0] != y[1]).any()

    row = SpatialDropout1D(0.5, seed=0)(np.ones((20, 3, 8), np.float32), training=True).numpy()
    volume = SpatialDropout3D(0.5, seed=0)(np.ones((20, 2, 3, 4, 8), np.float32), training=True).numpy()
    assert (row == row[:, :1]).all()
    assert (volume == volume[:, :1, :1, :1]).all()
    assert 0.3 < (row == 0).mean() < 0.7
    assert 0.3 < (volume == 0).mean() < 0.7


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).standard_normal((200, 200)).astype(np.float32)
    y = AlphaDropout(0.25, seed=0)(x, training=True).numpy()
    values, counts = np.unique(y, return_counts=True)
    assert 0.24 < counts.max() / y.size < 0.26
    scale = (0.75 * (1 + 0.25 * 1.7580993408473766**2)) ** -0.5
    assert values[counts.argmax()] == pytest.approx(scale * 1.7580993408473766 * (0.25 - 1), rel=1e-5)
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02
    assert y.dtype == np.float32


def test_stochastic_depth_leaves_out_whole_samples():
    y = StochasticDepth(0.25)(np.ones((400, 3, 4, 2), np.float32), training=True).numpy()
    assert (y == y[:, :1, :1, :1]).all()
    assert 0.15 < (y == 0).mean() < 0.35
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.75], rtol=1e-6)


def test_gaussian_noise_and_dropout_have_their_variance():
    x = np.full((200, 200), 2, np.float32)
    added = GaussianNoise(0.5, seed=0)(x, training=True).numpy()
    times = GaussianDropout(0.2, seed=0)(x, training=True).numpy()
    assert abs(added.mean() - 2) < 0.02
    assert abs(added.std() - 0.5) < 0.02
    assert abs(times.mean() - 2) < 0.02
    assert abs(times.std() - 2 * 0.5) < 0.02
    assert added.dtype == times.dtype == np.float32


@pytest.mark.parametrize("cls", NOISE)
def test_seeds(cls):
    x = np.ones((4, 5, 5, 6), np.float32)

    def draws(layer) -> list[np.ndarray]:
        return [layer(x, training=True).numpy() for _ in range(2)]

    first, second = draws(cls(0.5, seed=7))
    assert (first != second).any()
    np.testing.assert_array_equal(draws(cls(0.5, seed=7)), [first, second])
    assert (draws(cls(0.5, seed=8))[0] != first).any()
    assert (draws(cls(0.5))[0] != draws(cls(0.5))[0]).any()
    set_random_seed(3)
    third = draws(cls(0.5))
    set_random_seed(3)
    np.testing.assert_array_equal(draws(cls(0.5)), third)
