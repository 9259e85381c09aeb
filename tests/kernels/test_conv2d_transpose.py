"""conv2d_transpose: output sizes, what it is to conv2d, what is recorded, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import conv2d_transpose as transpose_cases

from minicnn import kernels
from minicnn.errors import ArgumentError, ShapeError
from minicnn.kernels import conv2d, conv2d_transpose
from minicnn.kernels.conv2d_transpose import output_size


@given(size=st.integers(1, 9), taps=st.integers(1, 7), stride=st.integers(1, 4))
def test_a_convolution_of_the_output_has_the_size_of_the_input(size, taps, stride):
    for padding in ("valid", "same"):
        outputs = output_size(size, taps, stride, padding)
        back = conv2d.forward(
            np.zeros((1, outputs, outputs, 1)), np.zeros((taps, taps, 1, 1)), strides=stride, padding=padding
        )
        assert back.shape == (1, size, size, 1)


@given(case=transpose_cases.cases())
def test_is_the_adjoint_of_its_backward_input(case):
    """<y, dy> = <x, dx> for the map without bias."""
    x, w, dy, options = case["x"], case["w"], case["dy"], case["options"]
    y = conv2d_transpose.forward(x, w, **options)
    dx = conv2d_transpose.backward_input(dy, w, x.shape, **options)
    assert np.vdot(y, dy) == pytest.approx(np.vdot(x, dx), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("rung", [None, *kernels.rungs("conv2d_transpose")])
def test_record_names_the_operation_and_not_what_it_is_made_of(rung):
    x, w = np.ones((1, 3, 3, 2), np.float32), np.ones((3, 3, 4, 2), np.float32)
    with kernels.record() as calls:
        y = conv2d_transpose.forward(x, w, rung=rung)
        conv2d_transpose.backward_input(y, w, x.shape, rung=rung)
    assert [call[:2] for call in calls] == [("conv2d_transpose", "forward"), ("conv2d_transpose", "backward_input")]
    assert rung is None or {call[2] for call in calls} == {rung}


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("size", [1, 5, 14])
def test_the_default_is_right_for_many_channels(size, strides):
    """Where conv2d would take Winograd's rungs."""
    generator = np.random.default_rng(0)
    x, w = generator.standard_normal((2, size, size, 64), np.float32), generator.standard_normal((3, 3, 40, 64))
    bias, options = generator.standard_normal(40), {"strides": strides, "padding": "same"}
    found = conv2d_transpose.forward(x, w.astype(np.float32), bias.astype(np.float32), **options, activation="relu")
    expected = conv2d_transpose.forward(x.astype(np.float64), w, bias, **options, activation="relu")
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)
    dx = conv2d_transpose.backward_input(found, w.astype(np.float32), x.shape, **options)
    expected = conv2d_transpose.backward_input(found.astype(np.float64), w, x.shape, **options)
    assert np.linalg.norm(dx - expected) <= 1e-5 * np.linalg.norm(expected)


def test_an_image_is_computed_in_the_same_way_in_every_batch():
    generator = np.random.default_rng(0)
    for size in (2, 4, 7, 13):
        x, w = generator.standard_normal((9, size, size, 32), np.float32), np.ones((3, 3, 40, 32), np.float32)
        alone, together = (conv2d_transpose.forward(images, w, padding="same") for images in (x[4:5], x))
        np.testing.assert_array_equal(alone, together[4:5])


def test_refusals():
    x, w = np.zeros((1, 3, 3, 2)), np.zeros((3, 3, 4, 2))
    with pytest.raises(ShapeError, match=r"w \(KH,KW,F,C\)"):
        conv2d_transpose.forward(x, w.swapaxes(2, 3))
    with pytest.raises(ArgumentError, match="output_padding must be less than the stride 2"):
        conv2d_transpose.forward(x, w, strides=2, output_padding=2)
    with pytest.raises(ArgumentError, match="padding must be 'valid' or 'same'"):
        conv2d_transpose.forward(x, w, padding="full")
    with pytest.raises(ShapeError, match="leave no output"):
        conv2d_transpose.forward(x[:, :1, :1], np.zeros((2, 2, 4, 2)), padding="same", output_padding=0)
    with pytest.raises(ShapeError, match="dy must have"):
        conv2d_transpose.backward_input(np.zeros((1, 5, 5, 3)), w, x.shape)


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize(("size", "channels"), [(5, 3), (28, 32)])
def test_every_default_is_a_rung_that_there_is(strides, size, channels):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((1, size, size, channels)), rng.standard_normal((3, 3, channels, channels))
    options = {"strides": strides, "padding": "same"}
    y = conv2d_transpose.forward(x, w, **options)
    exact = y, conv2d_transpose.backward_input(y, w, x.shape, **options)
    exact += (conv2d_transpose.backward_weights(x, y, w.shape, **options),)
    x, w, y = (array.astype(np.float32) for array in (x, w, y))
    found = conv2d_transpose.forward(x, w, **options), conv2d_transpose.backward_input(y, w, x.shape, **options)
    found += (conv2d_transpose.backward_weights(x, y, w.shape, **options),)
    for a, b in zip(found, exact):
        assert np.linalg.norm(a - b) < 1e-5 * np.linalg.norm(b)
