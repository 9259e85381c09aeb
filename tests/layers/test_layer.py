"""Weights, flags and calls, as all layers have them."""

import numpy as np
import pytest
from layer_cases import CASES

from minicnn import Tensor, layers
from minicnn.errors import DTypeError, GraphError, ShapeError
from minicnn.layers import CLASSES, Input
from minicnn.models import Model, Sequential

pytestmark = pytest.mark.numpy_only
RECURRENT = ["kernel", "recurrent_kernel", "bias"]
WEIGHTS = {
    "BatchNormalization": ["gamma", "beta", "moving_mean", "moving_variance"],
    "Conv1D": ["kernel", "bias"],
    "Conv1DTranspose": ["kernel", "bias"],
    "ConvLSTM2D": RECURRENT,
    "Bidirectional": [*RECURRENT, *RECURRENT],
    "Conv2D": ["kernel", "bias"],
    "Conv2DTranspose": ["kernel", "bias"],
    "Conv3DTranspose": ["kernel", "bias"],
    "Conv3D": ["kernel", "bias"],
    "Dense": ["kernel", "bias"],
    "DepthwiseConv1D": ["depthwise_kernel", "bias"],
    "DepthwiseConv2D": ["depthwise_kernel", "bias"],
    "Embedding": ["embeddings"],
    "GroupNormalization": ["gamma", "beta"],
    "GRU": RECURRENT,
    "LSTM": RECURRENT,
    "LayerNormalization": ["gamma", "beta"],
    "LayerScale": ["gamma"],
    "PReLU": ["alpha"],
    "SeparableConv1D": ["depthwise_kernel", "pointwise_kernel", "bias"],
    "SeparableConv2D": ["depthwise_kernel", "pointwise_kernel", "bias"],
    "SimpleRNN": RECURRENT,
    "TimeDistributed": ["kernel", "bias"],
}
SHAPES = {
    "Conv1D": [(3, 2, 6), (6,)],
    "Conv1DTranspose": [(3, 3, 4), (3,)],
    "Conv2D": [(3, 2, 2, 6), (6,)],
    "Conv3D": [(2, 3, 2, 2, 6), (6,)],
    "DepthwiseConv1D": [(3, 4, 2), (8,)],
    "SeparableConv1D": [(3, 4, 2), (1, 8, 3), (3,)],
    "Conv2DTranspose": [(3, 2, 3, 4), (3,)],
    "Conv3DTranspose": [(3, 2, 1, 3, 4), (3,)],
    "DepthwiseConv2D": [(2, 3, 4, 2), (8,)],
    "SeparableConv2D": [(3, 3, 4, 2), (1, 1, 8, 3), (3,)],
}


def built(kind: str, **options) -> layers.Layer:
    arguments, shape = CASES[kind][0]
    layer = CLASSES[kind](**arguments, **options)
    layer([Input(s) for s in shape] if isinstance(shape, list) else Input(shape))
    return layer


@pytest.mark.parametrize("name", [name for name in CLASSES if name != "InputLayer"])
def test_weights_in_keras_order(name):
    layer = built(name)
    assert [weight.name for weight in layer.weights] == WEIGHTS.get(name, [])
    if name in SHAPES:
        assert [weight.shape for weight in layer.weights] == SHAPES[name]
    assert layer.count_params() == sum(array.size for array in layer.get_weights())


@pytest.mark.parametrize("name", list(WEIGHTS))
def test_the_flag_reaches_the_weights(name):
    layer = built(name)
    statistics = [weight for weight in layer.weights if weight.name.startswith("moving")]
    for flag in (False, True):
        layer.trainable = flag
        assert [weight.trainable for weight in layer.weights] == [
            flag and weight not in statistics for weight in layer.weights
        ]
        assert len(layer.trainable_weights) + len(layer.non_trainable_weights) == len(layer.weights)
    frozen = built(name, trainable=False)
    assert frozen.trainable_weights == []
    assert not frozen.trainable


def test_a_layer_is_shown_by_its_kind_and_name():
    assert repr(layers.Dense(2, name="head")) == "<Dense name=head>"
    assert repr(Sequential([layers.Input((3,))], name="net")) == "<Sequential name=net>"


def test_set_weights_is_all_or_nothing():
    layer = built("Dense", name="d")
    before = layer.get_weights()
    with pytest.raises(ShapeError, match=r"layer d: weight bias: expected values of shape \(3,\), got \(4,\)"):
        layer.set_weights([np.ones((8, 3)), np.ones(4)])
    with pytest.raises(ShapeError, match="layer d has 2 weights, 1 arrays were given"):
        layer.set_weights([np.ones((8, 3))])
    for bad in (["a", "b", "c"], np.ones(3, complex), [None] * 3, np.zeros(3, "datetime64[s]")):
        with pytest.raises(DTypeError, match="layer d: weight bias: expected real numbers, got"):
            layer.set_weights([np.ones((8, 3)), bad])
    with pytest.raises(ShapeError, match=r"layer d: weight bias: expected values of shape .*, got no array"):
        layer.set_weights([np.ones((8, 3)), [[1], [2, 3], [4]]])
    for array, old in zip(layer.get_weights(), before):
        np.testing.assert_array_equal(array, old)
    layer.set_weights([np.ones((8, 3), bool), [1, 2, 3]])
    np.testing.assert_array_equal(layer.get_weights()[1], np.float32([1, 2, 3]))


