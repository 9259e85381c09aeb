"""A layer by its name or by its sizes."""

import pytest

from minicnn.bench.cases import Layer
from minicnn.bench.shapes import LAYERS, form_of, layer_of
from minicnn.errors import ArgumentError, ShapeError

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize(
    ("op", "text", "layer"),
    [
        ("conv2d", "vgg16.block3_conv2", Layer((16, 16, 256), (3, 3), 256)),
        ("conv2d", "ResNet50.conv1_conv", Layer((70, 70, 3), (7, 7), 64, (2, 2), "valid")),
        ("depthwise_conv2d", "mobilenet.conv_dw_1", Layer((32, 32, 32), (3, 3))),
        ("dense", "vgg16.predictions", Layer((4096,), filters=1000)),
        ("maxpool2d", "vgg16.block1_pool", Layer((64, 64, 64), (2, 2), strides=(2, 2), padding="valid")),
        ("batchnorm", "resnet50.conv1_bn", Layer((32, 32, 64))),
        ("elementwise", "resnet50.conv2_block1_add", Layer((16, 16, 256))),
        ("conv2d", "7x8x3,3x2x16", Layer((7, 8, 3), (3, 2), 16)),
        ("conv2d", "7x8x3,3x3x16/2", Layer((7, 8, 3), (3, 3), 16, (2, 2))),
        ("depthwise_conv2d", "7x8x3,3x3", Layer((7, 8, 3), (3, 3))),
        ("depthwise_conv2d", "7x8x3,3x3x2/2", Layer((7, 8, 3), (3, 3), 2, (2, 2))),
        ("maxpool2d", "7x8x3,2x2/2", Layer((7, 8, 3), (2, 2), 1, (2, 2), "valid")),
        ("dense", "40,10", Layer((40,), filters=10)),
        ("softmax", "1000", Layer((1000,))),
        ("activation", "5x4x3", Layer((5, 4, 3))),
    ],
)
def test_what_a_word_stands_for(op, text, layer):
    assert layer_of(op, text, batch=1, size=64) == layer


@pytest.mark.parametrize(
    ("op", "text", "said"),
    [
        ("conv2d", "vgg16.block3_conv9", "has no layer 'block3_conv9' that conv2d computes, did you mean block3_conv"),
        ("conv2d", "vgg16.x", "that conv2d computes: there are block1_conv1, block1_conv2, block2_conv1, "),
        ("conv2d", "vgg16.x", "block4_conv1, ..."),
        ("dense", "vgg16.x", "that dense computes: there are fc1, fc2, predictions"),
        ("conv2d", "vgg16.block1_pool", "is a layer of class MaxPooling2D: conv2d does not compute it"),
        ("conv2d", "vgg-16.block1_conv1", "there is no architecture 'vgg-16', did you mean vgg16?"),
        ("conv2d", "9.x", "there is no architecture '9': minicnn models --list names all"),
        ("depthwise_conv2d", "vgg16.block1_conv1", "is a layer of class Conv2D"),
        ("depthwise_conv2d", "vgg16.x", "vgg16 has no layer that depthwise_conv2d computes"),
        ("softmax", "vgg16.predictions", "softmax has no layers in the architectures: write sizes"),
        ("conv2d", "", "'' is no shape of conv2d: write sizes, as 56x56x64,3x3x128 or "),
        ("conv2d", "56x56", "or a layer of an architecture, as vgg16.block3_conv2"),
        ("conv2d", "56x56x64,3x3", "is no shape of conv2d"),
        ("conv2d", "56x56x64,3x3x0", "is no shape of conv2d"),
        ("conv2d", "-5x56x64,3x3x1", "is no shape of conv2d"),
        (
            "dense",
            "5x4,3",
            "is no shape of dense: write sizes, as 4096,1000, or a layer of an architecture, as vgg16.fc1",
        ),
        ("dense", "4,3/2", "is no shape of dense"),
        ("softmax", "4,3", "is no shape of softmax: write sizes, as 128x1000"),
        ("conv2d", "99999x99999x64,3x3x1", "numbers; at most 134,217,728 are timed"),
        ("depthwise_conv2d", "1x1x9999,1x1x99999", "numbers; at most"),
    ],
)
def test_what_stands_for_nothing_is_refused(op, text, said):
    with pytest.raises(ArgumentError) as refusal:
        layer_of(op, text, batch=1, size=64)
    assert said in str(refusal.value)


def test_the_batch_counts_among_the_numbers():
    layer_of("conv2d", "224x224x64,3x3x64", batch=1, size=64)
    with pytest.raises(ArgumentError, match="4096 images"):
        layer_of("conv2d", "224x224x64,3x3x64", batch=4096, size=64)


def test_a_network_refuses_sizes_that_it_does_not_take():
    with pytest.raises(ShapeError):
        layer_of("conv2d", "vgg16.block1_conv1", batch=1, size=8)


@pytest.mark.parametrize("op", LAYERS)
def test_the_example_of_a_layer_is_one_that_the_operation_computes(op):
    word = form_of(op).rpartition(" as ")[2]
    layer_of(op, word, batch=1, size=64)


def test_an_operation_without_layers_names_none_as_an_example():
    assert form_of("softmax") == "sizes, as 128x1000"
