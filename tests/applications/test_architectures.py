"""The published architectures: sizes, tops, inputs, and weights from files."""

import numpy as np
import pytest

from minicnn import applications
from minicnn.applications import (
    VGG16,
    EfficientNetB0,
    GoogLeNet,
    InceptionV3,
    MobileNet,
    MobileNetV2,
    MobileNetV3Small,
    NASNetLarge,
    NASNetMobile,
    ResNet50,
    SqueezeNet1_1,
    family,
)
from minicnn.errors import (
    ArgumentError,
    DownloadError,
    FileAccessError,
    MinicnnError,
    ShapeError,
    WeightsMismatchError,
)
from minicnn.layers import BatchNormalization, Conv2D, Dense, Input
from minicnn.layers.naming import reset_names
from minicnn.models import Model

pytestmark = pytest.mark.numpy_only
V2 = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels"


@pytest.mark.parametrize(("alpha", "count"), [(0.25, 475_544), (0.5, 1_342_536), (0.75, 2_601_976)])
def test_thin_mobilenets(alpha, count):
    assert MobileNet(weights=None, alpha=alpha).count_params() == count
    assert MobileNet(weights=None, alpha=alpha).output_shape == (None, 1000)


@pytest.mark.parametrize(
    ("alpha", "top", "body", "channels"),
    [
        (0.35, 1_691_208, 410_208, 1280),
        (0.5, 1_987_224, 706_224, 1280),
        (0.75, 2_663_064, 1_382_064, 1280),
        (1.0, 3_538_984, 2_257_984, 1280),
        (1.3, 5_431_048, 3_766_048, 1664),
        (1.4, 6_156_712, 4_363_712, 1792),
    ],
)
def test_widths_of_mobilenet_v2(alpha, top, body, channels):
    assert MobileNetV2(weights=None, alpha=alpha).count_params() == top
    features = MobileNetV2(weights=None, alpha=alpha, include_top=False, pooling="avg")
    assert features.count_params() == body
    assert features.output_shape == (None, channels)


def test_statistics_of_mobilenet_v2_move_slowly():
    norms = [layer for layer in MobileNetV2(weights=None).layers if isinstance(layer, BatchNormalization)]
    assert {(norm.momentum, norm.epsilon) for norm in norms} == {(0.999, 1e-3)}
    assert len(norms) == 52


@pytest.mark.parametrize(("build", "stem"), [(MobileNet, "mobilenet"), (MobileNetV2, "mobilenetv2")])
def test_a_mobilenet_is_named_by_width_and_size(build, stem):
    assert build(weights=None, alpha=0.5).name == f"{stem}_0.50_224"
    assert build(weights=None, include_top=False, input_shape=(96, 64, 3)).name == f"{stem}_1.00_96"
    assert build(weights=None, include_top=False).name == f"{stem}_1.00_None"


@pytest.mark.parametrize(
    ("size", "padding"),
    [
        ((None, None), ((0, 1), (0, 1))),
        ((None, 65), ((0, 1), (0, 1))),
        ((64, 64), ((0, 1), (0, 1))),
        ((65, 64), ((1, 1), (0, 1))),
        ((64, 65), ((0, 1), (1, 1))),
    ],
)
def test_padding_of_mobilenet_v2_depends_on_the_parity_of_each_side(size, padding):
    model = MobileNetV2(weights=None, alpha=0.35, include_top=False, input_shape=(*size, 3))
    assert model.get_layer("block_1_pad").padding == padding


