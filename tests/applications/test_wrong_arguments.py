"""What is given to a network in the wrong place, or in PyTorch's order, is refused with the word that is meant."""

import re
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
from pytorch_weights import state_dict

from minicnn.applications import VGG16, EfficientNetB0, MobileNet, MobileNetV3Small, ResNet50, timm, torchvision
from minicnn.errors import ArgumentError, FileAccessError, FileFormatError, ShapeError, WeightsMismatchError
from minicnn.models import Model
from minicnn.weights.safetensors import write

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize("given", ["foo.h5", Path("foo.h5")])
@pytest.mark.parametrize(
    ("build", "argument"),
    [
        (EfficientNetB0, "include_top"),
        (torchvision.resnet18, "include_top"),
        (MobileNet, "input_shape"),
        (MobileNetV3Small, "input_shape"),
    ],
)
def test_weights_as_the_first_argument(build, argument, given):
    with pytest.raises(ArgumentError, match=rf"{argument} is .*: a file of weights is named by weights='foo.h5'"):
        build(given)


def test_include_top_is_a_switch():
    for given in (None, "no"):
        with pytest.raises(ArgumentError, match=f"include_top must be True or False; it is {given!r}"):
            VGG16(include_top=given, weights=None)


@pytest.mark.parametrize("build", [EfficientNetB0, ResNet50])
def test_imagenet_has_small_letters(build):
    with pytest.raises(ArgumentError, match="weights='ImageNet': the published weights are weights='imagenet', in"):
        build(weights="ImageNet")


@pytest.mark.parametrize("shape", [(3, 224, 224), (1, 96, 64), (3, None, None)])
def test_channels_come_last(shape):
    said = f"input_shape is {shape}: channels come last, as in {(*shape[1:], shape[0])}"
    with pytest.raises(ShapeError, match=re.escape(said)):
        VGG16(weights=None, include_top=False, input_shape=shape)
    with pytest.raises(ShapeError, match=r"at least 32x32; it is 3x8$"):
        VGG16(weights=None, include_top=False, input_shape=(3, 8, 8))


@pytest.mark.parametrize(
    ("name", "build", "called"),
    [
        ("torchvision.resnet18", ResNet50, "ResNet50"),
        ("torchvision.mobilenet_v2", timm.mobilenetv2_100, "timm.mobilenetv2_100"),
        ("timm.efficientnet_b0", torchvision.efficientnet_b0, "torchvision.efficientnet_b0"),
    ],
)
def test_a_state_dict_names_the_network_that_takes_it(name, build, called, golden, tmp_path):
    path = str(tmp_path / "net.safetensors")
    write(path, state_dict(name, golden))
    said = f"net.safetensors holds weights of {name}, 10 classes, not of {called}: build it as minicnn.applications."
    with pytest.raises(WeightsMismatchError) as caught:
        build(weights=path)
    assert said in str(caught.value)
    assert str(caught.value).endswith(f"{name}(weights={path!r}, classes=10)")


def test_another_variant_is_named_with_its_arguments(golden, tmp_path):
    write(tmp_path / "net.safetensors", state_dict("torchvision.resnet18", golden))
    MobileNet(weights=None, alpha=0.25, classes=5).save_weights(tmp_path / "thin.h5")
    MobileNet(weights=None, alpha=0.25, include_top=False).save_weights(tmp_path / "body.h5")
    for build, file, said in (
        (torchvision.resnet18, "net.safetensors", r"of torchvision.resnet18, 10 classes, not of the .*classes=10\)"),
        (MobileNet, "thin.h5", r"of MobileNet, alpha 0.25, 5 classes, not of the MobileNet .*classes=5, alpha=0.25\)"),
        (MobileNet, "body.h5", r"of MobileNet, alpha 0.25, no top, not of .*include_top=False, alpha=0.25\)"),
    ):
        with pytest.raises(WeightsMismatchError, match=f"{file} holds weights {said}$"):
            build(weights=tmp_path / file)


def test_a_layer_of_another_shape_in_the_right_network_is_named(golden, tmp_path):
    weights = state_dict("torchvision.resnet18", golden)
    weights["layer1.0.conv1.weight"] = weights["layer1.0.conv1.weight"].reshape(64, 9, 8, 8)
    write(tmp_path / "net.safetensors", weights)
    with pytest.raises(WeightsMismatchError, match=r"40 of 41 layers fit; .*'layer1.0.conv1': kernel is \(8, 8"):
        torchvision.resnet18(weights=tmp_path / "net.safetensors", classes=10)


def test_networks_that_two_packages_share_are_taken_by_either(golden, tmp_path):
    write(tmp_path / "net.safetensors", state_dict("torchvision.resnet18", golden))
    assert isinstance(timm.resnet18(weights=tmp_path / "net.safetensors", classes=10), Model)


def test_networks_of_torchvision_are_known_in_any_format(tmp_path):
    from minicnn.applications.from_weights import build, call, network_of

    model = torchvision.mobilenet_v3_small(include_top=False)
    for name in ("a.h5", "a.weights.h5", "a.safetensors"):
        model.save_weights(tmp_path / name)
        found = network_of(tmp_path / name)
        assert call(found) == "minicnn.applications.torchvision.mobilenet_v3_small(weights=FILE, include_top=False)"
        again = build(found, tmp_path / name)
        assert all(map(np.array_equal, again.get_weights(), model.get_weights()))


class ResNet18_Weights(Enum):
    DEFAULT = "an address"


@pytest.mark.parametrize("weights", ["IMAGENET1K_V1", "DEFAULT", "ImageNet", True, ResNet18_Weights.DEFAULT])
def test_names_of_weights_in_other_packages(weights, tmp_path, monkeypatch):
    said = f"torchvision.resnet18 takes weights from a file, not by a name ({weights}): in PyTorch, safetensors.torch."
    with pytest.raises(ArgumentError, match=re.escape(said)):
        torchvision.resnet18(weights=weights)
    with pytest.raises(ArgumentError, match=r"save_file\(timm.create_model\('resnet18', pretrained=True\)"):
        timm.resnet18(weights=weights)
    with pytest.raises(ArgumentError, match=r"weights='imagenet'|or a path"):
        VGG16(weights=weights)


def test_a_file_may_be_called_anything(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("DEFAULT").write_bytes(b"")
    with pytest.raises(FileFormatError, match="DEFAULT is empty"):
        torchvision.resnet18(weights="DEFAULT")
    Path("net.index").write_bytes(b"")
    with pytest.raises(FileAccessError, match="net is a TensorFlow checkpoint"):
        VGG16(weights="net")
