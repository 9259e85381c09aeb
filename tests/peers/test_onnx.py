"""ONNX Runtime computes from an exported model what minicnn computes.

onnx and onnxruntime are no dependencies: these tests run where they are installed, and are skipped elsewhere.
"""

import json
from typing import Any, Literal

import numpy as np
import pytest
from formula_weights import make_weight
from hypothesis import given, settings
from layer_cases import CASES, NUMBERED
from onnx_runs import check, run
from pytorch_weights import CLASSES, state_dict
from random_nets import nets, randomize

from minicnn import applications
from minicnn import layers as L
from minicnn.cli import main
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.layers.layer import constructor_arguments
from minicnn.models import Model, Sequential
from minicnn.onnx import export, to_onnx
from minicnn.onnx.layers import LAYERS
from minicnn.ops.activation import NAMES
from minicnn.weights.safetensors import write

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytestmark = pytest.mark.filterwarnings("default")


def case(name: str, index: int) -> Model:
    """A model of one layer of tests/layer_cases.py, or of none for an InputLayer."""
    arguments, shape = CASES[name][index]
    if shape is None:
        x = L.InputLayer(**arguments).output
        return Model(x, x)
    inputs = [L.Input(s) for s in shape] if isinstance(shape, list) else L.Input(shape)
    model = Model(inputs, L.CLASSES[name](**arguments, name="it")(inputs))
    randomize(model, 0)
    return model


@pytest.mark.parametrize(("name", "index"), NUMBERED)
def test_every_layer(name, index, tmp_path):
    check(case(name, index), tmp_path / "a.onnx")


@pytest.mark.parametrize("sides", [(6, 5), (None, 5)])
def test_an_empty_batch(sides, tmp_path):
    """Of layers whose output has a size to be found out.  (ONNX Runtime 1.32 ends the process in some others.)"""
    x = L.Input((*sides, 4))
    y = L.Conv2D(4, 3, padding="same")(x)
    ends = [L.Reshape((-1, 2, 5))(y), L.Reshape((2, 2, -1))(y), L.Flatten()(y), L.TimeDistributed(L.Dense(3))(y)]
    model = Model(x, ends)
    randomize(model, 0)
    check(model, tmp_path / "a.onnx", (0, 2), (6,))


