"""ONNX Runtime computes from an exported model what minicnn computes.

onnx and onnxruntime are no dependencies: these tests run where they are installed, and are skipped elsewhere.
"""

import json
from typing import Any

import numpy as np
import pytest
from formula_weights import make_weight
from hypothesis import given, settings
from layer_cases import CASES, NUMBERED
from pytorch_weights import CLASSES, state_dict
from random_nets import nets, outputs, randomize

from minicnn import applications
from minicnn import layers as L
from minicnn.cli import main
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.kernels.activation import ACTIVATIONS
from minicnn.models import Model, Sequential
from minicnn.onnx import export
from minicnn.onnx.layers import LAYERS
from minicnn.weights.safetensors import write

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytestmark = pytest.mark.filterwarnings("default")


def run(path: Any, x: Any) -> list[np.ndarray]:
    """What ONNX Runtime computes, without rewriting the graph: its names of inputs and outputs are the model's."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    arrays = x if isinstance(x, list) else [x]
    return session.run(None, {given.name: array for given, array in zip(session.get_inputs(), arrays, strict=True)})


def check(model: Model, path: Any, counts: tuple[int, ...] = (1, 3), sides: tuple[int | None, ...] = (9, 7)) -> None:
    export(model, path)
    for count in counts:
        generator = np.random.default_rng(count)
        shapes = [[n or sides[i] for i, n in enumerate(tensor.shape[1:])] for tensor in model.inputs]
        arrays = [generator.uniform(-1, 1, (count, *shape)).astype(np.float32) for shape in shapes]
        expected = outputs(model.predict(arrays if len(arrays) > 1 else arrays[0]))
        for found, wanted in zip(run(path, arrays), expected, strict=True):
            assert found.shape == wanted.shape
            assert np.linalg.norm(found - wanted) <= 1e-5 * max(np.linalg.norm(wanted), 1e-3)


@pytest.mark.parametrize(
    ("name", "index"), [case for case in NUMBERED if case[0] in LAYERS and case[0] != "InputLayer"]
)
def test_every_layer(name, index, tmp_path):
    arguments, shape = CASES[name][index]
    inputs = [L.Input(s) for s in shape] if isinstance(shape, list) else L.Input(shape)
    model = Model(inputs, L.CLASSES[name](**arguments, name="it")(inputs))
    randomize(model, 0)
    check(model, tmp_path / "a.onnx")


def test_a_layer_without_a_form_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.delitem(LAYERS, "ELU")
    for name in sorted({name for name, _ in NUMBERED} - LAYERS.keys()):
        arguments, shape = CASES[name][0]
        inputs = [L.Input(s) for s in shape] if isinstance(shape, list) else L.Input(shape)
        with pytest.raises(UnsupportedError, match=rf"layer it: {name} has no form"):
            export(Model(inputs, L.CLASSES[name](**arguments, name="it")(inputs)), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["image", "row"])
@pytest.mark.parametrize("name", [*ACTIVATIONS, "softmax", "log_softmax"])
def test_every_activation(name, kind, tmp_path):
    """Of an image, which a convolution has left with channels first, and of a row."""
    layers = [L.Input((4, 3, 5)), L.Conv2D(6, 1)] if kind == "image" else [L.Input((4,)), L.Dense(6)]
    model = Sequential([*layers, L.Activation(name, name="a")])
    randomize(model, 0)
    check(model, tmp_path / "a.onnx")


@pytest.mark.parametrize(
    ("size", "stride", "dilation", "padding"),
    [(1, 2, 1, "same"), (2, 3, 1, "same"), (3, 2, 1, "same"), (5, 1, 2, "same"), (3, 2, 1, "valid"), (4, 1, 1, "same")],
)
def test_windows_on_images_of_any_size(size, stride, dilation, padding, tmp_path):
    x = L.Input((None, None, 3))
    window = {"strides": stride, "padding": padding}
    y = L.Conv2D(4, size, **window, dilation_rate=dilation)(x)
    y = L.DepthwiseConv2D(2, padding="same", dilation_rate=2)(y)
    ends = [L.MaxPooling2D(max(stride, 2), **window)(y), L.AveragePooling2D(max(stride, 2), **window)(y)]
    model = Model(x, ends)
    randomize(model, 1)
    check(model, tmp_path / "a.onnx")
    check(model, tmp_path / "a.onnx", sides=(12, 11))


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("taps", [1, 2, 3, 5])
@pytest.mark.parametrize(
    ("padding", "extra"), [("same", None), ("valid", None), ("same", 0), ("valid", 0), ("same", 1)]
)
def test_transposed_convolutions(taps, stride, padding, extra, tmp_path):
    if extra == 1 and stride == 1:
        pytest.skip("output_padding is less than the stride")
    layer = L.Conv2DTranspose(2, taps, strides=stride, padding=padding, output_padding=extra)
    model = Sequential([L.Input((4, 5, 3)), layer])
    randomize(model, 0)
    check(model, tmp_path / "a.onnx", (2,))


def branches() -> Model:
    """Images with channels first and last, joined; a model in a model, used twice; operators with constants."""
    x, z = L.Input((6, 6, 3), name="x"), L.Input((6, 6, 3), name="z")
    base = Sequential([L.Input((6, 6, 3)), L.Conv2D(3, 3, padding="same"), L.BatchNormalization()], name="base")
    a = base(x, training=False)
    b = L.Concatenate()([a, base(z), x])
    c = L.Concatenate(axis=1)([a, L.ReLU(2.0, 0.25, 0.5)(a)])
    d = 1 - a * np.array([1, 2, 3], np.float32) / (x * x + 2)
    e = L.Softmax(axis=3)(L.PReLU()(a))
    rows = L.BatchNormalization()(L.Reshape((36, 9))(b))
    return Model([x, z], [rows, L.Permute((2, 1, 3))(c), d, L.Operation("Silu")(-d), e, z, L.Dropout(0.5)(z)])


def test_a_graph_of_many_kinds(tmp_path):
    model = branches()
    randomize(model, 0)
    check(model, tmp_path / "a.onnx")


def test_channels_first_and_layers_as_activations(tmp_path):
    first: Any = {"data_format": "channels_first"}
    x = inputs = L.Input((3, 9, 8))
    x = L.Conv2D(4, 3, activation=L.LeakyReLU(0.1), **first)(L.ZeroPadding2D(((1, 0), (2, 1)), **first)(x))
    x = shortcut = L.MaxPooling2D(**first)(L.BatchNormalization(axis=1)(x))
    x = L.SeparableConv2D(4, 3, padding="same", activation="relu", **first)(x)
    x = L.Add()([x * L.GlobalAveragePooling2D(keepdims=True, **first)(x), shortcut])
    x = L.Conv2DTranspose(3, 2, dilation_rate=2, **first)(L.Concatenate(axis=1)([x, shortcut]))
    x = L.Conv2D(3, 1, activation="softmax", **first)(L.UpSampling2D(**first)(x))
    model = Model(inputs, [x, L.Dense(2)(L.Flatten(**first)(x)), L.Flatten()(x)])
    randomize(model, 0)
    check(model, tmp_path / "a.onnx")
    export(model, tmp_path / "a.onnx")
    kinds = [node.op_type for node in onnx.load(tmp_path / "a.onnx").graph.node]
    assert kinds.count("Transpose") == 1  # for Flatten(data_format="channels_first") alone


def test_an_operation_without_a_form_is_refused_by_name(tmp_path):
    model = Model(x := L.Input((4, 3)), L.Operation("Mean", "middle", axis=1)(x))
    with pytest.raises(UnsupportedError, match="operation middle: Mean has no form in ONNX"):
        export(model, tmp_path / "a.onnx")


@settings(max_examples=40)
@given(nets())
def test_random_nets(tmp_path_factory, model):
    check(model, tmp_path_factory.mktemp("net") / "a.onnx")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("GoogLeNet", {"include_top": False, "input_shape": (33, 36, 3)}),
        ("InceptionResNetV2", {"include_top": False, "input_shape": (75, 76, 3)}),
        ("ConvNeXtTiny", {"include_top": False, "input_shape": (33, 40, 3)}),
        ("EfficientNetB0", {"include_top": False, "pooling": "avg", "input_shape": (33, 40, 3)}),
        ("EfficientNetV2B0", {"classes": 4, "input_shape": (33, 40, 3)}),
        ("MobileNetV3Small", {"classes": 4, "input_shape": (33, 40, 3)}),
        ("MobileNet", {"alpha": 0.25, "input_shape": (64, 64, 3)}),
        ("MobileNetV2", {"alpha": 0.35, "input_shape": (65, 65, 3)}),
        ("NASNetMobile", {"include_top": False, "input_shape": (33, 32, 3)}),
        ("ResNet50", {"include_top": False, "pooling": "avg", "input_shape": (64, 64, 3)}),
        ("VGG16", {"include_top": False, "input_shape": (48, 33, 3)}),
    ],
)
def test_whole_networks(name, options, tmp_path):
    model = getattr(applications, name)(weights=None, **options)
    weights = [(layer.name, weight) for layer in model.layers for weight in layer.weights]
    model.set_weights([make_weight(f"{layer}/{w.name}", w.shape, 1.0) for layer, w in weights])
    check(model, tmp_path / "a.onnx", (2,))


def test_the_command_writes_a_file_that_says_how_pictures_are_prepared(tmp_path, capsys):
    model = Sequential([L.Input((8, 8, 3), name="pictures"), L.Flatten(), L.Dense(2, activation="softmax", name="end")])
    model.metadata = {"preprocessing": "tf", "class_names": ["cat", "dog"]}
    model.save(tmp_path / "a.keras")
    assert main(["export", str(tmp_path / "a.keras"), str(tmp_path / "a.onnx")]) == 0
    assert "386 weights" in capsys.readouterr().out
    proto = onnx.load(tmp_path / "a.onnx")
    assert json.loads(proto.metadata_props[0].value) == model.metadata
    assert [given.name for given in proto.graph.input] == ["pictures"]
    assert [given.name for given in proto.graph.output] == ["end"]
    assert [d.dim_value or d.dim_param for d in proto.graph.input[0].type.tensor_type.shape.dim] == ["N", 8, 8, 3]


def test_what_onnx_does_not_hold_is_refused(tmp_path):
    x = L.Input((4,))
    with pytest.raises(UnsupportedError, match=r"layer d \(Dropout\) is called with training=True"):
        export(Model(x, L.Dropout(0.5, name="d")(x, training=True)), tmp_path / "a.onnx")
    image = L.Input((5, 5, 2))
    with pytest.raises(UnsupportedError, match="layer a: AveragePooling2D"):
        export(Model(image, L.AveragePooling2D(1, 2, "same", name="a")(image)), tmp_path / "a.onnx")
    with pytest.raises(UnsupportedError, match="float64"):
        export(Sequential([L.Input((4,), dtype="float64"), L.Dense(2, dtype="float64")]), tmp_path / "a.onnx")
    with pytest.raises(ArgumentError, match=r"must end in \.onnx"):
        export(Sequential([L.Input((4,)), L.Dense(2)]), tmp_path / "a.pb")
    assert not list(tmp_path.iterdir())


def test_the_command_line_exports_a_state_dict(golden, tmp_path, capsys):
    state, path = tmp_path / "thin.safetensors", tmp_path / "thin.onnx"
    write(state, state_dict("timm.mobilenetv2_035", golden))
    assert main(["export", str(state), str(path)]) == 0
    x = np.random.default_rng(0).standard_normal((1, 224, 224, 3)).astype(np.float32)
    (found,) = run(path, x)
    wanted = applications.timm.mobilenetv2_035(weights=state, classes=CLASSES).predict(x)
    assert np.linalg.norm(found - wanted) <= 1e-5 * np.linalg.norm(wanted)
