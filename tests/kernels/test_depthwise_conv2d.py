"""depthwise_conv2d: what it is among convolutions, the epilogue, non-finite numbers, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import depthwise_conv2d as depthwise_cases

from minicnn import kernels
from minicnn.errors import DTypeError, ShapeError, UnsupportedError
from minicnn.kernels import conv2d, depthwise_conv2d

RUNGS = kernels.rungs("depthwise_conv2d")


@given(case=depthwise_cases.cases())
def test_is_a_convolution_with_a_group_for_each_channel(case):
    x, w, dy, options = case["x"], case["w"], case["dy"], case["options"]
    channels, multiplier = w.shape[2:]
    grouped = w.reshape(*w.shape[:2], 1, channels * multiplier)
    if max(options["strides"]) > 1 and max(options["dilation"]) > 1:
        options = {**options, "dilation": (1, 1)}
        if any(tap > size for tap, size in zip(w.shape[:2], x.shape[1:3])):
            options["padding"] = "same"
        dy = np.ones(depthwise_conv2d.forward(x, w, **options).shape)
    everything = {**options, "groups": channels}
    np.testing.assert_allclose(
        depthwise_conv2d.forward(x, w, **options), conv2d.forward(x, grouped, **everything), rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(
        depthwise_conv2d.backward_input(dy, w, x.shape, **options),
        conv2d.backward_input(dy, grouped, x.shape, **everything),
        rtol=1e-9,
        atol=1e-9,
    )
    np.testing.assert_allclose(
        depthwise_conv2d.backward_weights(x, dy, w.shape, **options).reshape(grouped.shape),
        conv2d.backward_weights(x, dy, grouped.shape, **everything),
        rtol=1e-9,
        atol=1e-9,
    )


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("activation", ["sigmoid", "swish", "tanh"])
def test_activations_that_stay_outside_the_loops(activation, rung):
    x, w = np.full((1, 3, 7, 16), 0.5, np.float32), np.ones((1, 1, 16, 1), np.float32)
    y = depthwise_conv2d.forward(x, w, activation=activation, rung=rung)
    np.testing.assert_allclose(y, kernels.activation.forward(x, activation), rtol=1e-6)


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("activation", [None, "relu", "relu6"])
def test_nan_and_infinity_stay_in_their_channel(activation, rung):
    x, w = np.ones((1, 9, 9, 21), np.float32), np.ones((3, 3, 21, 1), np.float32)
    x[0, 4, 4, 2], x[0, 4, 4, 19] = np.nan, np.inf
    y = depthwise_conv2d.forward(x, w, activation=activation, rung=rung)
    seen = y[0, 2:5, 2:5]
    assert np.isnan(seen[..., 2]).all()
    assert (seen[..., 19] == (6 if activation == "relu6" else np.inf)).all()
    seen[..., 2] = seen[..., 19] = 6 if activation == "relu6" else 9
    assert (y == (6 if activation == "relu6" else 9)).all()


@pytest.mark.parametrize("rung", RUNGS)
@given(side=st.integers(1, 9), taps=st.integers(1, 5), stride=st.integers(1, 3))
def test_pixels_outside_the_image_are_not_multiplied(rung, side, taps, stride):
    """An infinite weight meets no zero of padding, which would make a NaN."""
    x, w = np.ones((1, side, side + 18, 17), np.float32), np.full((taps, taps, 17, 1), np.inf, np.float32)
    assert (depthwise_conv2d.forward(x, w, strides=stride, padding="same", rung=rung) == np.inf).all()


def test_refusals():
    x, w = np.zeros((1, 5, 5, 3)), np.zeros((3, 3, 3, 2))
    with pytest.raises(ShapeError, match=r"w \(KH,KW,C,M\)"):
        depthwise_conv2d.forward(x, w[:, :, :2])
    with pytest.raises(ShapeError, match=r"bias must have shape \(6,\)"):
        depthwise_conv2d.forward(x, w, np.zeros(3))
    with pytest.raises(ShapeError, match="does not fit"):
        depthwise_conv2d.forward(x, w, dilation=3)
    with pytest.raises(ShapeError, match="dy must have"):
        depthwise_conv2d.backward_weights(x, np.zeros((1, 3, 3, 3)), w.shape)
    with pytest.raises(DTypeError, match="one float dtype"):
        depthwise_conv2d.forward(x, w.astype(np.float32))
    with pytest.raises(DTypeError, match="compiled for float32"):
        depthwise_conv2d.forward(x, w, rung="v3_vector")


@pytest.mark.parametrize(
    ("size", "channels", "options"),
    [((9, 6), 16, {}), ((9, 9), 16, {"dilation": (1, 2)}), ((9, 9), 16, {"padding": (0, 3)})],
)
def test_v4_columns_does_what_fits_it_and_refuses_the_rest(size, channels, options):
    x, w = np.ones((1, *size, channels), np.float32), np.ones((3, 3, channels, 1), np.float32)
    options = {"padding": "same", **options}
    with pytest.raises(UnsupportedError, match="v4_columns"):
        depthwise_conv2d.forward(x, w, **options, rung="v4_columns")
    with kernels.record() as calls:
        depthwise_conv2d.forward(x, w, **options)
        depthwise_conv2d.forward(np.ones((1, 9, 9, 16), np.float32), np.ones((3, 3, 16, 1), np.float32), padding=1)
    assert [rung for _, _, rung in calls] == ["v3_vector", "v4_columns"]


def test_v4_columns_is_for_whole_vectors_where_it_is_not_asked_for():
    x, w = np.ones((1, 9, 9, 15), np.float32), np.ones((3, 3, 15, 1), np.float32)
    with kernels.record() as calls:
        y = depthwise_conv2d.forward(x, w)
    assert [rung for _, _, rung in calls] == ["v3_vector"]
    np.testing.assert_array_equal(depthwise_conv2d.forward(x, w, rung="v4_columns"), y)