WITHOUT_A_FORM: set[str] = set()
NOTHING_AT_INFERENCE = {
    *("ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "Identity"),
    *("InputLayer", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "StochasticDepth"),
    *("AugMix", "CutMix", "MixUp", "RandAugment", "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter"),
    *("RandomContrast", "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur"),
    *("RandomGrayscale", "RandomHeight", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization"),
    *("RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation", "RandomWidth"),
    *("RandomCrop", "RandomZoom", "Solarization"),
}


def test_every_class_has_a_form_or_is_known_to_have_none():
    assert L.CLASSES.keys() - LAYERS.keys() == WITHOUT_A_FORM
    assert LAYERS.keys() - L.CLASSES.keys() == {"Operation"}
    idle = {
        name for name in LAYERS.keys() & CASES if {n.op_type for n in to_onnx(case(name, 0)).graph.node} == {"Identity"}
    }
    assert idle == NOTHING_AT_INFERENCE


def test_the_first_layer_without_a_form_is_named_in_a_short_line(tmp_path, monkeypatch):
    for name in ("ELU", "Softmax"):
        monkeypatch.delitem(LAYERS, name)
    model = Sequential([L.Input((4,)), L.Dense(2), L.ELU(name="one"), L.Softmax(name="other")])
    with pytest.raises(UnsupportedError) as caught:
        export(model, tmp_path / "a.onnx")
    assert str(caught.value) == "layer one: ELU has no form in ONNX"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["image", "row"])
@pytest.mark.parametrize("name", NAMES)
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


def test_zeros_around_images_become_those_of_the_windows(tmp_path):
    x = L.Input((7, 8, 3))
    y = L.ZeroPadding2D(((1, 2), (3, 0)))(x)
    ends = [L.Conv2D(4, 3, 2)(y), L.DepthwiseConv2D(3)(y), L.SeparableConv2D(2, 3)(y)]
    model = Model(x, ends)
    randomize(model, 0)
    check(model, tmp_path / "a.onnx")
    assert "Pad" not in {node.op_type for node in to_onnx(model).graph.node}
    ends += [L.Conv2D(4, 3, padding="same")(y), L.MaxPooling2D()(y), y]
    check(Model(x, ends), tmp_path / "a.onnx")


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


@pytest.mark.parametrize("taps", [2, 3])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_layers_along_one_axis_take_any_number_of_steps(padding, taps, tmp_path):
    x = L.Input((None, 3))
    y = L.Conv1D(4, taps, padding="causal", dilation_rate=2)(x)
    y = L.BatchNormalization()(L.SeparableConv1D(5, taps, 2, padding)(y))
    y = L.PReLU(shared_axes=[1])(L.Conv1DTranspose(4, taps, 2, padding)(y))
    y = L.GroupNormalization(2)(L.ZeroPadding1D((1, 2))(L.Cropping1D((1, 0))(y)))
    y = L.Concatenate()([y, L.MaxPooling1D(2, 1, "same")(y), L.DepthwiseConv1D(3, padding="same")(y)])
    y = L.AveragePooling1D(2, padding=padding)(L.UpSampling1D(3)(y))
    both = [L.GlobalAveragePooling1D()(y), L.GlobalMaxPooling1D(keepdims=True)(y)]
    model = Model(x, [L.Permute((2, 1))(y), L.LSTM(3)(y), L.Reshape((-1, 2, 6))(y), *both])
    randomize(model, 2)
    check(model, tmp_path / "a.onnx", (2,), sides=(9,))
    check(model, tmp_path / "a.onnx", (1,), sides=(12,))


@pytest.mark.parametrize("sides", [(9, 7), (16, 5)])
def test_images_of_any_size(sides, tmp_path):
    x = L.Input((None, None, 4))
    ends = [L.Resizing(6, 11)(x), L.Resizing(5, 8, interpolation="nearest")(x), L.GroupNormalization(-1)(x)]
    ends.append(L.UpSampling2D(3, interpolation="bilinear")(x))
    check(Model(x, ends), tmp_path / "a.onnx", (2,), sides)


def old_crop(height: int, width: int, in_inference: Literal["middle", "corner"]) -> L.Layer:
    layer = L.RandomCrop(height, width)
    layer.in_inference = in_inference
    return layer


@pytest.mark.parametrize(
    ("layer", "side"),
    [
        (L.Resizing(3, 4, interpolation="bicubic"), None),
        (L.Resizing(3, 4, crop_to_aspect_ratio=True), None),
        (L.Resizing(3, 4, antialias=True), None),
        (L.CenterCrop(3, 4), None),
        (L.RandomCrop(3, 4), None),
        (L.UpSampling2D(3, interpolation="bicubic"), None),
        (L.UpSampling2D(3, interpolation="bicubic"), 5),
        (L.UpSampling2D(2, interpolation="lanczos5"), 5),
        (L.CenterCrop(3, 9), 6),
        (L.RandomCrop(5, 6), 6),
        *((old_crop(*size, "middle"), 6) for size in ((5, 6), (3, 4), (8, 7))),
        *((old_crop(*size, "corner"), 6) for size in ((5, 6), (3, 4), (8, 7), (6, 6), (3, 7))),
        (L.Resizing(8, 3, pad_to_aspect_ratio=True, interpolation="nearest"), 6),
        (L.Resizing(3, 8, antialias=True), 9),
    ],
)
def test_what_depends_on_the_size_of_images(layer, side, tmp_path):
    x = L.Input((side, side, 2))
    model = Model(x, layer(x))
    if side is not None:
        check(model, tmp_path / "a.onnx", (2,))
        return
    with pytest.raises(UnsupportedError, match=rf"layer {layer.name}: .* of any size has no form in ONNX; give"):
        export(model, tmp_path / "a.onnx")


@pytest.mark.parametrize("sides", [(4, 5), (6, 7)])
def test_strides_beyond_the_window(sides, tmp_path):
    x = L.Input((*sides, 2))
    ends = [kind((1, 2), (2, 3), "same")(x) for kind in (L.AveragePooling2D, L.MaxPooling2D)]
    check(Model(x, ends), tmp_path / "a.onnx")


@pytest.mark.parametrize(
    ("axes", "shapes"),
    [(-1, [(3,), (3,)]), ((1, 2), [(4, 2), (3, 4)]), ((3, 1), [(2, 3, 4), (4,)]), (1, [(3, 2), (3,)])],
)
@pytest.mark.parametrize("normalize", [False, True])
def test_products_of_samples(axes, shapes, normalize, tmp_path):
    inputs = [L.Input(shape) for shape in shapes]
    check(Model(inputs, L.Dot(axes, normalize)(inputs)), tmp_path / "a.onnx", (2,))


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


@pytest.mark.parametrize(
    ("name", "index"), [case for case in NUMBERED if "data_format" in constructor_arguments(L.CLASSES[case[0]])]
)
def test_every_layer_with_channels_first(name, index, tmp_path):
    arguments, shape = CASES[name][index]
    layer = L.CLASSES[name](**{**arguments, "data_format": "channels_first"}, name="it")
    place = getattr(layer, "first", 1) % (1 + len(shape)) - 1
    x = L.Input((*shape[:place], shape[-1], *shape[place:-1]))
    model = Model(x, layer(x))
    randomize(model, 0)
    check(model, tmp_path / "a.onnx", (2,))


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
    image = L.Input((5, None, 2))
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