@pytest.mark.parametrize(
    ("build", "options", "file"),
    [
        (applications.ResNet50V2, {}, "resnet50v2_weights_tf_dim_ordering_tf_kernels.h5"),
        (applications.DenseNet169, {}, "densenet169_weights_tf_dim_ordering_tf_kernels.h5"),
        (applications.Xception, {"include_top": False}, "xception_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        (applications.InceptionV3, {}, "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"),
        (
            applications.InceptionResNetV2,
            {"include_top": False},
            "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
        ),
        (applications.NASNetMobile, {}, "nasnet_mobile.h5"),
        (applications.NASNetLarge, {"include_top": False}, "nasnet_large_no_top.h5"),
        (MobileNet, {}, "mobilenet_1_0_224_tf.h5"),
        (MobileNet, {"alpha": 0.25, "input_shape": (160, 160, 3)}, "mobilenet_2_5_160_tf.h5"),
        (MobileNet, {"include_top": False, "input_shape": (128, 160, 3)}, "mobilenet_1_0_224_tf_no_top.h5"),
        (MobileNetV2, {}, f"{V2}_1.0_224.h5"),
        (MobileNetV2, {"alpha": 0.35, "input_shape": (96, 96, 3)}, f"{V2}_0.35_96.h5"),
        (MobileNetV2, {"include_top": False}, f"{V2}_1.0_224_no_top.h5"),
        (MobileNetV2, {"include_top": False, "input_shape": (128, 128, 3)}, f"{V2}_1.0_128_no_top.h5"),
        (MobileNetV2, {"include_top": False, "input_shape": (32, 32, 3)}, f"{V2}_1.0_224_no_top.h5"),
        (MobileNetV2, {"include_top": False, "alpha": 1.4, "input_shape": (192, 192, 3)}, f"{V2}_1.4_224_no_top.h5"),
    ],
)
def test_which_published_file_serves(build, options, file, asked):
    with pytest.raises(DownloadError):
        build(weights="imagenet", **options)
    assert asked == [file]


def test_pooling_and_sizes():
    for pooling, shape in ((None, (None, 2, 1, 256)), ("avg", (None, 256)), ("max", (None, 256))):
        model = MobileNet(weights=None, alpha=0.25, include_top=False, input_shape=(64, 32, 3), pooling=pooling)
        assert model.output_shape == shape
        x = np.random.default_rng(0).standard_normal((1, 64, 32, 3))
        assert model.predict(x).shape == (1, *shape[1:])


def test_average_and_maximum_are_of_the_same_features():
    x = np.random.default_rng(0).standard_normal((1, 64, 64, 3))
    models = [
        MobileNet(weights=None, alpha=0.25, include_top=False, pooling=pooling) for pooling in (None, "avg", "max")
    ]
    for model in models[1:]:
        model.set_weights(models[0].get_weights())
    features, mean, most = (model.predict(x) for model in models)
    np.testing.assert_allclose(mean, features.mean((1, 2)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(most, features.max((1, 2)), rtol=1e-4, atol=1e-6)


def test_classes_and_the_last_activation():
    model = MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), classes=7)
    p = model.predict(np.zeros((2, 32, 32, 3)))
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-5)
    assert p.shape == (2, 7)
    logits = ResNet50(weights=None, input_shape=(32, 32, 3), classes=5, classifier_activation=None)
    assert logits.layers[-1].activation == "linear"
    assert logits.output_shape == (None, 5)


@pytest.mark.parametrize("name", ["ResNet50", "ResNet50V2", "DenseNet121"])
def test_the_pooling_has_a_name_where_keras_gives_it_one(name):
    for pooling in ("avg", "max"):
        model = getattr(applications, name)(weights=None, include_top=False, pooling=pooling)
        assert model.layers[-1].name == f"{pooling}_pool"


@pytest.mark.parametrize(
    ("name", "least", "features"),
    [
        ("Xception", 71, (3, 3, 2048)),
        ("AlexNet", 63, (1, 1, 256)),
        ("SqueezeNet1_0", 21, (1, 1, 512)),
        ("InceptionV3", 75, (1, 1, 2048)),
        ("InceptionResNetV2", 75, (1, 1, 1536)),
        ("NASNetMobile", 32, (1, 1, 1056)),
        ("GoogLeNet", 15, (1, 1, 1024)),
    ],
)
def test_the_features_of_the_least_picture(name, least, features):
    build = getattr(applications, name)
    assert build(weights=None, include_top=False, input_shape=(least, least, 3)).output_shape == (None, *features)
    with pytest.raises(ShapeError, match=f"at least {least}x{least}"):
        build(weights=None, include_top=False, input_shape=(least, least - 1, 3))


def test_a_pooling_of_squeezenet_takes_in_the_last_row_and_column():
    for side, rows in ((35, 8), (36, 8), (37, 9), (38, 9)):  # conv1 makes 17, 17, 18 and 18 rows of them
        model = SqueezeNet1_1(weights=None, include_top=False, input_shape=(side, side, 3))
        assert model.get_layer("pool1").output.shape[1:3] == (rows, rows)


def test_a_pooling_of_googlenet_takes_in_the_last_row_and_column():
    for side, rows in ((31, (8, 4, 2, 1)), (33, (8, 4, 2, 1)), (35, (9, 4, 2, 1)), (37, (9, 4, 2, 1))):
        model = GoogLeNet(weights=None, include_top=False, input_shape=(side, side, 3))
        assert tuple(model.get_layer(f"maxpool{i}").output.shape[1] for i in range(1, 5)) == rows


