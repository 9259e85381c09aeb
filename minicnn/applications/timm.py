"""timm's networks, for its state dicts as safetensors: `timm.efficientnet_b0(weights="model.safetensors")`.

The files `model.safetensors` of the Hugging Face hub are such state dicts.  What is said of `torchvision` holds here
too; timm's names that begin with `tf_` are other networks, padded as in Keras, and are not among these.
Source: huggingface/pytorch-image-models, timm/models.

>>> from minicnn.applications import timm
>>> timm.mobilenetv2_100(include_top=False).count_params()
2257984
"""

from .pytorch import convnext, densenet, mobile, resnet, vgg
from .pytorch.mobile import Design, Names, Naming
from .pytorch.network import EPSILON, Network

SQUEEZE = ("se.conv_reduce", "se.conv_expand")
PARTS: dict[tuple[str, ...], list[Names]] = {
    ("expand", "depthwise", "project"): [("conv_pw", "bn1"), ("conv_dw", "bn2"), ("conv_pwl", "bn3")],
    ("expand", "depthwise", "squeeze", "project"): [
        ("conv_pw", "bn1"),
        ("conv_dw", "bn2"),
        SQUEEZE,
        ("conv_pwl", "bn3"),
    ],
    ("depthwise", "project"): [("conv_dw", "bn1"), ("conv_pw", "bn2")],
    ("depthwise", "squeeze", "project"): [("conv_dw", "bn1"), SQUEEZE, ("conv_pw", "bn2")],
    ("fused", "project"): [("conv_exp", "bn1"), ("conv_pwl", "bn2")],
    ("fused",): [("conv", "bn1")],
}


def _block(stage: int, number: int, overall: int, parts: tuple[str, ...]) -> list[Names]:
    place = f"blocks.{stage}.{number}"
    return [(f"{place}.{first}", f"{place}.{second}") for first, second in PARTS[parts]]


def _v3_last(stages: int, blocks: int) -> Names:
    """In MobileNetV3 the last convolution is a stage of its own; its `conv_head` comes after the mean."""
    return f"blocks.{stages}.0.conv", f"blocks.{stages}.0.bn1"


NAMES = Naming(("conv_stem", "bn1"), lambda stages, blocks: ("conv_head", "bn2"), _block)
V3_NAMES = Naming(("conv_stem", "bn1"), _v3_last, _block)


def _mobilenet_v2(name: str, width: float) -> Network:
    return Network(
        f"timm.mobilenetv2_{name}", mobile.body(mobile.mobilenet_v2(width), NAMES), mobile.head("classifier")
    )


def _mobilenet_v3(size: str, table: object, units: int) -> Network:
    body = mobile.body(mobile.mobilenet_v3(table, EPSILON), V3_NAMES)
    return Network(f"timm.mobilenetv3_{size}_100", body, mobile.head("classifier", "conv_head", units))


def _efficientnet(name: str, design: Design) -> Network:
    return Network(f"timm.{name}", mobile.body(design, NAMES), mobile.head("classifier"))


vgg11, vgg13, vgg16, vgg19 = (vgg.network("timm", depth) for depth in vgg.DEPTHS)
vgg11_bn, vgg13_bn, vgg16_bn, vgg19_bn = (vgg.network("timm", depth, batch_norm=True) for depth in vgg.DEPTHS)
resnet18, resnet34, resnet50, resnet101, resnet152 = (resnet.network("timm", depth) for depth in resnet.DEPTHS)
densenet121, densenet161, densenet169, densenet201 = (densenet.network("timm", depth) for depth in densenet.SIZES)
mobilenetv2_035, mobilenetv2_050, mobilenetv2_075, mobilenetv2_100, mobilenetv2_140 = (
    _mobilenet_v2(name, int(name) / 100) for name in ("035", "050", "075", "100", "140")
)
mobilenetv3_large_100 = _mobilenet_v3("large", mobile.V3_LARGE, 1280)
mobilenetv3_small_100 = _mobilenet_v3("small", mobile.V3_SMALL, 1024)
(
    efficientnet_b0,
    efficientnet_b1,
    efficientnet_b2,
    efficientnet_b3,
    efficientnet_b4,
    efficientnet_b5,
    efficientnet_b6,
    efficientnet_b7,
) = (_efficientnet(f"efficientnet_b{i}", mobile.efficientnet(i)) for i in range(8))
efficientnetv2_s, efficientnetv2_m, efficientnetv2_l = (
    _efficientnet(f"efficientnetv2_{size}", mobile.efficientnet_v2(size)) for size in mobile.V2_SIZES
)
convnext_tiny, convnext_small, convnext_base, convnext_large, convnext_xlarge = (
    convnext.network("timm", size) for size in convnext.SIZES
)
NETWORKS: dict[str, Network] = {name: value for name, value in globals().items() if isinstance(value, Network)}
