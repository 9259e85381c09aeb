"""The places in which Keras keeps things lead to the same things here."""

from importlib import import_module

import numpy as np
import pytest

import minicnn
from minicnn.layers import Dense, Input
from minicnn.models import Sequential

pytestmark = pytest.mark.numpy_only
CAFFE = [[[[23.561, 10.721, 3.82]]]]


@pytest.mark.parametrize(
    ("module", "net"),
    [
        ("vgg16", "VGG16"),
        ("vgg19", "VGG19"),
        ("resnet50", "ResNet50"),
        ("resnet", "ResNet152"),
        ("inception_resnet_v2", "InceptionResNetV2"),
        ("inception_v3", "InceptionV3"),
        ("nasnet", "NASNetLarge"),
        ("mobilenet", "MobileNet"),
        ("mobilenet_v2", "MobileNetV2"),
        ("mobilenet_v3", "MobileNetV3Small"),
        ("efficientnet", "EfficientNetB7"),
        ("efficientnet_v2", "EfficientNetV2L"),
        ("convnext", "ConvNeXtXLarge"),
    ],
)
def test_applications_have_modules_of_their_own(module, net):
    place = import_module(f"minicnn.applications.{module}")
    assert getattr(minicnn.applications, module) is place
    assert getattr(place, net) is getattr(minicnn.applications, net)
    assert place.decode_predictions is minicnn.applications.decode_predictions
    grey = np.full((1, 1, 1, 3), 127.5)
    inside = module in ("mobilenet_v3", "efficientnet", "efficientnet_v2", "convnext")  # the net scales by itself
    expected = 127.5 if inside else CAFFE if module[:3] in ("vgg", "res") else 0
    assert np.allclose(place.preprocess_input(grey), expected, atol=1e-3)


def test_regularizers_initializers_and_constraints_are_taken_by_layers():
    from minicnn import constraints, initializers, regularizers

    layer = Dense(
        2,
        kernel_initializer=initializers.HeNormal(seed=1),
        bias_initializer=initializers.ones(),
        kernel_regularizer=regularizers.l2(0.5),
        kernel_constraint=constraints.MaxNorm(1.0),
    )
    Sequential([Input((3,)), layer])
    assert layer.kernel_regularizer.penalty(np.array([2.0])) == 2.0
    assert regularizers.get("l1").penalty(np.array([-2.0])) == regularizers.L1().penalty(np.array([2.0])) == 0.02
    assert layer.get_weights()[1].tolist() == [1, 1]
    assert type(constraints.get("max_norm")) is constraints.max_norm is constraints.MaxNorm
    assert type(initializers.get("glorot_uniform")) is initializers.glorot_uniform


def test_every_name_of_an_initializer_is_there():
    from minicnn import initializers
    from minicnn.layers.initializers import CLASSES

    assert set(CLASSES) | {"Initializer", "get"} == {name for name in initializers.__all__ if name != name.lower()} | {
        "get"
    }
    assert all(hasattr(initializers, name) for name in initializers.__all__)


def test_schedules_are_found_at_the_optimizers():
    from minicnn import schedules
    from minicnn.optimizers.schedules import CosineDecay

    assert CosineDecay is schedules.CosineDecay
