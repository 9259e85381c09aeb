"""batchnorm and layernorm: agreement with Keras, empty batches, far means, NaN, refusals."""

import numpy as np
import pytest
from oracles import assert_golden, golden_ops

from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.kernels import activation, batchnorm, layernorm

RUNGS = ["reference", "v1_numpy", "v2_chunks"]
FLOAT64 = ["reference", "v1_numpy"]


def names(value):
    return value.get("name", "")


def assert_gradients(gradients, arrays, case):
    """dx, dgamma and dbeta are Keras', as far as the layer has them."""
    for name, gradient in zip(("dx", "dgamma", "dbeta"), gradients):
        if name in arrays:
            assert_golden(gradient, arrays[name], case)


@pytest.mark.numpy_only
@pytest.mark.parametrize("rung", FLOAT64)
@pytest.mark.parametrize(("case", "arrays"), golden_ops("batch_norm_train"), ids=names)
def test_training_agrees_with_keras(case, arrays, rung):
    x, gamma, beta = arrays["x"], arrays.get("gamma"), arrays.get("beta")
    y, mean, variance, inverse_std = batchnorm.forward_train(x, gamma, beta, case["epsilon"], rung=rung)
    assert_golden(y, arrays["y"], case)
    keep = case["momentum"]
    assert_golden(keep * arrays["mean0"] + (1 - keep) * mean, arrays["mean1"], case)
    assert_golden(keep * arrays["var0"] + (1 - keep) * variance, arrays["var1"], case)
    gradients = batchnorm.backward_train(x, arrays["dy"], gamma, mean, inverse_std, rung=rung)
    assert_gradients(gradients, arrays, case)


@pytest.mark.numpy_only
@pytest.mark.parametrize("rung", FLOAT64)
@pytest.mark.parametrize(("case", "arrays"), golden_ops("batch_norm_infer"), ids=names)
def test_inference_agrees_with_keras(case, arrays, rung):
    x, gamma, mean, variance = arrays["x"], arrays.get("gamma"), arrays["mean"], arrays["var"]
    scale, shift = batchnorm.fold(gamma, arrays.get("beta"), mean, variance, case["epsilon"])
    assert_golden(batchnorm.forward_infer(x, scale, shift, rung=rung), arrays["y"], case)
    gradients = batchnorm.backward_infer(x, arrays["dy"], gamma, mean, variance, case["epsilon"], rung=rung)
    assert_gradients(gradients, arrays, case)


@pytest.mark.numpy_only
@pytest.mark.parametrize("rung", FLOAT64)
@pytest.mark.parametrize(("case", "arrays"), golden_ops("layer_norm"), ids=names)
def test_layer_norm_agrees_with_keras(case, arrays, rung):
    x, gamma = arrays["x"], arrays["gamma"]
    y, mean, inverse_std = layernorm.forward(x, gamma, arrays["beta"], case["epsilon"], rung=rung)
    assert_golden(y, arrays["y"], case)
    gradients = layernorm.backward(x, arrays["dy"], gamma, mean, inverse_std, rung=rung)
    for name, gradient in zip(("dx", "dgamma", "dbeta"), gradients):
        assert_golden(gradient, arrays[name], case)


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (None, [-2, 2, 9, np.nan]),
        ("relu", [0, 2, 9, np.nan]),
        ("relu6", [0, 2, 6, np.nan]),
        ("leaky_relu", [-0.4, 2, 9, np.nan]),
    ],
)
def test_an_activation_comes_after_the_shift(rung, activation, expected):
    x, scale, shift = np.array([[-1.5], [0.5], [4], [np.nan]], np.float32), np.full(1, 2.0), np.full(1, 1.0)
    y = batchnorm.forward_infer(x, scale.astype(x.dtype), shift.astype(x.dtype), activation=activation, rung=rung)
    np.testing.assert_allclose(y[:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("name", ["relu", "relu6"])
def test_the_gradient_at_and_beyond_the_limits_is_that_of_the_activation_alone(rung, name):
    y, dy = (np.float32(v) for v in ([-1, -0.0, 0, 2, 6, 7, np.nan, np.inf, -np.inf], [3, np.nan, -np.inf]))
    x, dy = np.repeat(y, len(dy))[:, None], np.tile(dy, len(y))[:, None]
    mean, variance = np.zeros(1, x.dtype), np.ones(1, x.dtype)  # so that y is x
    with np.errstate(invalid="ignore"):
        before = activation.backward(x, x, dy, name)
    expected = batchnorm.backward_infer(x, before, None, mean, variance, 0.0, rung=rung)
    found = batchnorm.backward_infer(x, dy, None, mean, variance, 0.0, activation=name, rung=rung)
    for gradient, other in zip(found, expected):
        np.testing.assert_array_equal(gradient, other)


@pytest.mark.parametrize("rung", ["v1_numpy", "v2_chunks"])
@pytest.mark.parametrize("name", ["relu", "relu6"])
@pytest.mark.parametrize("shape", [(8, 3), (2, 33, 17, 70)])
def test_training_with_an_activation_gives_the_bits_of_both_operations(rung, name, shape):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, *shape)).astype(np.float32)
    gamma, beta = (4 * rng.standard_normal((2, shape[-1]))).astype(np.float32)
    x[-1, ..., 1], dy[..., 0] = np.nan, dy[..., 0] * np.inf
    plain, *statistics = batchnorm.forward_train(x, gamma, beta, rung=rung)
    mean, _, inverse_std = statistics
    y = activation.forward(plain, name)
    np.testing.assert_array_equal(batchnorm.forward_train(x, gamma, beta, activation=name, rung=rung)[0], y)
    with np.errstate(invalid="ignore"):
        before = activation.backward(y, y, dy, name)
    expected = batchnorm.backward_train(x, before, gamma, mean, inverse_std, rung=rung)
    found = batchnorm.backward_train(x, dy, gamma, mean, inverse_std, beta=beta, activation=name, rung=rung)
    for gradient, other in zip(found, expected):
        np.testing.assert_array_equal(gradient, other)


