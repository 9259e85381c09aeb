"""Kernels that Theano stored: turned by 180 degrees, and with filters first in Keras 1."""

import json

import h5py
import numpy as np
import pytest

from minicnn.errors import WeightsMismatchError
from minicnn.models import load_model
from minicnn.weights import LayerSpec, WeightSpec, match, open_weights
from minicnn.weights.theano import KernelOrder

KERNEL = np.random.default_rng(0).standard_normal((3, 2, 4, 5)).astype("f4")  # (KH, KW, C, F)
BIAS = np.arange(5, dtype="f4")
SPEC = LayerSpec(
    "m",
    "Sequential",
    layers=[LayerSpec("conv", "Conv2D", [WeightSpec("kernel", KERNEL.shape), WeightSpec("bias", (5,))])],
)


def write(path, kernel, names=("conv_W", "conv_b"), **attributes):
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([b"conv"])
        for name, value in attributes.items():
            file.attrs[name] = value
        group = file.create_group("conv")
        group.attrs["weight_names"] = np.array([name.encode() for name in names])
        group[names[0]], group[names[1]] = kernel, BIAS


def kernel_of(path, spec=SPEC):
    with open_weights(path) as file:
        arrays = dict(match(file, spec).read())
    np.testing.assert_array_equal(arrays[1], BIAS)
    return arrays[0]


FILTERS_FIRST = KERNEL.transpose(3, 2, 0, 1)
FLIPPED = KERNEL[::-1, ::-1]


@pytest.mark.parametrize(
    ("file_name", "attributes", "stored"),
    [
        ("plain.h5", {}, KERNEL),
        ("plain_new.h5", {"keras_version": "2.1.0", "backend": "tensorflow"}, KERNEL),
        ("theano.h5", {"keras_version": "2.1.0", "backend": "theano"}, FLIPPED),
        ("cntk.h5", {"keras_version": "2.1.0", "backend": "cntk"}, KERNEL),
        ("vgg16_weights_tf_dim_ordering_tf_kernels.h5", {}, KERNEL),
        ("vgg16_weights_tf_dim_ordering_th_kernels.h5", {}, FLIPPED),
        ("vgg16_weights_th_dim_ordering_tf_kernels.h5", {}, FILTERS_FIRST),
        ("vgg16_weights_th_dim_ordering_th_kernels.h5", {}, FILTERS_FIRST[:, :, ::-1, ::-1]),
        ("my_th_kernels.h5", {"keras_version": "2.1.0", "backend": "tensorflow"}, KERNEL),
    ],
)
def test_kernels_arrive_in_keras_own_layout(tmp_path, file_name, attributes, stored):
    write(tmp_path / file_name, stored, **attributes)
    np.testing.assert_array_equal(kernel_of(tmp_path / file_name), KERNEL)


def test_a_keras_1_config_tells_the_ordering(tmp_path):
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        layer = '{"class_name": "Convolution2D", "config": {"name": "conv", "dim_ordering": "th"}}'
        file.attrs["model_config"] = f'{{"class_name": "Sequential", "config": [{layer}]}}'
        file.attrs["keras_version"] = "1.2.1"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = np.array([b"conv"])
        weights["conv/conv_W"], weights["conv/conv_b"] = FILTERS_FIRST[:, :, ::-1, ::-1], BIAS
        weights["conv"].attrs["weight_names"] = np.array([b"conv_W", b"conv_b"])
    np.testing.assert_array_equal(kernel_of(path), KERNEL)


def test_a_convolution_of_rows_of_keras_1_has_a_width_of_one(tmp_path):
    path, kernel = tmp_path / "text.h5", KERNEL[:, :1]
    config = """{"class_name": "Sequential", "config": [
        {"class_name": "Embedding", "config": {"name": "words", "input_dim": 6, "output_dim": 4, "input_length": 9,
         "batch_input_shape": [null, 9]}},
        {"class_name": "Convolution1D", "config": {"name": "conv", "nb_filter": 5, "filter_length": 3}}]}"""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"], file.attrs["keras_version"] = config, "1.2.2"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = np.array([b"words", b"conv"])
        weights["words/words_W"] = table = np.arange(24, dtype="f4").reshape(6, 4)
        weights["conv/conv_W"], weights["conv/conv_b"] = kernel, BIAS
        weights["words"].attrs["weight_names"] = np.array([b"words_W"])
        weights["conv"].attrs["weight_names"] = np.array([b"conv_W", b"conv_b"])
    found = load_model(path).get_weights()
    for array, expected in zip(found, (table, kernel[:, 0], BIAS), strict=True):
        np.testing.assert_array_equal(array, expected)


NAMED_TH = "x_th_dim_ordering_th_kernels.h5"
TH, TF = ({"config": [{"config": {"dim_ordering": ordering}}]} for ordering in ("th", "tf"))


