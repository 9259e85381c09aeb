"""What a layer cannot do is refused where it is written, in one clear line."""

import numpy as np
import pytest

from minicnn import MinicnnError, Tensor, ops, schedules
from minicnn import layers as L
from minicnn.callbacks import ModelCheckpoint
from minicnn.errors import FileAccessError
from minicnn.models import Sequential, load_model

pytestmark = pytest.mark.numpy_only
A, B = L.Input((4, 3)), L.Input((4, 3))
NAN = float("nan")
HUGE = 2**70
PICTURE = np.ones((1, 4, 4, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: L.Concatenate(axis=9)([A, B]), r"Concatenate.*\(None, 4, 3\) have no axis 9"),
        (lambda: L.Concatenate(axis=0)([A, B]), "Concatenate.*axis 0 of .* is that of the samples"),
        (lambda: L.Concatenate(axis=-3)([np.ones((1, 2, 3))] * 2), "Concatenate.*axis -3 .* is that of the samples"),
        (lambda: Tensor(PICTURE).sum(axis=(0, 0)), r"sum: an axis of .* is named twice in \(0, 0\)"),
        (lambda: Tensor(PICTURE).mean(axis=(0, -4)), r"an axis of .* is named twice in \(0, 0\)"),
        (lambda: L.Softmax(axis=5)(A), "Softmax.* have no axis 5"),
        (lambda: L.UnitNormalization(axis=[1, -2])(A), r"axis \[1, -2\] names no axis of .*, or one twice"),
        (lambda: L.LayerNormalization(axis=[2, -1])(A), r"axis \[-1, 2\] names no axis of .*, or one twice"),
        (lambda: L.LayerNormalization(axis=[])(A), r"LayerNormalization.*: axis \[\] names no axis"),
        (lambda: L.TimeDistributed(L.Dense(2))(np.ones((2, 0, 3))), "TimeDistributed.* sequences of one step or more"),
        (
            lambda: A + "a",
            "operation add.*: an operand that is no tensor must be a number, or a list of numbers; it is 'a'",
        ),
        (lambda: L.Dense(3)(A, B), "Dense.* takes one argument, 2 were given; several tensors go in a list"),
        (lambda: L.Dense(3)(np.ones((1, 3)), np.ones((1, 3))), "takes one argument, 2 were given"),
        (lambda: L.Dense(units=2.5), "units must be a whole number of at least 1; it is 2.5"),
        (lambda: L.Dense(3, foo=1), "Dense does not take foo; it takes .*units"),
        (lambda: L.Dense(3, name=5), "Dense: name must be a text; it is 5"),
        (lambda: L.BatchNormalization(epsilon=-1), r"epsilon must be a number in \[0, inf\); it is -1"),
        (lambda: L.BatchNormalization(momentum=NAN), r"momentum must be a number in \[0, 1\]; it is nan"),
        (lambda: L.LayerNormalization(epsilon=NAN), "epsilon must be a number"),
        (lambda: ops.reshape(Tensor(np.ones((2, 0))), (0, -1)), r"reshape: a sample of shape \(0,\) cannot become"),
        (lambda: load_model(None), "load_model takes the path of a file; got None"),
        (lambda: schedules.ExponentialDecay(NAN, 10, 0.5), "initial_learning_rate must be a number"),
        (lambda: schedules.InverseTimeDecay(0.1, 10, -1), "decay_rate must be a number"),
        (lambda: schedules.PiecewiseConstantDecay([1], [0.1, -1]), "values must be a number"),
        (lambda: schedules.PolynomialDecay(-0.1, 10), "initial_learning_rate must be a number"),
        (lambda: schedules.CosineDecay(0.1, 10, warmup_target=NAN), "warmup_target must be a number"),
        (lambda: schedules.CosineDecayRestarts(-1, 10), "initial_learning_rate must be a number"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(MinicnnError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Dropout("a", name="d"), r"layer d: rate must be a number in \[0, 1\); it is 'a'"),
        (lambda: L.Dropout(0.5, seed="a", name="d"), "layer d: seed must be a whole number of at least 0; it is 'a'"),
        (lambda: L.GaussianDropout(0.5, seed=-1, name="d"), "layer d: seed must be a whole number"),
        (lambda: L.Dropout(0.5, noise_shape=3, name="d"), "layer d: noise_shape must be a list or tuple; it is 3"),
        (lambda: L.Dropout(0.5, noise_shape=(None, "a")), "noise_shape must be a whole number"),
        (lambda: L.GaussianNoise("a", name="n"), r"layer n: stddev must be a number in \[0, inf\); it is 'a'"),
        (lambda: L.ReLU("a", name="r"), "layer r: max_value must be a number"),
        (lambda: L.ReLU(threshold=10**400, name="r"), "layer r: threshold must be a number"),
        (lambda: L.LeakyReLU(None, name="r"), "layer r: negative_slope must be a number in .*; it is None"),
        (lambda: L.ELU([1], name="e"), "layer e: alpha must be a number"),
        (lambda: L.PReLU(shared_axes="a", name="p"), "layer p: shared_axes must be a list or tuple; it is 'a'"),
        (lambda: L.PReLU(shared_axes=[3])(A), r"PReLU.* have no axis 3"),
        (lambda: L.Permute(3, name="p"), "layer p: dims must be a list or tuple; it is 3"),
        (lambda: L.Reshape(3, name="r"), "layer r: target_shape must be a list or tuple; it is 3"),
        (lambda: L.Rescaling({"a": 1}, name="r"), "layer r: scale must be a number, or a list of numbers"),
        (lambda: L.Rescaling(1, offset=[[1], [1, 2]], name="r"), "layer r: offset must be a number, or a list"),
        (lambda: L.Dense(3, use_bias="no", name="d"), "layer d: use_bias must be True or False; it is 'no'"),
        (lambda: L.Conv2D(3, 3, use_bias=None, name="c"), "layer c: use_bias must be True or False; it is None"),
        (lambda: L.DepthwiseConv2D(3, use_bias=2), "use_bias must be True or False; it is 2"),
        (lambda: L.SeparableConv2D(3, 3, use_bias="no"), "use_bias must be True or False"),
        (lambda: L.Conv2DTranspose(3, 3, use_bias="no"), "use_bias must be True or False"),
        (lambda: L.BatchNormalization(center="no"), "center must be True or False"),
        (lambda: L.GlobalAveragePooling2D(keepdims="no"), "keepdims must be True or False"),
        (lambda: L.BatchNormalization(axis="a")(A), "BatchNormalization.* have no axis 'a'"),
        (lambda: L.BatchNormalization(name="b")(None), r"layer b \(BatchNormalization\) takes a tensor .* got None"),
        (lambda: L.Activation("relu", name="a")(3), r"layer a \(Activation\) takes a tensor or an array; got 3"),
        (lambda: L.Operation("Add", name="o")(), "operation o: Add takes 2 operands; got 0"),
        (lambda: L.Operation("Softmax", name="o")(A, -1), "operation o: Softmax takes 1 operands; got 2"),
        (lambda: L.Operation("Add", name="o")(1, 2), "operation o: one of the operands must be a tensor"),
        (
            lambda: L.Operation("Add", name="o")(Tensor(PICTURE), {}),
            "operation o: an operand that is no tensor must be",
        ),
    ],
)
def test_arguments_of_another_kind(make, message):
    test_refusals(make, message)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Conv2D(HUGE, 3, name="c"), r"layer c \(Conv2D\): the weight kernel of shape .* has more than"),
        (lambda: L.Conv2D(3, HUGE, name="c"), "layer c: kernel_size must be at most 65536"),
        (lambda: L.Conv2D(3, 1, strides=HUGE), "strides must be at most"),
        (lambda: L.DepthwiseConv2D(1, dilation_rate=(1, HUGE)), "dilation_rate must be at most"),
        (lambda: L.Conv2D(3, 2, dilation_rate=50_000, padding="same", name="c"), "layer c .*an image of shape"),
        (lambda: L.MaxPooling2D(50_000, padding="same", name="p"), "layer p .*an image of shape"),
        (lambda: L.AveragePooling2D(2, strides=HUGE), "strides must be at most"),
        (lambda: L.UpSampling2D(50_000, name="u"), "layer u .*an image of shape"),
        (lambda: L.ZeroPadding2D(HUGE, name="z"), "layer z .*an image of shape"),
        (lambda: L.Conv2DTranspose(3, 1, strides=50_000, name="t"), "layer t .*an image of shape"),
        (lambda: L.Dense(2**31, name="d"), "layer d .*the weight kernel of shape"),
    ],
)
@pytest.mark.parametrize("x", [L.Input((4, 4, 3)), PICTURE], ids=["symbolic", "array"])
def test_sizes_that_no_array_can_have(make, message, x):
    test_refusals(lambda: make()(x), message)