@pytest.mark.parametrize("rung", RUNGS)
def test_an_empty_batch_has_mean_and_variance_zero(rung):
    x = np.zeros((0, 4, 4, 3), np.float32)
    y, mean, variance, inverse_std = batchnorm.forward_train(x, epsilon=0.25, rung=rung)
    assert y.shape == x.shape
    np.testing.assert_array_equal([mean, variance, inverse_std], [[0] * 3, [0] * 3, [2] * 3])
    dx, dgamma, dbeta = batchnorm.backward_train(x, x, None, mean, inverse_std, rung=rung)
    assert dx.shape == x.shape
    np.testing.assert_array_equal([dgamma, dbeta], np.zeros((2, 3)))


@pytest.mark.parametrize("rung", RUNGS)
def test_a_mean_far_from_zero_leaves_the_variance_exact(rung):
    rng = np.random.default_rng(0)
    x = (rng.integers(0, 16, (20_000, 3)) + 4096).astype(np.float32)
    _, mean, variance, _ = batchnorm.forward_train(x, rung=rung)
    np.testing.assert_allclose(mean, x.mean(axis=0, dtype=np.float64), rtol=2e-7)
    np.testing.assert_allclose(variance, x.var(axis=0, dtype=np.float64), rtol=1e-4)


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_spoils_its_channel_alone(rung, bad):
    x = np.random.default_rng(0).standard_normal((9, 70)).astype(np.float32)
    x[5, 3] = bad
    others = np.arange(70) != 3
    y, mean, variance, inverse_std = batchnorm.forward_train(x, rung=rung)
    assert np.isnan(y[:, 3]).all()
    assert np.isfinite(y[:, others]).all()
    assert not np.isfinite(mean[3])
    assert np.isnan(variance[3])
    dx, dgamma, dbeta = batchnorm.backward_train(x, x, None, mean, inverse_std, rung=rung)
    assert np.isnan(dx[:, 3]).all()
    assert np.isnan(dgamma[3])
    assert np.isfinite([dgamma[others], dbeta[others]]).all()


@pytest.mark.parametrize("rung", RUNGS)
def test_constant_channels_become_beta(rung):
    x = np.full((4, 5, 2), 7, np.float32)
    beta = np.array([1, -2], np.float32)
    y, _, variance, _ = batchnorm.forward_train(x, None, beta, rung=rung)
    np.testing.assert_array_equal(variance, 0)
    np.testing.assert_allclose(y, np.broadcast_to(beta, y.shape), atol=1e-4)


@pytest.mark.numpy_only
def test_fold_is_exact_in_float64_and_keeps_the_dtype():
    gamma, beta, mean, variance = np.random.default_rng(0).uniform(0.5, 2, (4, 50)).astype(np.float32)
    scale, shift = batchnorm.fold(gamma, beta, mean, variance, 1e-3)
    assert scale.dtype == shift.dtype == np.float32
    exact = gamma / np.sqrt(variance.astype(np.float64) + 1e-3)
    np.testing.assert_array_equal(scale, exact.astype(np.float32))
    np.testing.assert_array_equal(shift, (beta - mean * exact).astype(np.float32))


def test_refusals():
    x = np.zeros((2, 3))
    with pytest.raises(ShapeError, match="at least two axes"):
        batchnorm.forward_train(np.zeros(3))
    with pytest.raises(ShapeError, match=r"gamma must have shape \(3,\), it has \(2,\)"):
        batchnorm.forward_train(x, np.zeros(2))
    with pytest.raises(ShapeError, match="one shape"):
        batchnorm.backward_train(x, np.zeros((3, 3)), None, np.zeros(3), np.zeros(3))
    with pytest.raises(DTypeError, match="scale float32"):
        batchnorm.forward_infer(x, np.zeros(3, np.float32), np.zeros(3))
    with pytest.raises(ArgumentError, match="'tanh' may not"):
        batchnorm.forward_train(x, activation="tanh")
    with pytest.raises(ShapeError, match="beta"):
        layernorm.forward(x, None, np.zeros(2))
    with pytest.raises(ShapeError, match="inverse_std"):
        layernorm.backward(x, x, None, np.zeros((2, 1)), np.zeros(2))
