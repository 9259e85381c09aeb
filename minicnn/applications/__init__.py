"""Published architectures, as Keras builds and names them, one family in each file.

Every builder takes `weights=None`, `"imagenet"` or a path, `include_top`, `input_shape`, `pooling` and `classes`.
"""

from minicnn.preparation import preprocess_input

from . import mobilenet, mobilenet_v2, resnet, resnet50, vgg16, vgg19
from .labels import decode_predictions
from .mobilenet import MobileNet
from .mobilenet_v2 import MobileNetV2
from .resnet import ResNet50, ResNet101, ResNet152
from .vgg import VGG16, VGG19

__all__ = [
    "VGG16",
    "VGG19",
    "MobileNet",
    "MobileNetV2",
    "ResNet50",
    "ResNet101",
    "ResNet152",
    "decode_predictions",
    "mobilenet",
    "mobilenet_v2",
    "preprocess_input",
    "resnet",
    "resnet50",
    "vgg16",
    "vgg19",
]
