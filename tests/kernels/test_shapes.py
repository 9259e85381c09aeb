"""Operations that move or repeat numbers: padding, cropping, upsampling, concatenation, dropout."""

import numpy as np
import pytest
from oracles import assert_golden, golden_ops

from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.kernels import concatenate, dropout, pad2d, upsample2d


def names(value):
    return value.get("name", "") if isinstance(value, dict) else ""


def as_tuple(value):
    return tuple(map(as_tuple, value)) if isinstance(value, list) else value


@pytest.mark.numpy_only
@pytest.mark.parametrize(("case", "arrays"), golden_ops("zero_padding2d"), ids=names)
def test_padding_agrees_with_keras(case, arrays):
    sides = as_tuple(case["padding"])
    assert_golden(pad2d.forward(arrays["x"], sides), arrays["y"], case)
    assert_golden(pad2d.backward(arrays["dy"], sides), arrays["dx"], case)


@pytest.mark.numpy_only
@pytest.mark.parametrize(("case", "arrays"), golden_ops("cropping2d"), ids=names)
def test_cropping_agrees_with_keras(case, arrays):
    sides = as_tuple(case["cropping"])
    assert_golden(pad2d.backward(arrays["x"], sides), arrays["y"], case)
    assert_golden(pad2d.forward(arrays["dy"], sides), arrays["dx"], case)


@pytest.mark.numpy_only
@pytest.mark.parametrize("rung", ["reference", "v1_numpy"])
@pytest.mark.parametrize(("case", "arrays"), golden_ops("upsampling2d"), ids=names)
def test_upsampling_agrees_with_keras(case, arrays, rung):
    options = as_tuple(case["size"]), case["interpolation"]
    assert_golden(upsample2d.forward(arrays["x"], *options, rung=rung), arrays["y"], case)
    assert_golden(upsample2d.backward(arrays["dy"], *options, rung=rung), arrays["dx"], case)


@pytest.mark.parametrize("rung", ["reference", "v1_numpy", "v2_gather"])
@pytest.mark.parametrize(("interpolation", "touched"), [("nearest", 2), ("bilinear", 4)])
def test_nan_reaches_only_the_outputs_that_see_it(rung, interpolation, touched):
    x = np.zeros((1, 5, 5, 2), np.float32)
    x[0, 2, 2, 0] = np.nan
    y = upsample2d.forward(x, 2, interpolation, rung=rung)
    assert np.isnan(y).sum() == touched**2
    assert not np.isnan(y[..., 1]).any()
    dy = np.zeros((1, 10, 10, 2), np.float32)
    dy[0, 5, 5, 0] = np.inf
    dx = upsample2d.backward(dy, 2, interpolation, rung=rung)
    assert np.isinf(dx).sum() == (touched // 2) ** 2
    assert not np.isnan(dx).any()


def test_upsampling_by_one_changes_nothing():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)
    for interpolation in upsample2d.INTERPOLATIONS:
        for rung in ("reference", "v1_numpy", "v2_gather"):
            np.testing.assert_array_equal(upsample2d.forward(x, 1, interpolation, rung=rung), x)


def test_a_gradient_that_was_cut_is_contiguous_and_its_own():
    dy = np.arange(12.0).reshape(2, 6)
    first, second = concatenate.backward(dy, [2, 4])
    assert first.flags.c_contiguous
    assert second.flags.c_contiguous
    assert not np.shares_memory(second, dy)


@pytest.mark.numpy_only
def test_dropout_keeps_the_mean_and_follows_its_generator():
    x = np.ones((100, 100), np.float32)
    y, mask = dropout.forward(x, 0.3, np.random.default_rng(1))
    again, _ = dropout.forward(x, 0.3, np.random.default_rng(1))
    np.testing.assert_array_equal(y, again)
    np.testing.assert_array_equal(y, mask / np.float32(0.7))
    assert abs(mask.mean() - 0.7) < 5 * np.sqrt(0.3 * 0.7 / x.size)


def test_dropout_of_nothing_and_of_all():
    x = np.full((3, 4), 5.0)
    np.testing.assert_array_equal(dropout.forward(x, 0.0, np.random.default_rng(0))[0], x)
    np.testing.assert_array_equal(dropout.forward(x, 1.0, np.random.default_rng(0))[0], 0)


@pytest.mark.numpy_only
def test_noise_shape_shares_the_mask():
    x = np.ones((8, 6, 6, 5))
    y, mask = dropout.forward(x, 0.5, np.random.default_rng(0), (None, 1, 1, None))
    assert mask.shape == (8, 1, 1, 5)
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1, :1], y.shape))
    assert 0 < mask.sum() < mask.size


def test_refusals():
    x = np.zeros((1, 4, 4, 2))
    with pytest.raises(ShapeError, match="cannot be taken off"):
        pad2d.backward(x, 3)
    with pytest.raises(ShapeError, match=r"\(N,H,W,C\)"):
        pad2d.forward(np.zeros((4, 4)), 1)
    with pytest.raises(ArgumentError):
        pad2d.forward(x, -1)
    with pytest.raises(ArgumentError, match="'nearest' or 'bilinear'"):
        upsample2d.forward(x, 2, "cubic")
    with pytest.raises(ArgumentError):
        upsample2d.forward(x, 0)
    with pytest.raises(ShapeError, match="enlarged"):
        upsample2d.backward(x, 3)
    with pytest.raises(ShapeError, match="along axis 3 only"):
        concatenate.forward([x, np.zeros((1, 4, 3, 2))])
    with pytest.raises(ArgumentError, match="axis 4"):
        concatenate.forward([x], 4)
    with pytest.raises(ArgumentError, match="at least one"):
        concatenate.forward([])
    with pytest.raises(DTypeError, match="array 1 float32"):
        concatenate.forward([x, x.astype(np.float32)])
    with pytest.raises(ShapeError, match="make up"):
        concatenate.backward(x, [1, 2])
    with pytest.raises(ArgumentError, match="from 0 to 1"):
        dropout.forward(x, 1.5, np.random.default_rng(0))
    with pytest.raises(ShapeError, match="noise_shape"):
        dropout.forward(x, 0.5, np.random.default_rng(0), (1, 3, 1, 1))