@pytest.mark.parametrize(
    ("name", "version", "backend", "config", "expected"),
    [
        ("x.h5", None, None, None, KernelOrder()),
        ("x.h5", "1.2.2", None, TH, KernelOrder(channels_first=True, flipped=True)),
        ("x_tf_kernels.h5", "1.2.2", None, TH, KernelOrder(channels_first=True)),
        ("x.h5", "1.2.2", "tensorflow", TH, KernelOrder(channels_first=True)),
        (NAMED_TH, "1.2.2", None, TF, KernelOrder(flipped=True)),  # the config knows better than the name
        (NAMED_TH, "1.2.2", None, None, KernelOrder(channels_first=True, flipped=True)),
        # A file of Keras 2 says itself which backend wrote it.
        (NAMED_TH, "2.1.0", None, None, KernelOrder()),
        (NAMED_TH, "2.1.0", None, TH, KernelOrder()),
        (NAMED_TH, "2.1.0", "tensorflow", TH, KernelOrder()),
        (NAMED_TH, "2.1.0", "theano", TH, KernelOrder(flipped=True)),
    ],
)
def test_only_files_of_keras_1_are_told_by_their_name_and_ordering(name, version, backend, config, expected):
    assert KernelOrder.of(f"/th_dim_ordering_th_kernels/{name}", version, backend, config) == expected


def test_filters_first_are_not_mistaken_when_all_sizes_are_equal(tmp_path):
    kernel = np.random.default_rng(1).standard_normal((5, 5, 5, 5)).astype("f4")
    path = tmp_path / "x_th_dim_ordering_th_kernels.h5"
    write(path, kernel.transpose(3, 2, 0, 1)[:, :, ::-1, ::-1])
    layer = LayerSpec("conv", "Conv2D", [WeightSpec("kernel", (5, 5, 5, 5)), WeightSpec("bias", (5,))])
    np.testing.assert_array_equal(kernel_of(path, LayerSpec("m", "Sequential", layers=[layer])), kernel)


@pytest.mark.parametrize("refused", ["Dense", "Conv2DTranspose"])
def test_layers_that_depend_on_the_image_order_are_refused(tmp_path, refused):
    path = tmp_path / "x_th_dim_ordering_th_kernels.h5"
    write(path, KERNEL.transpose(3, 2, 0, 1)[:, :, ::-1, ::-1])
    last = LayerSpec("last", refused)
    spec = LayerSpec(
        "m", "Sequential", layers=[*SPEC.layers, LayerSpec("flatten", "Flatten"), LayerSpec("d", "Dropout"), last]
    )
    with open_weights(path) as file, pytest.raises(WeightsMismatchError, match=r"'last'.*include_top=False"):
        match(file, spec)


def test_other_arrays_stay_as_they_are(tmp_path):
    path = tmp_path / "x_th_dim_ordering_th_kernels.h5"
    write(path, KERNEL, names=("conv_depthwise_kernel", "conv_b"))
    with open_weights(path) as file:
        assert file.layers[0].weights[0].shape == KERNEL.shape


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 2, 2, 4, 5)])
def test_kernels_along_one_axis_and_three_are_turned_too(tmp_path, shape):
    kernel = np.random.default_rng(2).standard_normal(shape).astype("f4")
    taps = range(len(shape) - 2)
    spec = [WeightSpec("kernel", shape), WeightSpec("bias", (5,))]
    spec = LayerSpec("m", "Sequential", layers=[LayerSpec("conv", f"Conv{len(taps)}D", spec)])
    write(tmp_path / "new.h5", np.flip(kernel, taps), keras_version="2.1.0", backend="theano")
    np.testing.assert_array_equal(kernel_of(tmp_path / "new.h5", spec), kernel)
    if len(taps) == 3:
        stored = np.flip(kernel, taps).transpose(4, 3, 0, 1, 2)
        write(tmp_path / "x_th_dim_ordering_th_kernels.h5", stored)
        np.testing.assert_array_equal(kernel_of(tmp_path / "x_th_dim_ordering_th_kernels.h5", spec), kernel)


def test_weights_of_keras_1_do_not_say_whether_a_convolution_was_transposed(tmp_path):
    write(tmp_path / "old.h5", KERNEL, keras_version="1.2.2")
    spec = [WeightSpec("kernel", KERNEL.shape), WeightSpec("bias", (5,))]
    spec = LayerSpec("m", "Sequential", layers=[LayerSpec("conv", "Conv2DTranspose", spec)])
    with open_weights(tmp_path / "old.h5") as file, pytest.raises(WeightsMismatchError, match="of Keras 1, in which"):
        match(file, spec)


def test_a_deconvolution_of_keras_1_has_filters_last(tmp_path):
    kernel = np.random.default_rng(3).standard_normal((2, 2, 4, 4)).astype("f4")  # (KH, KW, F, C)
    layer = {"name": "conv", "nb_filter": 4, "nb_row": 2, "nb_col": 2, "dim_ordering": "tf", "subsample": [2, 2]}
    layer |= {
        "batch_input_shape": [None, 3, 3, 4],
        "output_shape": [None, 6, 6, 4],
        "border_mode": "same",
        "bias": False,
    }
    config = {"class_name": "Sequential", "config": [{"class_name": "Deconvolution2D", "config": layer}]}
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), "1.2.2"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = np.array([b"conv"])
        weights["conv/conv_W"] = kernel.transpose(0, 1, 3, 2)
        weights["conv"].attrs["weight_names"] = np.array([b"conv_W"])
    np.testing.assert_array_equal(load_model(tmp_path / "old.h5").get_weights()[0], kernel)
