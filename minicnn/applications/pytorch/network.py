"""What PyTorch's networks share: their layers, and how a model is made of a body and a head."""

from dataclasses import dataclass
from typing import Any

from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Flatten,
    MaxPooling2D,
    SymbolicTensor,
    UpSampling2D,
    ZeroPadding2D,
)
from minicnn.models import Model

from ..family import Body, Top, Weights, finish, image_input, is_name, pooled

EPSILON = 1e-5
MOMENTUM = 0.9  # of the old statistics; PyTorch's 0.1 is that of the new ones


@dataclass(frozen=True)
class Network:
    """A network to be built: called, it returns the model.

    Attributes
    ----------
    name : str
        Package and constructor: "torchvision.resnet50".
    body : images (N,H,W,3) to features
    head : (features, classes, activation) to the output
    side, least, preprocessing
        Of the pictures, as in the table of Keras' architectures.
    """

    name: str
    body: Body
    head: Top
    side: int = 224
    least: int = 32
    preprocessing: str = "torch"

    def __str__(self) -> str:
        return self.name

    @property
    def remedy(self) -> str:
        """Where a file with the weights comes from; published are Python pickles, which minicnn does not open."""
        package, _, name = self.name.partition(".")
        file = f"{name}.safetensors"
        made = {
            "torchvision": f"torchvision.models.{name}(weights='DEFAULT')",
            "timm": f"timm.create_model({name!r}, pretrained=True)",
        }[package]
        return f"in PyTorch, safetensors.torch.save_file({made}.state_dict(), {file!r}), then weights={file!r} here"

    def __call__(
        self,
        include_top: bool = True,
        weights: Weights = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: str | None = "softmax",
    ) -> Model:
        """The model; arguments as VGG16's.

        Parameters
        ----------
        weights : None, or the path of a state dict saved as safetensors
        classifier_activation : None for logits, which is what PyTorch's module returns

        Raises
        ------
        ArgumentError, FileAccessError, FileFormatError, ShapeError, WeightsMismatchError
        """
        if is_name(weights):
            raise ArgumentError(f"{self.name} takes weights from a file, not by a name ({weights}): {self.remedy}")
        inputs = image_input(input_shape, self.side, self.least, include_top)
        x = self.body(inputs)
        x = self.head(x, classes, classifier_activation) if include_top else pooled(x, pooling)
        model = Model(inputs, x, name=self.name.replace(".", "_"))
        return finish(model, self.name, weights, include_top, classes, self.preprocessing)


def convolution(
    x: SymbolicTensor, filters: int, size: int, name: str, stride: int = 1, use_bias: bool = False
) -> SymbolicTensor:
    """A convolution of an odd size with size // 2 zeros on every side; Keras' "same" has as many at stride 1 alone."""
    x, padding = _padded(x, size, stride, name)
    return Conv2D(filters, size, strides=stride, padding=padding, use_bias=use_bias, name=name)(x)


def depthwise(x: SymbolicTensor, size: int, name: str, stride: int = 1) -> SymbolicTensor:
    """Each channel by itself, padded as `convolution`."""
    x, padding = _padded(x, size, stride, name)
    return DepthwiseConv2D(size, strides=stride, padding=padding, use_bias=False, name=name)(x)


def normalized(x: SymbolicTensor, name: str, activation: str | None = None, epsilon: float = EPSILON) -> SymbolicTensor:
    """Batch normalisation, and an activation after it."""
    x = BatchNormalization(momentum=MOMENTUM, epsilon=epsilon, name=name)(x)
    return x if activation is None else Activation(activation, name=f"{name}.{activation}")(x)


def ceil_pool(x: SymbolicTensor, size: int, name: str) -> SymbolicTensor:
    """The largest of windows at stride 2; the last may reach beyond x, where zeros are never larger than a ReLU's."""
    return MaxPooling2D(size, 2, name=name)(ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}.pad")(x))


def flattened_grid(x: SymbolicTensor, network: str, grid: int, sides: str) -> SymbolicTensor:
    """The features on grid x grid places in one row, as adaptive pooling puts them there: one pixel goes to all places.

    Raises
    ------
    ShapeError
        There are more places or fewer; pictures of `sides` have as many.
    """
    height, width = x.shape[1:3]
    if not {height, width} <= {1, grid} or height is None or width is None:
        raise ShapeError(
            f"the dense layers of {network} take features of {grid}x{grid}, of pictures of {sides} pixels; these are "
            f"{height}x{width}: use input_shape=(224, 224, 3) or include_top=False"
        )
    if (height, width) != (grid, grid):
        x = UpSampling2D((grid // height, grid // width), name="avgpool")(x)
    return Flatten(name="flatten")(x)


def _padded(x: SymbolicTensor, size: int, stride: int, name: str) -> tuple[SymbolicTensor, str]:
    """(x with its zeros where "same" would put others, the padding that is left to do)"""
    if stride == 1 or size == 1:
        return x, "same"
    return ZeroPadding2D(size // 2, name=f"{name}.pad")(x), "valid"
