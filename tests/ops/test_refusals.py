"""Operations refuse what does not fit, each with one clear line."""

import re

import numpy as np
import pytest
from op_cases import CASES

from minicnn import MinicnnError, Tensor, ops
from minicnn.errors import ArgumentError, DataError, DTypeError, ShapeError

pytestmark = pytest.mark.numpy_only
SEVERAL = [name for name, cases in CASES.items() if len(cases[0][1]) > 1]


def ones(*shape: int) -> Tensor:
    return Tensor(np.ones(shape, np.float32))


@pytest.mark.parametrize("name", SEVERAL)
def test_mixed_dtypes(name: str):
    function, arrays = CASES[name][0]
    for odd in range(len(arrays)):
        tensors = [Tensor(array.astype(np.float32 if i == odd else np.float64)) for i, array in enumerate(arrays)]
        with pytest.raises(DTypeError, match="float32") as caught:
            function(*tensors)
        assert "float64" in str(caught.value)
        assert "\n" not in str(caught.value)


IMAGE, ROWS, STEPS, VOLUME = ones(1, 4, 4, 2), ones(3, 4), ones(1, 4, 2), ones(1, 4, 4, 4, 2)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.conv2d(ROWS, ones(3, 3, 2, 1)), ShapeError, "conv2d (3, 4)"),
        (lambda: ops.conv2d(IMAGE, ones(3, 3, 5, 1)), ShapeError, "conv2d 2 5"),
        (lambda: ops.conv2d(IMAGE, ones(3, 3, 2, 3), ones(2)), ShapeError, "conv2d (2,)"),
        (lambda: ops.conv2d(IMAGE, ones(5, 5, 2, 1)), ShapeError, "conv2d 5"),
        (lambda: ops.conv2d(IMAGE, ones(3, 3, 2, 1), strides=0), ArgumentError, "strides 0"),
        (lambda: ops.conv2d(IMAGE, ones(3, 3, 2, 1), padding="full"), ArgumentError, "padding 'full'"),
        (lambda: ops.conv2d(IMAGE, ones(3, 3, 1, 3), groups=2), ShapeError, "conv2d 3 groups"),
        (lambda: ops.depthwise_conv2d(IMAGE, ones(3, 3, 3, 1)), ShapeError, "depthwise_conv2d 2 3"),
        (lambda: ops.conv2d_transpose(IMAGE, ones(3, 3, 4, 3)), ShapeError, "conv2d_transpose 2 3"),
        (lambda: ops.conv2d_transpose(IMAGE, ones(3, 3, 4, 2), padding="full"), ArgumentError, "padding 'full'"),
        (lambda: ops.dense(ROWS, ones(5, 2)), ShapeError, "dense (3, 4) 5"),
        (lambda: ops.maxpool2d(ROWS), ShapeError, "maxpool2d (3, 4)"),
        (lambda: ops.maxpool2d(IMAGE, 0), ArgumentError, "pool_size 0"),
        (lambda: ops.avgpool2d(IMAGE, 9), ShapeError, "9 4"),
        (lambda: ops.global_avgpool2d(ROWS), ShapeError, "global_avgpool2d (3, 4)"),
        (lambda: ops.global_maxpool2d(ROWS), ShapeError, "global_maxpool2d (3, 4)"),
        (lambda: ops.upsampling2d(IMAGE, 2, "cubic"), ArgumentError, "'cubic' 'nearest' 'bilinear'"),
        (lambda: ops.upsampling2d(IMAGE, 0), ArgumentError, "size 0"),
        (lambda: ops.zero_padding2d(ROWS), ShapeError, "(3, 4)"),
        (lambda: ops.zero_padding2d(IMAGE, -1), ArgumentError, "padding -1"),
        (lambda: ops.cropping2d(IMAGE, 2), ShapeError, "cropping2d (4, 4)"),
        (lambda: ops.cropping2d(ROWS, 1), ShapeError, "(3, 4)"),
        (lambda: ops.conv1d(IMAGE, ones(3, 2, 1)), ShapeError, "conv1d (N,T,C) (1, 4, 4, 2)"),
        (lambda: ops.conv1d(STEPS, ones(3, 3, 2, 1)), ShapeError, "conv1d (3, 3, 2, 1)"),
        (lambda: ops.conv1d(STEPS, ones(3, 5, 1)), ShapeError, "2 5"),
        (lambda: ops.depthwise_conv1d(STEPS, ones(3, 3, 1)), ShapeError, "2 3"),
        (lambda: ops.maxpool1d(IMAGE), ShapeError, "maxpool1d (1, 4, 4, 2)"),
        (lambda: ops.cropping1d(STEPS, 2), ShapeError, "cropping2d"),
        (lambda: ops.repeat_vector(STEPS, 2), ShapeError, "repeat_vector (1, 4, 2)"),
        (lambda: ops.conv3d(IMAGE, ones(1, 3, 3, 2, 1)), ShapeError, "conv3d (1, 4, 4, 2)"),
        (lambda: ops.conv3d(VOLUME, ones(3, 3, 2, 1)), ShapeError, "conv3d (3, 3, 2, 1)"),
        (lambda: ops.conv3d(VOLUME, ones(5, 1, 1, 2, 1)), ShapeError, "conv3d 5 4"),
        (lambda: ops.maxpool3d(IMAGE), ShapeError, "maxpool3d (1, 4, 4, 2)"),
        (lambda: ops.embedding(ROWS, ones(1, 2)), DataError, "embedding 1 0"),
        (lambda: ops.embedding(Tensor(np.array([np.nan])), ones(1, 2)), DataError, "embedding nan"),
        (lambda: ops.resize(IMAGE, 3, "area"), ArgumentError, "resize 'area' bilinear"),
        (lambda: ops.resize(ROWS, 3), ShapeError, "resize (3, 4)"),
        (lambda: ops.resize(IMAGE, 0), ArgumentError, "size 0"),
        (lambda: ops.batch_dot(ROWS, ROWS, (0, 0)), ShapeError, "batch_dot (3, 4) (0, 0)"),
        (lambda: ops.batch_dot(ROWS, ones(3, 5), (1, 1)), ShapeError, "batch_dot (3, 4) (3, 5)"),
        (lambda: ops.groupnorm(IMAGE, None, None, 3), ShapeError, "groupnorm 2 3"),
        (lambda: ops.activation(ROWS, "hard_tanh", alpha=1), ArgumentError, "'hard_tanh' alpha"),
        (lambda: ops.concatenate([]), ArgumentError, "concatenate"),
        (lambda: ops.concatenate([ROWS, ROWS], axis=2), ArgumentError, "concatenate axis 2"),
        (lambda: ops.concatenate([ROWS, ones(2, 5)]), ShapeError, "concatenate (3, 4) (2, 5)"),
        (lambda: ops.reshape(ROWS, (3,)), ShapeError, "reshape (4,) (3,)"),
        (lambda: ops.reshape(ROWS, (-1, -1)), ShapeError, "reshape (-1, -1)"),
        (lambda: ops.permute(ROWS, (2,)), ShapeError, "permute (2,)"),
        (lambda: ops.add(ROWS, ones(3, 5)), ShapeError, "(3, 4) (3, 5)"),
        (lambda: ops.multiply(ROWS, ones(2)), ShapeError, "(3, 4) (2,)"),
        (lambda: ops.maximum(ROWS, ones(2)), ShapeError, "(3, 4) (2,)"),
        (lambda: ops.minimum(ROWS, ones(2)), ShapeError, "(3, 4) (2,)"),
        (lambda: ops.activation(ROWS, "rulu"), ArgumentError, "'rulu' relu"),
        (lambda: ops.activation(ROWS, "linear", alpha=1), ArgumentError, "'linear' alpha"),
        (lambda: ops.activation(ROWS, "softmax", alpha=1), ArgumentError, "'softmax' alpha"),
        (lambda: ops.activation(ROWS, "softmax", axis=2), ShapeError, "softmax axis 2 (3, 4)"),
        (lambda: ops.softmax(ROWS, axis=2), ShapeError, "softmax axis 2 (3, 4)"),
        (lambda: ops.prelu(ROWS, ones(3)), ShapeError, "prelu (4,) (3,)"),
        (lambda: ops.batchnorm_train(IMAGE, ones(3), None), ShapeError, "batchnorm (3,)"),
        (lambda: ops.batchnorm_infer(IMAGE, None, None, ones(2), ones(3)), ShapeError, "batchnorm (3,)"),
        (lambda: ops.layernorm(IMAGE, ones(3), None), ShapeError, "layernorm (3,)"),
        (lambda: ops.softmax_crossentropy(ROWS, np.ones((3, 5))), ShapeError, "targets (3, 5) (3, 4)"),
        (lambda: ops.crossentropy(ROWS, np.ones(3)), ShapeError, "targets (3,) (3, 4)"),
        (lambda: ops.binary_crossentropy(ROWS, np.ones(4)), ShapeError, "targets (4,) (3, 4)"),
        (lambda: ops.sigmoid_crossentropy(ROWS, np.ones((3, 1))), ShapeError, "targets (3, 1) (3, 4)"),
        (lambda: ops.dropout(ROWS, 1.5, np.random.default_rng(0)), ArgumentError, "rate 1.5"),
    ],
)
def test_refusals(call, error, words):
    with pytest.raises(MinicnnError) as caught:
        call()
    message = str(caught.value)
    assert type(caught.value) is error
    assert "\n" not in message
    for word in re.findall(r"\([^)]*\)|'[^']*'|\S+", words):
        assert word in message, f"{word!r} is not in {message!r}"


def test_activations_by_name_take_the_axis_of_a_softmax():
    x = Tensor(np.arange(6.0).reshape(2, 3))
    for name, log in (("softmax", False), ("log_softmax", True)):
        found = ops.activation(x, name, axis=0).numpy()
        np.testing.assert_array_equal(found, ops.softmax(x, 0, log=log).numpy())
        assert (found != ops.softmax(x, log=log).numpy()).any()
