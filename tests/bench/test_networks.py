"""A network as other engines are told of it: every step, with paddings resolved, and weights that do not saturate."""

import json

import numpy as np
import pytest

from minicnn.bench import networks
from minicnn.bench.cases import Layer
from minicnn.bench.shapes import build
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Cropping2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    LayerNormalization,
    LeakyReLU,
    MaxPooling2D,
    Normalization,
    ReLU,
    Reshape,
    ZeroPadding2D,
)
from minicnn.models import Model

pytestmark = pytest.mark.numpy_only
FAMILIES = ("alexnet", "convnexttiny", "densenet121", "efficientnetb0", "efficientnetv2b0", "googlenet", "inceptionv3")
FAMILIES += ("inceptionresnetv2", "mobilenet", "mobilenetv2", "mobilenetv3small", "nasnetmobile", "resnet50")
FAMILIES += ("resnet50v2", "squeezenet1_0", "vgg16", "xception")


def residual() -> Model:
    x = Input((10, 12, 3))
    y = Conv2D(4, 3, strides=2, name="stem")(ZeroPadding2D(1)(x))
    y = ReLU(6.0, name="relu")(BatchNormalization(name="bn")(y))
    z = Conv2D(4, 3, padding="same", activation="relu", name="branch")(y)
    y = MaxPooling2D(3, 2, name="pool")(ZeroPadding2D(((0, 1), (0, 1)))(ReLU(name="out")(Add(name="add")([y, z]))))
    return Model(x, Dense(5, activation="softmax", name="head")(GlobalAveragePooling2D(name="gap")(y)))


def test_steps_follow_each_other_and_paddings_join_their_windows():
    steps = networks.describe(residual())
    assert [step["layer"] for step in steps] == ["stem", "bn", "relu", "branch", "add", "out", "pool", "gap", "head"]
    made = {0: None}
    for step in steps:
        assert all(slot in made for slot in step["inputs"])
        made[step["output"]] = step["layer"]
    stem, _, relu, branch, add, _, pool, _, head = steps
    assert (stem["size"], stem["padding"], stem["strides"]) == ([10, 12], [(1, 1), (1, 1)], (2, 2))
    assert branch["padding"] == [(1, 1), (1, 1)]
    assert (pool["size"], pool["padding"]) == ([5, 6], [(0, 1), (0, 1)])
    assert [relu["activation"], branch["activation"], head["activation"]] == ["relu6", "relu", "softmax"]
    assert [made[slot] for slot in add["inputs"]] == ["relu", "branch"]
    json.dumps(steps)


def test_distinct_convolutions_have_the_names_of_their_layers():
    x = y = Input((10, 12, 4))
    for name in ("a", "b"):
        y = Conv2D(4, 3, padding="same", groups=2, name=name)(y)
    found = networks.convolutions(Model(x, Conv2D(4, 3, strides=2, name="c")(ZeroPadding2D(1)(y))))
    sides = ((1, 1), (1, 1))
    assert found == {
        Layer((10, 12, 4), (3, 3), 4, (1, 1), sides, groups=2): ["a", "b"],
        Layer((10, 12, 4), (3, 3), 4, (2, 2), sides): ["c"],
    }


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([LeakyReLU()], "cannot be told of LeakyReLU"),
        ([ReLU(2.0)], "cannot be told of this ReLU"),
        ([Activation("selu")], "cannot be told of the activation selu"),
        ([Reshape((4, 16, 3))], r"cannot be told of a Reshape of \(8, 8, 3\) to \(4, 16, 3\)"),
        ([LayerNormalization(axis=1)], "cannot be told of LayerNormalization"),
        ([Concatenate(axis=1)], "cannot be told of Concatenate"),
        ([Normalization(1)], "cannot be told of Normalization"),
        ([Conv2D(2, 1, activation=LeakyReLU())], "cannot be told of the activation LeakyReLU"),
        ([Conv2D(2, 1, data_format="channels_first")], "cannot be told of channels first"),
    ],
)
def test_what_others_cannot_be_told_is_refused(layers, said):
    x = y = Input((8, 8, 3))
    for layer in layers:
        y = layer([y, y] if isinstance(layer, Concatenate) else y)
    with pytest.raises(UnsupportedError, match=said):
        networks.describe(Model(x, y))