@pytest.mark.parametrize("first", [1, 94])
@pytest.mark.parametrize("file", ["w.h5", "w.weights.h5"])
def test_names_count_on_and_do_not_matter_to_files(first, file, tmp_path):
    """The convolutions of InceptionV3 have no names of their own; in the published file they count from 1."""
    options = {"include_top": False, "input_shape": (75, 75, 3)}
    reset_names()
    for _ in range(first):
        Conv2D(1, 1), BatchNormalization()
    source = InceptionV3(weights=None, **options)
    assert source.layers[1].name == f"conv2d_{first}"
    source.save_weights(tmp_path / file)
    reset_names()
    model = InceptionV3(weights=tmp_path / file, **options)
    assert model.layers[1].name == "conv2d"
    for a, b in zip(model.weights, source.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_nasnet_large_has_the_sizes_of_its_published_weights(monkeypatch):
    """Without top and sizes Keras builds another network, which none of the published files fits."""
    monkeypatch.setattr(family, "load_weights", lambda model, path, allow_head: None)
    built = NASNetLarge(weights="nasnet_large_no_top.h5", include_top=False)
    assert (built.input_shape, built.count_params()) == ((None, 331, 331, 3), 84_916_818)
    built = NASNetLarge(weights=None, include_top=False)
    assert (built.input_shape, built.count_params()) == ((None, None, None, 3), 84_887_922)


def test_a_given_input():
    x = Input((40, 40, 1), name="grey")
    model = VGG16(weights=None, include_top=False, input_tensor=x)
    assert model.inputs == [x]
    assert model.weights[0].shape == (3, 3, 1, 64)


@pytest.mark.parametrize("from_file", [False, True])
def test_what_made_a_given_input_belongs_to_the_model(from_file, tmp_path):
    weights = None
    if from_file:
        weights = tmp_path / "w.h5"
        VGG16(weights=None, include_top=False).save_weights(weights)
    x = Input((40, 40, 1), name="grey")
    model = VGG16(weights=weights, include_top=False, input_tensor=Conv2D(3, 1, name="colours")(x))
    assert (model.inputs, model.name) == ([x], "vgg16")
    assert [layer.name for layer in model.layers[:3]] == ["grey", "colours", "block1_conv1"]
    assert model.metadata["architecture"] == "VGG16"
    assert (model.load_report is not None) == from_file


def test_metadata():
    assert VGG16(weights=None).metadata == {
        "architecture": "VGG16",
        "include_top": True,
        "preprocessing": "caffe",
    }
    assert MobileNet(weights=None, include_top=False, input_shape=(32, 32, 3)).metadata == {
        "architecture": "MobileNet",
        "include_top": False,
        "preprocessing": "tf",
    }


def test_a_body_takes_the_file_of_a_whole_net_and_lists_its_head(tmp_path):
    options = {"weights": None, "alpha": 0.25, "input_shape": (32, 32, 3)}
    whole, body = MobileNet(**options, classes=7), MobileNet(**options, include_top=False)
    whole.save_weights(tmp_path / "whole.h5")
    report = body.load_weights(tmp_path / "whole.h5")
    assert report.unexpected == ["conv_preds"]
    assert not report.missing
    for layer in body.layers[1:]:
        for a, b in zip(layer.get_weights(), whole.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    made = MobileNet(**{**options, "weights": tmp_path / "whole.h5"}, include_top=False)
    assert made.load_report.unexpected == ["conv_preds"]
    body.save_weights(tmp_path / "body.h5")
    with pytest.raises(WeightsMismatchError):
        whole.load_weights(tmp_path / "body.h5")


SMALL = {"alpha": 0.25, "input_shape": (32, 32, 3)}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A small MobileNet with a head of 3 classes, in every format, and its body alone."""
    folder = tmp_path_factory.mktemp("mobilenet")
    model = MobileNet(weights=None, classes=3, **SMALL)
    for name in ("top.h5", "top.weights.h5"):
        model.save_weights(folder / name)
    model.save(folder / "top.keras")
    model.save(folder / "whole.h5")
    MobileNet(weights=None, include_top=False, **SMALL).save_weights(folder / "body.h5")
    return folder, model


@pytest.mark.parametrize("name", ["top.h5", "top.weights.h5", "top.keras", "whole.h5"])
def test_weights_from_a_path(files, name):
    folder, source = files
    model = MobileNet(weights=folder / name, classes=3, **SMALL)
    for a, b in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["top.h5", "top.weights.h5", "top.keras"])
def test_a_file_with_a_head_fills_a_body(files, name):
    folder, source = files
    model = MobileNet(weights=str(folder / name), include_top=False, **SMALL)
    for a, b in zip(model.get_weights(), source.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_with_the_top_both_must_fit(files, tmp_path):
    folder, source = files
    longer = Model(source.inputs, Dense(2)(source.output))
    longer.save_weights(tmp_path / "longer.h5")
    with pytest.raises(WeightsMismatchError, match="dense"):
        MobileNet(weights=tmp_path / "longer.h5", classes=3, **SMALL)
    with pytest.raises(WeightsMismatchError, match=r"no top, not of the .*include_top=False, alpha=0.25\)"):
        MobileNet(weights=folder / "body.h5", classes=3, **SMALL)
    with pytest.raises(WeightsMismatchError, match=r"3 classes, not of the .*classes=3, alpha=0.25\)"):
        MobileNet(weights=folder / "top.h5", classes=4, **SMALL)
    with pytest.raises(WeightsMismatchError):
        MobileNet(weights=folder / "top.h5", include_top=False, alpha=0.5, input_shape=(32, 32, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: VGG16(weights=None, input_shape=(224, 224)),
            ShapeError,
            r"must be \(height, width, channels\); it is \(224, 224\)",
        ),
        (
            lambda: VGG16(weights=None, include_top=False, input_shape=(31, 64, 3)),
            ShapeError,
            "at least 32x32; it is 31x64",
        ),
        (
            lambda: VGG16(weights=None, input_shape=(None, None, 3)),
            ShapeError,
            "include_top=True needs a fixed input size",
        ),
        (
            lambda: VGG16(weights=None, include_top=False, pooling="mean"),
            ArgumentError,
            "pooling must be None, 'avg' or 'max'; it is 'mean'",
        ),
        (
            lambda: VGG16(weights="imagenet", classes=10),
            ArgumentError,
            "has 1000 classes, not 10; use include_top=False",
        ),
        (lambda: VGG16(weights=None, input_shape=5), ArgumentError, "input_shape must be a list or tuple; it is 5"),
        (lambda: VGG16(weights=None, input_shape=("a", 32, 3)), ShapeError, "input_shape must be .height, width"),
        (lambda: VGG16(weights=5), ArgumentError, "weights must be None, 'imagenet' or a path; it is 5"),
        (lambda: EfficientNetB0(weights=5), ArgumentError, "weights must be None, 'imagenet' or a path; it is 5"),
        (lambda: MobileNet(weights=np.zeros(2)), ArgumentError, "weights must be None, 'imagenet' or a path; it is"),
        (lambda: NASNetMobile(weights=np.zeros(2)), ArgumentError, "weights must be None, 'imagenet' or a path; it is"),
        (
            lambda: applications.torchvision.resnet18(weights=np.zeros(2)),
            ArgumentError,
            "weights must be None, 'imagenet' or a path; it is",
        ),
        (lambda: VGG16(weights=None, input_tensor=np.ones(2)), ArgumentError, "input_tensor must be what Input"),
        (lambda: MobileNet(weights=None, alpha="a"), ArgumentError, "MobileNet: alpha must be a number in .0, inf."),
        (lambda: MobileNetV2(weights=None, alpha=float("nan")), ArgumentError, "alpha must be a number"),
        (lambda: MobileNetV3Small(weights=None, alpha=-1), ArgumentError, "MobileNetV3Small: alpha must be"),
        (lambda: MobileNet(weights="imagenet", alpha=0.3), ArgumentError, "alpha"),
        (lambda: MobileNet(weights="imagenet", input_shape=(150, 150, 3)), ArgumentError, "160, 192.*got 150x150"),
        (lambda: MobileNet(weights="imagenet", input_shape=(128, 160, 3)), ArgumentError, "squares .*got 128x160"),
        (lambda: MobileNet(weights="imagenet", depth_multiplier=2), ArgumentError, "depth_multiplier 1; got 2"),
        (lambda: MobileNetV2(weights="imagenet", alpha=0.25), ArgumentError, r"alpha 0\.35, 0\.5, .*1\.4 and rows"),
        (
            lambda: MobileNetV2(weights="imagenet", alpha=1.3, input_shape=(192, 192, 3)),
            ArgumentError,
            r"squares of 224 pixels at alpha 1\.3; got 192x192",
        ),
        (lambda: SqueezeNet1_1(), ArgumentError, "no ImageNet weights are published for 'SqueezeNet1_1'"),
        (lambda: GoogLeNet(), ArgumentError, "no ImageNet weights are published for 'GoogLeNet'"),
        (
            lambda: NASNetMobile(weights="imagenet", include_top=False, input_shape=(None, 224, 3)),
            ShapeError,
            r"NASNetMobile: weights='imagenet' need a fixed input size; it is \(None, 224, 3\)",
        ),
        (lambda: VGG16(weights="no/such/file.h5"), FileAccessError, "file.h5"),
        (
            lambda: VGG16(weights=None, classifier_activation="soft"),
            ArgumentError,
            "layer predictions: unknown activation",
        ),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert isinstance(caught.value, MinicnnError)
    assert "\n" not in str(caught.value)