def test_get_weights_gives_copies():
    layer = built("Dense")
    layer.get_weights()[0][:] = 7
    assert not (layer.get_weights()[0] == 7).any()


def test_the_options_of_a_weight_reach_it():
    layer = built("Dense")
    assert layer.kernel.regularizer.l2 == 0.125
    assert layer.bias.regularizer.l1 == 0.25
    assert type(layer.kernel.constraint).__name__ == "MaxNorm"
    np.testing.assert_array_equal(layer.bias.numpy(), 0.5)


def test_arrays_and_tensors_of_any_kind_are_cast():
    layer = layers.Dense(2)
    x = np.arange(6).reshape(2, 3)
    expected = layer(x.astype(np.float32)).numpy()
    for dtype in (np.uint8, np.int64, np.float64):
        np.testing.assert_array_equal(layer(x.astype(dtype)).numpy(), expected)
    np.testing.assert_array_equal(layer(Tensor(x.astype(np.float64))).numpy(), expected)


def test_float64_layers_compute_in_float64():
    layer = layers.Dense(2, dtype="float64")
    assert layer(np.ones((1, 3), np.float32)).dtype == np.float64
    assert layer.kernel.dtype == np.float64


def test_input_and_output():
    x = Input((4,))
    layer = layers.Dense(3)
    with pytest.raises(GraphError, match="has not been called on an Input yet"):
        _ = layer.output
    y = layer(x)
    assert layer.output is y
    assert layer.input is x
    assert layer.output_shape == (None, 3)
    layer(Input((4,)))
    assert layer.output is y  # of the first call
    add = layers.Add()
    add([x, x])
    assert add.input == [x, x]


def test_a_model_of_float64_values():
    """The value of each elementwise layer is its formula."""
    x = np.array([[-2.0, -0.5, 0.0, 0.25, 3.0]])

    def value(layer: layers.Layer) -> np.ndarray:
        return layer(x).numpy()

    np.testing.assert_allclose(value(layers.ReLU(2, 0.5, 0.1, dtype="float64")), [[-1.05, -0.3, -0.05, 0.25, 2]])
    np.testing.assert_allclose(value(layers.LeakyReLU(dtype="float64")), [[-0.6, -0.15, 0, 0.25, 3]])
    np.testing.assert_allclose(value(layers.ELU(2, dtype="float64")), np.where(x > 0, x, 2 * np.expm1(x)))
    np.testing.assert_allclose(value(layers.Rescaling(2, 1, dtype="float64")), 2 * x + 1)
    alpha = layers.PReLU("ones", dtype="float64")
    np.testing.assert_allclose(value(alpha), x)


def test_merges():
    a, b, c = (np.random.default_rng(i).standard_normal((2, 3)) for i in range(3))
    for name, expected in {
        "Add": a + b + c,
        "Multiply": a * b * c,
        "Average": (a + b + c) / 3,
        "Maximum": np.maximum(np.maximum(a, b), c),
        "Minimum": np.minimum(np.minimum(a, b), c),
        "Concatenate": np.concatenate([a, b, c], axis=-1),
    }.items():
        np.testing.assert_allclose(CLASSES[name](dtype="float64")([a, b, c]).numpy(), expected, rtol=1e-15)
    np.testing.assert_array_equal(layers.Subtract(dtype="float64")([a, b]).numpy(), a - b)
    np.testing.assert_array_equal(layers.CustomScaleLayer(0.25, dtype="float64")([a, b]).numpy(), a + b * 0.25)


@pytest.mark.parametrize("name", [name for name, cls in CLASSES.items() if hasattr(cls, "ARGUMENTS")])
def test_augmentation_is_the_identity_at_inference_and_done_or_refused_in_training(name):
    from minicnn.errors import UnsupportedError

    layer, x = CLASSES[name](**CASES[name][0][0], name="augment"), np.ones((1, 4, 4, 3), np.float32)
    np.testing.assert_array_equal(layer(x).numpy(), x)
    if hasattr(layer, "change"):
        assert layer(x, training=True).shape == x.shape
        return
    with pytest.raises(UnsupportedError, match=rf"layer augment \({name}\) does not augment while training"):
        layer(x, training=True)


def test_inputs_of_another_dtype_are_cast_to_that_of_the_layer():
    x = Input((4,), dtype="float64")
    wide, narrow, other = layers.Dense(3, dtype="float64"), layers.Dense(2), layers.Dense(3)
    model = Model(x, [narrow(wide(x)), layers.Add()([wide(x), other(x)])])
    data = np.random.default_rng(0).standard_normal((2, 4))
    exact = data @ wide.get_weights()[0]
    found = model.predict(data)
    assert [y.dtype for y in found] == [np.float32] * 2
    np.testing.assert_allclose(found[0], exact @ narrow.get_weights()[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[1], exact + data @ other.get_weights()[0], rtol=1e-5, atol=1e-6)
    tensor = Tensor(data, requires_grad=True)
    y = model(tensor)[0]
    y.backward(np.ones(y.shape))
    assert tensor.grad is not None
    assert tensor.grad.dtype == np.float64
