"""Grouped convolutions in files from the time when Keras computed them by a depthwise one and a sum."""

import h5py
import numpy as np
import pytest

from minicnn.errors import WeightsMismatchError
from minicnn.layers import Conv2D, DepthwiseConv2D, Input
from minicnn.models import Sequential

pytestmark = pytest.mark.numpy_only
GROUPS, INSIDE, FILTERS = 4, 2, 3
DRAW = np.random.default_rng(0).standard_normal


@pytest.fixture
def model():
    grouped = Conv2D(GROUPS * FILTERS, 3, strides=2, groups=GROUPS, use_bias=False, name="conv2_block1_2_conv")
    return Sequential([Input((6, 7, GROUPS * INSIDE)), grouped])


def saved(path, kernel, name="depthwise_kernel:0"):
    """The path of a legacy file with one kernel."""
    layer = "conv2_block1_2_conv"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer]
        file.create_group(layer).attrs["weight_names"] = [f"{layer}/{name}"]
        file[f"{layer}/{layer}/{name}"] = kernel
    return path


def test_the_kernel_of_a_depthwise_convolution_and_a_sum_is_that_of_the_groups(model, tmp_path):
    kernel = DRAW((3, 3, GROUPS * INSIDE, FILTERS)).astype(np.float32)
    report = model.load_weights(saved(tmp_path / "a.h5", kernel))
    assert report.loaded == ["conv2_block1_2_conv"]
    x = DRAW((2, 6, 7, GROUPS * INSIDE)).astype(np.float32)
    depthwise = Sequential([Input(x.shape[1:]), DepthwiseConv2D(3, 2, depth_multiplier=FILTERS, use_bias=False)])
    depthwise.set_weights([kernel])
    parts = depthwise.predict(x)
    expected = parts.reshape(*parts.shape[:3], GROUPS, INSIDE, FILTERS).sum(4).reshape(*parts.shape[:3], -1)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ((3, 3, GROUPS * INSIDE, FILTERS + 1), "depthwise_kernel:0"),
        ((3, 3, GROUPS * INSIDE + 1, FILTERS), "depthwise_kernel:0"),
        ((3, 2, GROUPS * INSIDE, FILTERS), "depthwise_kernel:0"),
        ((3, GROUPS * INSIDE, FILTERS), "depthwise_kernel:0"),
        ((3, 3, GROUPS * INSIDE, 0), "depthwise_kernel:0"),
        ((3, 3, GROUPS * INSIDE, FILTERS), "kernel:0"),
    ],
)
def test_other_kernels_do_not_fit(model, tmp_path, shape, name):
    path = saved(tmp_path / "a.h5", np.zeros(shape, np.float32), name)
    with pytest.raises(WeightsMismatchError, match=r"in the file, .* in the model"):
        model.load_weights(path)
