"""Bases: by name with a file, whole models, weights alone, and every way to name a wrong one."""

import numpy as np
import pytest
from pytorch_weights import state_dict
from transfer_cases import SIDE, small_net

from minicnn import applications
from minicnn.applications import MobileNet, MobileNetV2
from minicnn.errors import ArgumentError, FileAccessError, FileFormatError, UnsupportedError, WeightsMismatchError
from minicnn.layers import Conv2D, Dense, Flatten, GlobalAveragePooling2D, Input, Rescaling
from minicnn.models import Model, Sequential
from minicnn.transfer import class_names_of, load_base, preparation_of
from minicnn.transfer.base import NAMES
from minicnn.weights.safetensors import write


@pytest.fixture(scope="module")
def mobilenet_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "thin.h5"
    MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), classes=7).save_weights(path)
    return str(path)


def test_a_named_base_takes_its_width_from_the_file(mobilenet_file):
    base = load_base("mobilenet", mobilenet_file, size=32)
    assert (base.name, base.weights) == ("MobileNet, alpha 0.25", "thin.h5")
    assert base.model.outputs[0].shape == (None, 256)
    assert (base.preparation.preprocessing, base.preparation.rule.size) == ("tf", (32, 32))
    assert base.sha256 is not None
    assert len(base.sha256) == 64


def test_a_file_with_weights_alone_names_its_base(mobilenet_file):
    named, told = load_base("mobilenet", mobilenet_file, size=32), load_base(mobilenet_file, size=32)
    x = np.zeros((1, 32, 32, 3), np.float32)
    assert told.name == named.name
    np.testing.assert_array_equal(told.model.predict(x), named.model.predict(x))


@pytest.mark.parametrize(("alpha", "features"), [(0.35, 1280), (1.3, 1664)])
def test_mobilenet_v2_is_a_base_by_name_and_by_its_file(alpha, features, tmp_path):
    path = str(tmp_path / "two.h5")
    MobileNetV2(weights=None, alpha=alpha, input_shape=(32, 32, 3), classes=7).save_weights(path)
    for base in (load_base("mobilenetv2", path, size=32), load_base(path, size=32)):
        assert base.name == f"MobileNetV2, alpha {alpha:g}"
        assert base.model.outputs[0].shape == (None, features)
        assert base.preparation.preprocessing == "tf"
    with pytest.raises(ArgumentError, match=rf"weights of MobileNetV2, alpha {alpha}.*use base mobilenetv2"):
        load_base("mobilenet", path)


def test_damaged_weights_of_mobilenet_v2_are_of_the_width_that_their_kernels_tell(tmp_path):
    import h5py

    path = tmp_path / "thin.h5"
    MobileNetV2(weights=None, alpha=0.5, input_shape=(32, 32, 3), include_top=False).save_weights(path)
    with h5py.File(path, "r+") as file:
        group = file["block_3_depthwise"]
        place = group.attrs["weight_names"][0]
        del group[place]
        group[place] = np.ones((5, 5, 96, 1), np.float32)
    with pytest.raises(WeightsMismatchError, match=r"103 of 104 layers fit.*block_3_depthwise.*\(5, 5, 96, 1\)"):
        load_base("mobilenetv2", path, size=32)


def test_of_two_networks_that_are_the_same_the_named_one_is_taken(golden, tmp_path):
    path = tmp_path / "net.safetensors"
    write(path, state_dict("torchvision.resnet18", golden))
    assert load_base("timm.resnet18", path, size=32).name == "timm.resnet18"
    with pytest.warns(UserWarning, match=r"torchvision.resnet18, 10 classes; if they are those of timm.resnetblur18"):
        unnamed = load_base(path, size=32).name
    assert unnamed == load_base("torchvision.ResNet18", path, size=32).name


def test_a_whole_model_loses_its_classifier(net_file):
    base = load_base(net_file)
    assert base.model.outputs[0].shape == (None, 8)
    assert base.preparation.preprocessing == "tf"
    assert base.preparation.rule.size == (SIDE, SIDE)


def test_weights_of_another_architecture_are_refused(mobilenet_file):
    with pytest.raises(ArgumentError, match=r"weights of MobileNet, alpha 0.25.*use base mobilenet"):
        load_base("vgg16", mobilenet_file)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "said"),
    [
        (
            ("mobilnet",),
            {},
            ArgumentError,
            r"no base 'mobilnet', did you mean mobilenet\? use one that minicnn models lists",
        ),
        (("missing.h5",), {}, FileAccessError, "missing.h5"),
        (("bundled", "x.h5"), {}, ArgumentError, "weights are for a base that has a name"),
        (("mobilenet", "missing.h5"), {}, FileAccessError, "missing.h5"),
    ],
)
def test_a_base_that_is_not_there_is_refused(arguments, options, error, said):
    with pytest.raises(error, match=said):
        load_base(*arguments, **options)


@pytest.mark.parametrize(("name", "row"), NAMES.items())
def test_a_size_that_an_architecture_does_not_take_is_refused(name, row):
    least = row.least
    with pytest.raises(ArgumentError, match=f"{row.name} takes pictures of at least {least} x {least} pixels"):
        load_base(name, size=least - 1)


