"""Architectures told by their weights: in any order, with and without their classifier."""

import random

import pytest

from minicnn.applications import MobileNetV2
from minicnn.errors import ArgumentError
from minicnn.weights.architectures import architecture, architectures
from minicnn.weights.identify import identify, nearest


def vgg(repeats):
    shapes, channels = [], 3
    for filters, count in zip((64, 128, 256, 512, 512), repeats):
        for _ in range(count):
            shapes += [(3, 3, channels, filters), (filters,)]
            channels = filters
    return shapes


def resnet(blocks):
    shapes, channels = [(7, 7, 3, 64), *[(64,)] * 5], 64
    for width, count in zip((64, 128, 256, 512), blocks):
        for block in range(count):
            kernels = [(1, 1, channels, width), (3, 3, width, width), (1, 1, width, 4 * width)]
            kernels += [(1, 1, channels, 4 * width)] if block == 0 else []
            for kernel in kernels:
                shapes += [kernel, *[(kernel[3],)] * 5]
            channels = 4 * width
    return shapes


def mobilenet(alpha):
    shapes, channels = [(3, 3, 3, int(32 * alpha)), *[(int(32 * alpha),)] * 4], int(32 * alpha)
    for width in (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024):
        filters = int(width * alpha)
        shapes += [(3, 3, channels, 1), *[(channels,)] * 4, (1, 1, channels, filters), *[(filters,)] * 4]
        channels = filters
    return shapes


def mobilenet_v2(alpha):
    return [weight.shape for weight in MobileNetV2(weights=None, alpha=alpha, include_top=False).weights]


CASES = [
    ("VGG16", {}, vgg((2, 2, 3, 3, 3)), [(25088, 4096), (4096,), (4096, 4096), (4096,)], 4096),
    ("VGG19", {}, vgg((2, 2, 4, 4, 4)), [(25088, 4096), (4096,), (4096, 4096), (4096,)], 4096),
    ("ResNet50", {}, resnet((3, 4, 6, 3)), [], 2048),
    ("ResNet101", {}, resnet((3, 4, 23, 3)), [], 2048),
    ("ResNet152", {}, resnet((3, 8, 36, 3)), [], 2048),
    *(("MobileNet", {"alpha": a}, mobilenet(a), [], int(1024 * a)) for a in (0.25, 0.5, 0.75, 1.0)),
    *(
        ("MobileNetV2", {"alpha": a}, mobilenet_v2(a), [], features)
        for a, features in ((0.35, 1280), (0.5, 1280), (0.75, 1280), (1.0, 1280), (1.3, 1664), (1.4, 1792))
    ),
]


@pytest.mark.parametrize(("name", "arguments", "body", "top", "width"), CASES)
def test_bodies_and_tops_are_recognised_in_any_order(name, arguments, body, top, width):
    for classes in (None, 10, 1000, width):
        shapes = list(body)
        if classes:
            classifier = (1, 1, width, classes) if name == "MobileNet" else (width, classes)
            shapes += [*top, classifier, (classes,)]
        random.Random(0).shuffle(shapes)
        found = identify(shapes)
        assert found is not None
        variant = {} if arguments == {"alpha": 1.0} else arguments
        assert (found.architecture.name, dict(found.architecture.arguments)) == (name, variant)
        assert found.classes == classes


@pytest.mark.parametrize(("name", "arguments", "body", "top", "width"), CASES)
def test_dense_layers_of_another_head_do_not_matter(name, arguments, body, top, width):
    found = identify([*body, (width, 77), (77,), (77, 5), (5,)])
    assert found is not None
    assert (found.architecture.name, found.classes) == (name, None)


def test_a_net_with_a_kernel_more_or_less_is_near_but_not_recognised():
    for name, _, body, _, _ in CASES:
        kernel = next(shape for shape in body if len(shape) == 4 and shape[2] != 3)
        without = list(body)
        without.remove(kernel)
        assert identify(without) is None
        near = nearest(without)
        assert near is not None
        assert near.name == name


def test_other_nets_are_not_recognised():
    for shapes in ([], [(3, 3, 3, 16), (16,), (16, 10), (10,)]):
        assert identify(shapes) is None
        assert nearest(shapes) is None


def test_the_nearest_of_one_name_is_found_however_far():
    near = nearest([(3, 3, 3, 8), (8,)], "MobileNet")
    assert str(near) == "MobileNet, alpha 0.25"


def test_the_published_mobilenet_is_recognised(test_data):
    from minicnn.weights import open_weights

    with open_weights(test_data / "models" / "mobilenet_2_5_224_tf.h5") as file:
        found = identify(weight.shape for layer in file.layers for weight in layer.weights)
    assert str(found) == "MobileNet, alpha 0.25, 1000 classes"


def test_no_two_rows_have_the_same_count():
    rows = architectures()
    assert len({row.parameters for row in rows} | {row.headless for row in rows}) == 2 * len(rows)


def test_a_name_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(ArgumentError, match=r"there is no architecture 'vgg116', did you mean vgg16\?"):
        architecture("vgg116")
    with pytest.raises(ArgumentError, match="minicnn models --list names all"):
        architecture("transformer")
