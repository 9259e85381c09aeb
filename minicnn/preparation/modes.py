"""How images become network input: the modes under which the published weights were trained, and the plainest.

"caffe"   RGB to BGR, minus the mean (103.939, 116.779, 123.68); VGG, ResNet
"tf"      x / 127.5 - 1; MobileNet, Inception, Xception
"torch"   x / 255, minus the mean, divided by the standard deviation of each channel; DenseNet
"unit"    x / 255; what ImageDataGenerator(rescale=1/255) and torchvision's ToTensor() do
"none"    as it is: the network scales by itself
"""

from typing import Any

import numpy as np

from minicnn.arguments import numbers
from minicnn.errors import ArgumentError, ShapeError

MODES = ("caffe", "tf", "torch", "unit", "none")
ANY_CHANNELS = ("tf", "unit", "none")  # do the same to each channel
CAFFE_MEAN = np.array([103.939, 116.779, 123.68], np.float32)
TORCH_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
TORCH_STD = np.array([0.229, 0.224, 0.225], np.float32)


def preprocess_input(x: Any, mode: str = "caffe") -> np.ndarray:
    """float32 network input of RGB images x (...,H,W,3) of 0..255; in ANY_CHANNELS of grey ones (...,H,W,1) too.

    Raises
    ------
    ArgumentError, ShapeError

    Examples
    --------
    >>> preprocess_input(np.full((1, 1, 1, 3), 255), "tf")[0, 0, 0]
    array([1., 1., 1.], dtype=float32)
    """
    x = numbers("preprocess_input", "x", x).astype(np.float32)
    if mode not in MODES:
        raise ArgumentError(f"unknown preprocessing mode {mode!r}; known are {', '.join(MODES)}")
    if mode == "none":
        return x
    if x.ndim < 3 or x.shape[-1] not in ((1, 3) if mode in ANY_CHANNELS else (3,)):
        raise ShapeError(f"preprocess_input needs RGB images (...,H,W,3); got shape {x.shape}")
    if mode == "tf":
        return x / np.float32(127.5) - np.float32(1)
    if mode == "unit":
        return x / np.float32(255)
    if mode == "torch":
        return (x / np.float32(255) - TORCH_MEAN) / TORCH_STD
    return x[..., ::-1] - CAFFE_MEAN


def to_grey(images: np.ndarray) -> np.ndarray:
    """uint8 (...,1) of uint8 RGB (...,3), Pillow's mode "L": (19595 R + 38470 G + 7471 B + 2¹⁵) / 2¹⁶; float of float.

    Source
    ------
    ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B.

    Examples
    --------
    >>> to_grey(np.array([[255, 0, 0], [0, 255, 0]], np.uint8)).tolist()
    [[76], [150]]
    """
    weights = np.array([[19595], [38470], [7471]], np.uint32)
    if images.dtype.kind == "f":
        return images @ (weights / np.float32(1 << 16)).astype(images.dtype)
    weighted = images @ weights
    return ((weighted + (1 << 15)) >> 16).astype(np.uint8)
