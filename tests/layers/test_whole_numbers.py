"""Sizes and counts are whole numbers: NumPy's are taken as Python's, all else is refused by name."""

import json

import numpy as np
import pytest

from minicnn import MinicnnError
from minicnn import layers as L
from minicnn.models import Model, model_from_json

pytestmark = [pytest.mark.numpy_only, pytest.mark.no_jit]
N = np.int64


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Conv2D(2.5, 3, name="c"), "layer c: filters must be a whole number of at least 1; it is 2.5"),
        (lambda: L.Conv2D(2.0, 3), "filters must be a whole number"),
        (lambda: L.Conv2D("8", 3), "filters must be a whole number"),
        (lambda: L.Conv2D(True, 3), "filters must be a whole number"),
        (lambda: L.Conv2D(0, 3), "filters must be a whole number"),
        (lambda: L.Conv2D(4, 3, groups=2.5), "groups must be a whole number of at least 1; it is 2.5"),
        (lambda: L.Conv2D(4, 2.5, name="c"), "layer c: kernel_size must be a whole number or two, .* it is 2.5"),
        (lambda: L.Conv2D(4, (3, 2.5)), r"kernel_size must be a whole number or two, .* it is \(3, 2.5\)"),
        (lambda: L.Conv2D(4, True), "kernel_size must be a whole number or two, .* it is True"),
        (lambda: L.Conv2D(4, 3, strides=1.5), "strides must be"),
        (lambda: L.Conv2D(4, 3, dilation_rate=1.5), "dilation_rate must be"),
        (lambda: L.DepthwiseConv2D(3, depth_multiplier=1.5), "depth_multiplier must be a whole number"),
        (lambda: L.DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier must be a whole number of at least 1"),
        (lambda: L.SeparableConv2D(2.5, 3), "filters must be a whole number"),
        (lambda: L.SeparableConv2D(0, 3), "filters must be a whole number"),
        (lambda: L.SeparableConv2D(2, 3, depth_multiplier=1.5), "depth_multiplier must be a whole number"),
        (lambda: L.Conv2DTranspose(2.5, 3), "filters must be a whole number"),
        (lambda: L.Conv2DTranspose(0, 3), "filters must be a whole number"),
        (lambda: L.Conv2DTranspose(2, 3, output_padding=0.5, name="t"), "layer t: output_padding must be"),
        (lambda: L.MaxPooling2D(2.5, name="p"), "layer p: pool_size must be a whole number or two, .* it is 2.5"),
        (lambda: L.AveragePooling2D(2, strides=0.5, name="p"), "layer p: strides must be"),
        (lambda: L.UpSampling2D(1.5, name="u"), "layer u: size must be"),
        (lambda: L.ZeroPadding2D(1.5, name="z"), "layer z: padding must be"),
        (lambda: L.ZeroPadding2D((1, 1.5), name="z"), "layer z: padding must be"),
        (lambda: L.Cropping2D(((0, 1.5), (0, 0)), name="z"), "layer z: cropping must be"),
        (lambda: L.Reshape((2.5, 2), name="r"), "layer r: target_shape must be a whole number of at least -1; it is 2"),
        (lambda: L.Permute((2.5, 1), name="p"), "layer p: dims must be a whole number of at least 0; it is 2.5"),
        (lambda: L.Input((2.5, 3)), r"\(2.5, 3\) is no shape of a sample"),
        (lambda: L.Dense(2.5, name="d"), "layer d: units must be a whole number"),
    ],
)
def test_what_is_no_whole_number_is_refused(make, message):
    with pytest.raises(MinicnnError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_numpy_integers_are_whole_numbers():
    x = L.Input((N(8), N(8), N(4)), batch_size=None)
    y = L.Conv2D(N(4), N(3), strides=(N(1), N(1)), dilation_rate=N(1), groups=N(2))(x)
    y = L.DepthwiseConv2D(np.int32(3), depth_multiplier=N(2), padding="same")(y)
    y = L.SeparableConv2D(N(4), (N(3), N(3)), depth_multiplier=np.uint8(2), padding="same")(y)
    y = L.Conv2DTranspose(N(3), N(2), strides=N(2), output_padding=N(0))(y)
    y = L.MaxPooling2D(N(2), strides=np.int16(2))(y)
    y = L.AveragePooling2D((N(2), N(2)), strides=N(1))(y)
    y = L.UpSampling2D(N(2))(L.Cropping2D(N(1))(L.ZeroPadding2D(((N(1), N(1)), (N(1), N(1))))(y)))
    y = L.PReLU(shared_axes=np.array([1, 2]))(L.BatchNormalization(axis=N(-1))(y))
    y = L.Concatenate(axis=N(-1))([y, y])
    y = L.Permute((N(2), N(1), N(3)))(L.Softmax(axis=N(-1))(y))
    model = Model(x, L.Dense(N(2))(L.Reshape((N(-1),))(y)))
    batch = np.random.default_rng(0).random((1, 8, 8, 4), np.float32)
    back = model_from_json(json.dumps(json.loads(model.to_json())))
    back.set_weights(model.get_weights())
    np.testing.assert_array_equal(back.predict(batch), model.predict(batch))
