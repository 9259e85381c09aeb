"""ResNeXt50 and 101 (Xie et al., "Aggregated Residual Transformations", CVPR 2017, table 1, 32x4d), as in Keras.

A block of ResNet whose 3x3 convolution works on 32 groups of channels apart from each other, so that it can be twice
as wide for as many weights; no convolution has a bias, and the stride is on the 3x3 convolution.

Keras has published weights, but builds the network no longer.  It computed the groups by a DepthwiseConv2D and a sum;
its kernels are put into the grouped convolution's form when a file is read (minicnn/weights/grouped.py).
"""

from typing import Any

from minicnn.layers import Activation, Add, SymbolicTensor, ZeroPadding2D
from minicnn.preparation import modes

from .labels import decode_predictions
from .resnet import conv_bn, residual_member

MODE = "torch"
GROUPS = 32

__all__ = ["ResNeXt50", "ResNeXt101", "decode_predictions", "preprocess_input"]


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as ResNeXt takes it: x / 255, minus the mean, divided by the deviation of each channel."""
    return modes.preprocess_input(x, MODE)


def _block(x: SymbolicTensor, filters: int, stride: int, project: bool, name: str, **options: Any) -> SymbolicTensor:
    """1x1, grouped 3x3 and 1x1 convolutions with a shortcut around them."""
    shortcut = conv_bn(x, 4 * filters, 1, f"{name}_0", strides=stride, **options) if project else x
    x = Activation("relu", name=f"{name}_1_relu")(conv_bn(x, 2 * filters, 1, f"{name}_1", **options))
    x = ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = conv_bn(x, 2 * filters, 3, f"{name}_2", strides=stride, groups=GROUPS, **options)
    x = conv_bn(Activation("relu", name=f"{name}_2_relu")(x), 4 * filters, 1, f"{name}_3", **options)
    x = Add(name=f"{name}_add")([shortcut, x])
    return Activation("relu", name=f"{name}_out")(x)


ResNeXt50 = residual_member("ResNeXt50", (3, 4, 6, 3), _block, use_bias=False)
ResNeXt101 = residual_member("ResNeXt101", (3, 4, 23, 3), _block, use_bias=False)
