"""What all architectures share: the input's shape, the end of the net, and where the weights come from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from enum import Enum
from numbers import Integral
from pathlib import Path
from types import FunctionType
from typing import Any, Protocol, cast

from minicnn.arguments import items, number, switch
from minicnn.errors import ArgumentError, ShapeError, WeightsMismatchError
from minicnn.layers import Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Input, SymbolicTensor
from minicnn.models import Model
from minicnn.models.weight_files import load_weights
from minicnn.weights.architectures import architecture
from minicnn.weights.fetch import is_file, locate
from minicnn.weights.registry import published, published_rows

Weights = str | Path | None
Body = Callable[[SymbolicTensor], SymbolicTensor]  # images (N,H,W,3) to features (N,h,w,C)
Top = Callable[[SymbolicTensor, int, str | None], SymbolicTensor]  # features, classes, activation to the output
PUBLISHED_SIDE = 224
FILE_ENDINGS = (".keras", ".h5", ".hdf5", ".safetensors", ".pt", ".pth", ".bin")  # of what is a path
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of pixels / 255, R, G, B


class Builder(Protocol):
    """What most architectures are: called, it returns the model.

    Parameters
    ----------
    include_top : whether it has its classifier
    weights : None, "imagenet", or the path of a weight file
    input_tensor : an Input, or what layers have made of one, in place of a new Input
    input_shape : (H,W,3), at least as large as the table of architectures says
    pooling : without the top, None, "avg" or "max"
    classes : of the classifier
    classifier_activation : None for logits
    """

    def __call__(
        self,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: str | None = "softmax",
    ) -> Model: ...


def member(
    name: str, about: str, body: Body, top: Top | None = None, *, model_name: str | None = None, named: bool = False
) -> Builder:
    """The builder of an architecture of the table: what is its own, between an input and the weights.

    Parameters
    ----------
    name : str
        Its row says sides, counts, and how pictures are prepared.
    about : str
        What is special about this member of the family.
    body : images to features
    top : features to classes; `classified` when None
    model_name : the small name when None
    named : whether Keras gives the pooling without top a name

    Examples
    --------
    >>> from minicnn.applications import VGG16
    >>> VGG16(weights=None, include_top=False, input_shape=(32, 32, 3)).count_params()
    14714688
    """
    row = architecture(name)

    def build(
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: str | None = "softmax",
    ) -> Model:
        inputs = image_input(input_shape, row.side, row.least, include_top, input_tensor)
        x = body(inputs)
        x = (top or classified)(x, classes, classifier_activation) if include_top else pooled(x, pooling, named)
        model = Model(inputs, x, name=model_name or name.lower())
        return finish(model, name, weights, include_top, classes, row.preprocessing)

    return described(build, name, about)


def described(build: Callable[..., Model], name: str, about: str) -> Any:
    """A builder with the name of its architecture, whose docstring says what the table does."""
    row, function = architecture(name), cast(FunctionType, build)
    function.__name__ = function.__qualname__ = name
    function.__module__ = f"{__package__}.{row.module}"
    function.__doc__ = (
        f"{about}; {row.parameters:,} weights, {row.headless:,} without top.\n\n"
        f"Pictures of {row.side}x{row.side}, at least {row.least}x{row.least}.  Arguments as family.Builder."
    )
    return build


def image_input(
    input_shape: Any, default: int, least: int, include_top: bool, input_tensor: Any = None
) -> SymbolicTensor:
    """The Input for images of a shape (H,W,C); of the default size with the top, of any size without.

    `input_tensor` takes its place, an Input, or what layers have made of one, which then belong to the model.

    Raises
    ------
    ArgumentError, ShapeError
        A shape that is no (H,W,C), or smaller than the architecture's least side; an include_top that is no bool.
    """
    for name, value in (("include_top", include_top), ("input_shape", input_shape)):
        if isinstance(value, os.PathLike) or (isinstance(value, str) and "." in value):
            raise ArgumentError(f"{name} is {value!r}: a file of weights is named by weights={str(value)!r}")
    switch("a network", "include_top", include_top)
    if input_tensor is not None:
        if not isinstance(input_tensor, SymbolicTensor):
            raise ArgumentError(
                f"input_tensor must be what Input(...) or a layer returned; it is {type(input_tensor).__name__}"
            )
        return input_tensor
    if input_shape is None:
        input_shape = (default, default, 3) if include_top else (None, None, 3)
    shape = items("the input of a network", "input_shape", input_shape)
    if len(shape) != 3 or not all(side is None or isinstance(side, Integral) for side in shape):
        raise ShapeError(f"input_shape must be (height, width, channels); it is {shape}")
    if shape[0] in (1, 3) and all(side is None or side >= least for side in shape[1:]):
        raise ShapeError(f"input_shape is {shape}: channels come last, as in {(*shape[1:], shape[0])}")
    if shape[2] is None:
        raise ShapeError(f"input_shape must be (height, width, channels); it is {shape}")
    if any(side is not None and side < least for side in shape[:2]):
        raise ShapeError(f"input_shape must be at least {least}x{least}; it is {shape[0]}x{shape[1]}")
    if include_top and None in shape:
        raise ShapeError(f"include_top=True needs a fixed input size; input_shape is {shape}")
    return Input(shape)


def pooled(x: SymbolicTensor, pooling: str | None, named: bool = False) -> SymbolicTensor:
    """The end of a net without top: features as they are, or their mean or maximum over the image.

    The layer is called "avg_pool" or "max_pool" in the families where Keras gives it a name.
    """
    name = f"{pooling}_pool" if named else None
    if pooling is None:
        return x
    if pooling == "avg":
        return GlobalAveragePooling2D(name=name)(x)
    if pooling == "max":
        return GlobalMaxPooling2D(name=name)(x)
    raise ArgumentError(f"pooling must be None, 'avg' or 'max'; it is {pooling!r}")


def classified(x: SymbolicTensor, classes: int, activation: str | None) -> SymbolicTensor:
    """The top that most nets share: one dense layer on the mean over the image."""
    x = GlobalAveragePooling2D(name="avg_pool")(x)
    return Dense(classes, activation=activation, name="predictions")(x)


def strided_padding(x: SymbolicTensor, taps: int) -> tuple[tuple[int, int], ...]:
    """Zeros around x (N,H,W,C) for windows of taps x taps with stride 2, as many as "same" puts around its sides.

    Around a side that is not known yet, as many as around an even one.
    """
    half = taps // 2
    height, width = x.shape[1:3]
    if height is None or width is None:
        return ((half - 1, half),) * 2
    return tuple((half - 1 + side % 2, half) for side in (height, width))


def checked_alpha(architecture: str, alpha: Any) -> float:
    """The factor of the channels of all layers, a number above 0."""
    return number(architecture, "alpha", alpha, "(0, inf)")


def multiple_of_8(channels: float) -> int:
    """The nearest multiple of 8, and at least 8."""
    return max(8, int(channels + 4) // 8 * 8)


def divisible(channels: float) -> int:
    """The nearest multiple of 8, but at least 8, and no more than a tenth below."""
    nearest = multiple_of_8(channels)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def trained_rows(architecture: str, alpha: float, inputs: SymbolicTensor, include_top: bool) -> int:
    """The side of the pictures that published weights for these inputs (N,H,W,C) were trained with.

    Without the top, the weights for 224 pixels serve any size that has none of its own, as in Keras.

    Raises
    ------
    ArgumentError
        With the top, there are none for this size.
    """
    rows, columns = inputs.shape[1:3]
    sides = published_rows(architecture, alpha)
    if rows == columns and rows in sides:
        return rows
    if include_top and sides and None not in (rows, columns):
        raise ArgumentError(
            f"weights='imagenet' with the top exist for squares of {', '.join(map(str, sides))} pixels "
            f"at alpha {alpha:g}; got {rows}x{columns}"
        )
    return PUBLISHED_SIDE


def is_imagenet(weights: Any) -> bool:
    """Whether the weights are those that the name "imagenet" stands for."""
    return isinstance(weights, str) and weights == "imagenet"


def is_name(weights: Any) -> bool:
    """Whether weights are no file, but a name of some in another package: "DEFAULT", True, a member of an Enum.

    Examples
    --------
    >>> is_name("IMAGENET1K_V1"), is_name("weights.h5"), is_name(None)
    (True, False, False)
    """
    if isinstance(weights, str):
        named = not os.path.dirname(weights) and not weights.lower().endswith(FILE_ENDINGS)
        here = any(os.path.exists(weights + end) for end in ("", ".index"))  # of a TensorFlow checkpoint
        return named and weights != "" and not here
    return weights is True or isinstance(weights, Enum)


def are_published(weights: Weights, architecture: str) -> bool:
    """Whether weights are those that Keras publishes: "imagenet", or a file that is one of theirs."""
    if weights is None or is_imagenet(weights):
        return weights is not None
    return any(is_file(published(architecture, top), _path(weights)) for top in (True, False))


def finish(
    model: Model,
    architecture: str,
    weights: Weights,
    include_top: bool,
    classes: int,
    mode: str | None,
    **variant: Any,
) -> Model:
    """Load the weights: None, "imagenet", or a file of any Keras format; without the top, a file's head is left out.

    What was loaded and what was left out is in `model.load_report`.  `mode` is how pictures are prepared, None where no
    mode says it; `variant` is which of several published files it is, as `published` takes it.

    Raises
    ------
    ArgumentError, DownloadError, FileAccessError, FileFormatError, WeightsMismatchError
    """
    model.metadata = {"architecture": architecture, "include_top": include_top, "preprocessing": mode}
    if weights is None:
        return _from_the_beginning(model)
    if is_imagenet(weights):
        if include_top and classes != 1000:
            raise ArgumentError(
                f"weights='imagenet' with the top has 1000 classes, not {classes}; use include_top=False and a head"
            )
        path: Any = locate(published(architecture, include_top, **variant))
    else:
        path = _path(weights)
    try:
        model.load_report = load_weights(model, path, allow_head=not include_top)
    except WeightsMismatchError:
        _refuse_another(path, architecture, classes if include_top else None, variant)
        raise
    return _from_the_beginning(model)


def _path(weights: Any) -> Any:
    """The path of a file of weights."""
    if not isinstance(weights, str | bytes | os.PathLike):
        raise ArgumentError(f"weights must be None, 'imagenet' or a path; it is {weights!r}")
    path = os.fsdecode(weights)
    if path.lower() == "imagenet" and not os.path.exists(path):
        raise ArgumentError(f"weights={path!r}: the published weights are weights='imagenet', in small letters")
    if is_name(path):
        raise ArgumentError(f"weights={path!r} is no file; the published weights are weights='imagenet', others a path")
    return path


def _refuse_another(path: str, architecture: str, classes: int | None, variant: Mapping[str, Any]) -> None:
    """Say what takes the weights of a file that are of another network than was asked for, where that is known."""
    from .from_weights import arguments, call, network_of

    found = network_of(path)
    if found is None:
        return
    given = arguments(found)
    asked = variant.get("alpha", 1.0), bool(variant.get("variant")), classes or found.classes
    same = asked == (given.get("alpha", 1.0), given.get("minimalistic", False), found.classes)
    if found.architecture.name != architecture or not same:
        which = f"the {architecture} that was asked for" if found.architecture.name == architecture else architecture
        raise WeightsMismatchError(
            f"{path} holds weights of {found}, not of {which}: build it as {call(found, repr(path))}"
        ) from None


def _from_the_beginning(model: Model) -> Model:
    """The model with the layers that made `input_tensor`, as Keras has it."""
    beginnings, waiting = [], list(model.inputs)
    while waiting:
        tensor = waiting.pop(0)
        waiting += tensor.node.inputs
        if not tensor.node.inputs and tensor not in beginnings:
            beginnings.append(tensor)
    if beginnings == model.inputs:
        return model
    whole = Model(beginnings, model.outputs, name=model.name)
    whole.metadata, whole.load_report = model.metadata, model.load_report
    return whole