def test_borders_that_are_no_window_s_are_steps_of_their_own():
    """Zeros before a maximum over numbers below 0, before a mean, which counts them, and beside another use of them."""
    x = Input((8, 8, 3), name="x")
    padded = ZeroPadding2D(((1, 0), (2, 3)), name="zeros")(Cropping2D(((0, 1), (2, 0)), name="cut")(x))
    ends = [MaxPooling2D(2, name="largest")(padded), Conv2D(2, 3, name="joined")(padded), Flatten(name="flat")(padded)]
    zeros = ZeroPadding2D(1, name="around")(ReLU(name="relu")(x))
    ends += [AveragePooling2D(2, name="mean")(zeros), MaxPooling2D(2, name="joined too")(zeros)]
    steps = {step["layer"]: step for step in networks.describe(Model(x, ends))}
    assert [steps[name]["padding"] for name in ("cut", "zeros", "around")] == [
        [[0, -1], [-2, 0]],
        [[1, 0], [2, 3]],
        [[1, 1], [1, 1]],
    ]
    inputs = {name: step["inputs"] for name, step in steps.items()}
    outputs = {name: [step["output"]] for name, step in steps.items()}
    assert inputs["largest"] == inputs["flat"] == outputs["zeros"]
    assert inputs["joined"] == inputs["zeros"] == outputs["cut"]
    assert (inputs["mean"], inputs["joined too"]) == (outputs["around"], outputs["relu"])
    assert steps["joined"]["padding"] == [(1, 0), (2, 3)]
    order = list(steps)
    assert order.index("cut") < order.index("zeros") < order.index("largest")


def test_every_architecture_can_be_told():
    """All but their numbers of blocks: one of each family."""
    for name in FAMILIES:
        steps = networks.describe(build(name, 96 if name != "alexnet" else 224, 10))
        json.dumps(steps)
        made = {0}
        for step in steps:
            assert made.issuperset(step["inputs"]), (name, step)
            made.add(step["output"])


def test_weights_keep_signals_at_their_size():
    model = residual()
    networks.draw(model)
    probe = Model(model.inputs, [model.get_layer("bn").output, model.get_layer("gap").output])
    y, features = probe.predict(np.random.default_rng(0).standard_normal((4, 10, 12, 3), np.float32))
    assert 0.5 < y.std() < 2
    assert 0.1 < features.std() < 10
    assert model.predict(np.ones((1, 10, 12, 3), np.float32)).max() < 0.99


def test_a_picture_that_shrinks_to_one_pixel_has_outputs_too(tmp_path):
    network = networks.write("mobilenetv2", 32, tmp_path, classes=7).as_json()
    y = networks.read(network).predict(np.random.default_rng(1).standard_normal((2, 32, 32, 3), np.float32))
    assert 0.01 < np.abs(y[0] - y[1]).max() < 0.99


def test_networks_that_scale_pixels_by_themselves_get_pixels(tmp_path):
    """Of numbers around 0 they would see one grey, and answer with one class."""
    network = networks.write("efficientnetb0", 64, tmp_path, classes=7).as_json()
    assert (network["mean"], network["deviation"]) == (128, 64)
    x = 64 * np.random.default_rng(1).standard_normal((2, 64, 64, 3), np.float32) + 128
    y = networks.read(network).predict(x)
    assert 0.01 < np.abs(y[0] - y[1]).max() < 0.99
    assert networks.write("mobilenet", 32, tmp_path)[-2:] == (0, 1)


def test_what_is_written_is_read_again(tmp_path):
    network = networks.write("mobilenet", 32, tmp_path, classes=7)
    assert (network.name, network.size, network.classes) == ("MobileNet", 32, 7)
    x = np.random.default_rng(0).standard_normal((2, 32, 32, 3), np.float32)
    first, again = (networks.read(json.loads(json.dumps(network.as_json()))).predict(x) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (2, 7)
    assert first.max() < 0.99


def test_an_architecture_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="did you mean resnet50"):
        networks.write("resnet51", 32, tmp_path)
    assert not list(tmp_path.iterdir())