def test_names_of_bases_may_have_capital_letters(mobilenet_file):
    assert load_base("MobileNet", mobilenet_file, size=32).name == "MobileNet, alpha 0.25"
    assert load_base("Bundled").weights == load_base("bundled").weights


def test_a_size_that_the_model_does_not_take_is_refused(net_file):
    with pytest.raises(ArgumentError, match="takes pictures of 24 × 24 pixels, not of 30 × 30"):
        load_base(net_file, size=30)


def test_a_model_that_does_not_say_how_pixels_are_prepared_needs_to_be_told(tmp_path):
    path = str(tmp_path / "silent.keras")
    small_net().save(path)
    with pytest.raises(ArgumentError, match=r"add --preprocessing caffe\|tf\|torch\|unit\|none"):
        load_base(path)
    assert load_base(path, preprocessing="caffe").preparation.preprocessing == "caffe"


@pytest.mark.parametrize(
    ("name", "inside", "said"),
    [
        ("MobileNetV2", None, "; it looks like MobileNetV2, alpha 0.35, which usually takes tf"),
        (
            "MobileNetV2",
            Rescaling(1 / 255),
            "; it begins with layers that compute with the pixels, which usually means none",
        ),
        ("MobileNetV3Small", None, "; it looks like MobileNetV3Small, minimalistic, which usually takes none"),
    ],
)
def test_the_usual_preprocessing_of_a_known_network_is_named(name, inside, said, tmp_path):
    choices = {"MobileNetV2": {"alpha": 0.35}, "MobileNetV3Small": {"minimalistic": True}}[name]
    base = getattr(applications, name)(weights=None, include_top=False, input_shape=(32, 32, 3), **choices)
    first = [] if inside is None else [inside]
    path = str(tmp_path / "silent.keras")
    Sequential([Input((32, 32, 3)), *first, base, GlobalAveragePooling2D(), Dense(3, activation="softmax")]).save(path)
    with pytest.raises(ArgumentError) as refusal:
        load_base(path)
    assert str(refusal.value).partition("which --help explains")[2] == said


def test_a_model_that_begins_with_preprocessing_usually_takes_pixels(tmp_path):
    path = str(tmp_path / "scaled.keras")
    Sequential([Input((8, 8, 3)), Rescaling(1 / 255), Conv2D(2, 3), GlobalAveragePooling2D(), Dense(2)]).save(path)
    with pytest.raises(
        ArgumentError, match="begins with layers that compute with the pixels, which usually means none"
    ):
        load_base(path)


def test_operations_on_pixels_are_preprocessing(tmp_path):
    base = MobileNetV2(weights=None, alpha=0.35, include_top=False, input_shape=(32, 32, 3), pooling="avg")
    pixels = Input((32, 32, 3))
    path = str(tmp_path / "operations.keras")
    Model(pixels, Dense(3)(base(pixels / 127.5 - 1.0))).save(path)
    with pytest.raises(ArgumentError, match="which usually means none"):
        load_base(path)


def test_a_whole_model_in_place_of_weights_is_a_base(net_file):
    with pytest.raises(ArgumentError, match="is a whole model, not weights of VGG16: use it as the base, --base /"):
        load_base("vgg16", net_file)


def test_unknown_weights_alone_are_refused(tmp_path):
    path = str(tmp_path / "some.h5")
    small_net().save_weights(path)
    with pytest.raises(FileFormatError, match="save the whole model in one file"):
        load_base(path)


def test_a_model_of_grey_pictures_is_a_base(tmp_path):
    path = str(tmp_path / "grey.keras")
    Sequential([Input((8, 8, 1)), Flatten(), Dense(2)]).save(path)
    base = load_base(path, preprocessing="tf")
    assert base.preparation.channels == 1
    assert base.model.outputs[0].shape == (None, 64)
    with pytest.raises(ArgumentError, match="'caffe' is for colour pictures"):
        load_base(path, preprocessing="caffe")


def test_a_model_of_other_inputs_is_refused(tmp_path):
    path = str(tmp_path / "two.keras")
    Sequential([Input((8, 8, 2)), Flatten(), Dense(2)]).save(path)
    with pytest.raises(UnsupportedError, match=r"takes inputs of shape \(8, 8, 2\)"):
        load_base(path, preprocessing="tf")


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"preprocessing": "magic"}, "names the preprocessing 'magic'"),
        ({"preprocessing": "tf", "resize": {"size": 3}}, "metadata is damaged"),
        ({"preprocessing": "tf", "resize": "crop"}, "metadata is damaged"),
        ({"class_names": ["a"]}, "tells 4 classes apart, but its metadata names 1"),
        ({"class_names": [1, 2, 3, 4]}, "not a list of texts"),
    ],
)
def test_damaged_metadata_is_refused(metadata, said):
    model = small_net(**metadata)
    read = class_names_of if "class_names" in metadata else preparation_of
    with pytest.raises(FileFormatError, match=said):
        read(model, "m.keras")