def test_inputs_and_outputs_that_no_array_can_have():
    test_refusals(lambda: L.Input((HUGE, 3)), "a sample of shape .* has more than")
    x = L.Input((2**16, 1))
    test_refusals(lambda: L.Add(name="a")([x, L.Reshape((1, 2**16))(x)]), "layer a .*an output of shape")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.initializers.HeNormal(seed="x"), "HeNormal: seed must be a whole number of at least 0; it is 'x'"),
        (lambda: L.initializers.Orthogonal(seed=-1), "Orthogonal: seed must be"),
        (lambda: L.initializers.VarianceScaling(mode="zz"), "VarianceScaling: mode must be one of 'fan_in', .*'zz'"),
        (lambda: L.initializers.VarianceScaling(scale=-1), r"scale must be a number in \(0, inf\); it is -1"),
        (lambda: L.initializers.VarianceScaling(distribution="zz"), "distribution must be one of 'uniform', .*'zz'"),
        (lambda: L.initializers.VarianceScaling(mode=[]), "mode must be one of"),
        (lambda: L.initializers.RandomNormal(stddev=-1), "RandomNormal: stddev must be a number"),
        (lambda: L.initializers.TruncatedNormal(mean="a"), "TruncatedNormal: mean must be a number"),
        (lambda: L.initializers.RandomUniform(maxval={}), "RandomUniform: maxval must be a number"),
        (lambda: L.initializers.Constant("a"), "Constant: value must be a number"),
        (lambda: L.initializers.Identity(gain=None), "Identity: gain must be a number"),
        (lambda: L.regularizers.L1L2(l1="a"), "L1L2: l1 must be a number"),
        (lambda: L.regularizers.MaxNorm("a"), "MaxNorm: max_value must be a number"),
        (lambda: L.regularizers.MinMaxNorm(rate=None), "MinMaxNorm: rate must be a number"),
    ],
)
def test_initializers_and_penalties(make, message):
    test_refusals(make, message)


def test_a_checkpoint_in_a_place_that_cannot_be_a_folder(tmp_path):
    (tmp_path / "file").write_text("no folder")
    model = Sequential([L.Input((3,)), L.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(FileAccessError, match=r"ModelCheckpoint: .*best\.keras cannot be written"):
        model.fit(np.ones((2, 3)), np.ones(2), verbose=0, callbacks=ModelCheckpoint(tmp_path / "file" / "best.keras"))
