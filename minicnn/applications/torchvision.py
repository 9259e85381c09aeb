"""torchvision's networks, for its state dicts as safetensors: `torchvision.resnet50(weights="resnet50.safetensors")`.

They compute what PyTorch computes, to rounding; see `minicnn.applications.pytorch` for how they differ from Keras'.
Pictures of 0..255 are prepared by `preprocess_input(x, "torch")`, for GoogLeNet and Inception v3 by
`preprocess_input(x, "tf")`.
Source: pytorch/vision, torchvision/models.

>>> from minicnn.applications import torchvision
>>> torchvision.mobilenet_v2(include_top=False).count_params()
2257984
"""

from .pytorch import convnext, densenet, inception, mobile, plain, resnet, vgg
from .pytorch.mobile import Design, Names, Naming
from .pytorch.network import EPSILON, Network

WIDE_EPSILON = 1e-3  # of MobileNetV3, EfficientNet B5 to B7 and V2


def _numbered(place: str, parts: tuple[str, ...]) -> list[Names]:
    """The parts of a block by their number in it: a convolution and its normalisation are 0 and 1 of a part."""
    ends = {"squeeze": ("fc1", "fc2")}
    return [
        (f"{place}.{k}.{first}", f"{place}.{k}.{second}")
        for k, (first, second) in enumerate(ends.get(part, ("0", "1")) for part in parts)
    ]


def _v2_block(stage: int, number: int, overall: int, parts: tuple[str, ...]) -> list[Names]:
    """MobileNetV2 has its projection and the normalisation after it beside the other parts."""
    place, last = f"features.{overall + 1}.conv", len(parts) - 1
    return [*_numbered(place, parts[:-1]), (f"{place}.{last}", f"{place}.{last + 1}")]


def _v3_block(stage: int, number: int, overall: int, parts: tuple[str, ...]) -> list[Names]:
    return _numbered(f"features.{overall + 1}.block", parts)


def _staged_block(stage: int, number: int, overall: int, parts: tuple[str, ...]) -> list[Names]:
    return _numbered(f"features.{stage + 1}.{number}.block", parts)


STEM = ("features.0.0", "features.0.1")
V2_NAMES = Naming(STEM, lambda _, blocks: (f"features.{blocks + 1}.0", f"features.{blocks + 1}.1"), _v2_block)
V3_NAMES = Naming(STEM, V2_NAMES.last, _v3_block)
STAGED_NAMES = Naming(STEM, lambda stages, _: (f"features.{stages + 1}.0", f"features.{stages + 1}.1"), _staged_block)


def _mobilenet_v3(size: str, table: object, units: int) -> Network:
    body = mobile.body(mobile.mobilenet_v3(table, WIDE_EPSILON), V3_NAMES)
    return Network(f"torchvision.mobilenet_v3_{size}", body, mobile.head("classifier.3", "classifier.0", units))


def _efficientnet(name: str, design: Design) -> Network:
    return Network(f"torchvision.efficientnet_{name}", mobile.body(design, STAGED_NAMES), mobile.head("classifier.1"))


vgg11, vgg13, vgg16, vgg19 = (vgg.network("torchvision", depth) for depth in vgg.DEPTHS)
vgg11_bn, vgg13_bn, vgg16_bn, vgg19_bn = (vgg.network("torchvision", depth, batch_norm=True) for depth in vgg.DEPTHS)
resnet18, resnet34, resnet50, resnet101, resnet152 = (resnet.network("torchvision", depth) for depth in resnet.DEPTHS)
densenet121, densenet161, densenet169, densenet201 = (
    densenet.network("torchvision", depth) for depth in densenet.SIZES
)
mobilenet_v2 = Network(
    "torchvision.mobilenet_v2", mobile.body(mobile.mobilenet_v2(), V2_NAMES), mobile.head("classifier.1")
)
mobilenet_v3_large = _mobilenet_v3("large", mobile.V3_LARGE, 1280)
mobilenet_v3_small = _mobilenet_v3("small", mobile.V3_SMALL, 1024)
(
    efficientnet_b0,
    efficientnet_b1,
    efficientnet_b2,
    efficientnet_b3,
    efficientnet_b4,
    efficientnet_b5,
    efficientnet_b6,
    efficientnet_b7,
) = (_efficientnet(f"b{i}", mobile.efficientnet(i, EPSILON if i < 5 else WIDE_EPSILON)) for i in range(8))
efficientnet_v2_s, efficientnet_v2_m, efficientnet_v2_l = (
    _efficientnet(f"v2_{size}", mobile.efficientnet_v2(size, WIDE_EPSILON)) for size in mobile.V2_SIZES
)
alexnet = plain.alexnet()
squeezenet1_0, squeezenet1_1 = (plain.squeezenet(version) for version in plain.SQUEEZENETS)
googlenet, inception_v3 = inception.googlenet(), inception.inception_v3()
convnext_tiny, convnext_small, convnext_base, convnext_large = (
    convnext.network("torchvision", size) for size in ("tiny", "small", "base", "large")
)
NETWORKS: dict[str, Network] = {name: value for name, value in globals().items() if isinstance(value, Network)}
