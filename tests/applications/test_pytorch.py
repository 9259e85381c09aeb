"""torchvision's and timm's networks compute what PyTorch computes from the same state dict (tests/golden/pytorch)."""

import numpy as np
import pytest
from pytorch_weights import CASES, CLASSES, pictures, state_dict

from minicnn.applications import ResNet50, timm, torchvision
from minicnn.applications.state_dicts import identify
from minicnn.errors import ArgumentError, ShapeError, WeightsMismatchError
from minicnn.weights import open_weights
from minicnn.weights.safetensors import write

COUNTS = {  # parameters that PyTorch counts, without the statistics of batch normalisation
    "torchvision.vgg11": 132863336,
    "torchvision.vgg13": 133047848,
    "torchvision.vgg16": 138357544,
    "torchvision.vgg19": 143667240,
    "torchvision.vgg16_bn": 138365992,
    "torchvision.vgg19_bn": 143678248,
    "torchvision.resnet18": 11689512,
    "torchvision.resnet34": 21797672,
    "torchvision.resnet50": 25557032,
    "torchvision.resnet101": 44549160,
    "torchvision.resnet152": 60192808,
    "torchvision.alexnet": 61100840,
    "torchvision.convnext_tiny": 28589128,
    "torchvision.convnext_large": 197767336,
    "torchvision.densenet121": 7978856,
    "torchvision.densenet161": 28681000,
    "torchvision.densenet169": 14149480,
    "torchvision.densenet201": 20013928,
    "torchvision.googlenet": 6624904,
    "torchvision.inception_v3": 23834568,
    "torchvision.squeezenet1_0": 1248424,
    "torchvision.squeezenet1_1": 1235496,
    "torchvision.mobilenet_v2": 3504872,
    "torchvision.mobilenet_v3_large": 5483032,
    "torchvision.mobilenet_v3_small": 2542856,
    "torchvision.efficientnet_b0": 5288548,
    "torchvision.efficientnet_b4": 19341616,
    "torchvision.efficientnet_b7": 66347960,
    "torchvision.efficientnet_v2_s": 21458488,
    "torchvision.efficientnet_v2_m": 54139356,
    "torchvision.efficientnet_v2_l": 118515272,
}
PACKAGES = {"torchvision": torchvision, "timm": timm}


def network(name: str) -> torchvision.Network:
    package, constructor = name.split(".")
    return PACKAGES[package].NETWORKS[constructor]


@pytest.mark.parametrize("name", CASES)
def test_the_logits_are_pytorchs(name, golden, tmp_path):
    write(tmp_path / "model.safetensors", state_dict(name, golden))
    with np.load(golden / "pytorch" / f"{name}.npz") as file:
        expected = file["output"]
    shape = (CASES[name], CASES[name], 3)
    options = {"weights": tmp_path / "model.safetensors", "input_shape": shape, "classes": CLASSES}
    model = network(name)(**options, classifier_activation=None)
    assert model.load_report.unexpected == model.load_report.missing == []
    found = model.predict(pictures(CASES[name]))
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)
    mode = "tf" if name == "torchvision.googlenet" else "torch"
    assert model.metadata == {"architecture": name, "include_top": True, "preprocessing": mode}
    body = network(name)(include_top=False, weights=options["weights"], pooling="avg")
    assert body.load_report.missing == []
    assert body.load_report.unexpected


@pytest.mark.parametrize("name", COUNTS)
def test_the_number_of_parameters_is_pytorchs(name):
    assert sum(weight.size for weight in network(name)().trainable_weights) == COUNTS[name]


def test_every_network_is_named_as_its_package_names_it():
    for package, module in PACKAGES.items():
        for name, made in module.NETWORKS.items():
            assert made.name == f"{package}.{name}"
            assert getattr(module, name) is made


@pytest.mark.parametrize("name", ["torchvision.vgg11_bn", "timm.vgg11_bn"])
def test_vgg_takes_pictures_whose_features_fill_the_grid(name):
    assert network(name)(input_shape=(224, 32, 3)).output_shape == (None, 1000)
    with pytest.raises(ShapeError, match="224 to 255"):
        network(name)(input_shape=(64, 64, 3))
    assert network(name)(input_shape=(64, 64, 3), include_top=False).output_shape == (None, 2, 2, 512)


def test_alexnet_takes_pictures_whose_features_fill_the_grid():
    assert torchvision.alexnet(input_shape=(254, 63, 3)).output_shape == (None, 1000)
    with pytest.raises(ShapeError, match="of AlexNet take features of 6x6, of pictures of 223 to 254 pixels"):
        torchvision.alexnet(input_shape=(255, 255, 3))


@pytest.mark.parametrize("name", ["torchvision.googlenet", "torchvision.squeezenet1_1", "torchvision.convnext_tiny"])
def test_a_state_dict_is_told_by_its_modules_without_classifiers_of_training(name, golden, tmp_path):
    state = state_dict(name, golden)
    write(tmp_path / "model.safetensors", state)
    with open_weights(tmp_path / "model.safetensors") as file:
        assert str(identify(file)) == f"{name}, 10 classes"
    assert any(key.startswith("aux1.") for key in state) == (name == "torchvision.googlenet")


def test_a_model_of_keras_names_refuses_a_state_dict_and_says_what_takes_it(golden, tmp_path):
    write(tmp_path / "resnet.safetensors", state_dict("torchvision.resnet18", golden))
    with pytest.raises(WeightsMismatchError, match=r"minicnn.applications.torchvision and .timm build"):
        ResNet50(weights=None).load_weights(tmp_path / "resnet.safetensors")


def test_published_pickles_are_refused():
    with pytest.raises(ArgumentError, match=r"safetensors.torch.save_file"):
        torchvision.resnet18(weights="imagenet")
