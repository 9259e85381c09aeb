"""The base of a transfer: a trained network without its classifier, and how pictures are made ready for it.

It comes from a name ("mobilenet"), from the bundled file, or from a path: a whole model, or weights whose architecture
is told by their shapes.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from minicnn import applications
from minicnn.data.problems import as_text
from minicnn.errors import ArgumentError, FileAccessError, FileFormatError
from minicnn.models import Model, load_model
from minicnn.preparation import Preparation
from minicnn.preparation.resize import ResizeRule
from minicnn.transfer.architecture import Architecture, identify, width
from minicnn.transfer.preparation import DEFAULT_SIDE, mode_of, preparation_of
from minicnn.transfer.surgery import without_head
from minicnn.weights import open_weights

BUNDLED = "bundled"
LEAST_SIDE = 32  # of the pictures that any architecture in NAMES takes

# The name on the command line -> (constructor in minicnn.applications, how pixels are prepared)
NAMES = {
    "mobilenet": ("MobileNet", "tf"),
    "mobilenetv2": ("MobileNetV2", "tf"),
    "vgg16": ("VGG16", "caffe"),
    "vgg19": ("VGG19", "caffe"),
    "resnet50": ("ResNet50", "caffe"),
    "resnet101": ("ResNet101", "caffe"),
    "resnet152": ("ResNet152", "caffe"),
}


@dataclass(frozen=True)
class Base:
    """
    A network from pictures to features.

    Attributes
    ----------
    model : Model
        Prepared pictures (N,H,W,3) to features (N,D).
    name : str
        For people: "MobileNet, alpha 0.25".
    preparation : Preparation
        From picture files to what the network takes.
    weights : str
        Where the weights came from.
    sha256 : str or None
        Of the weights file.
    """

    model: Model
    name: str
    preparation: Preparation
    weights: str
    sha256: str | None = None


def load_base(
    base: str | Path = "mobilenet",
    weights: str | Path = "imagenet",
    *,
    size: int | None = None,
    resize: str | None = None,
    preprocessing: str | None = None,
) -> Base:
    """
    The base that a name or a path says.

    Parameters
    ----------
    base : str or path
        One of NAMES or "bundled", in small or capital letters, or a .h5 or .keras file.
    weights : str or path
        "imagenet" or a file, for a base that is one of NAMES.
    size, resize, preprocessing
        As in Settings.

    Raises
    ------
    ArgumentError
        Unknown name, weights of another architecture, or a choice that the base does not allow.
    FileAccessError, FileFormatError, WeightsMismatchError, DownloadError
        The file is missing, damaged, or not of the architecture.

    Examples
    --------
    >>> load_base("mobilenet", "mobilenet_2_5_224_tf.h5").name  # doctest: +SKIP
    'MobileNet, alpha 0.25'
    """
    name = str(base)
    if name.lower() in NAMES:
        return _from_application(*NAMES[name.lower()], weights, size, resize, preprocessing)
    if str(weights) != "imagenet":
        raise ArgumentError(f"weights are for a base that has a name ({', '.join(NAMES)}); base is {name}")
    if name.lower() == BUNDLED:
        return _from_model(bundled_path(), size, resize, preprocessing)
    if not Path(name).suffix and not Path(name).exists():
        raise ArgumentError(
            f"there is no base {name!r}: use one of {', '.join(NAMES)}, {BUNDLED}, or a .h5 or .keras file"
        )
    architecture = _weights_only(name)
    if architecture is None:
        return _from_model(Path(name), size, resize, preprocessing)
    constructor, mode = next(pair for pair in NAMES.values() if pair[0] == architecture.name)
    return _from_application(constructor, mode, name, size, resize, preprocessing)


def bundled_path() -> Path:
    """
    The file of the small residual net that comes with minicnn.

    Raises
    ------
    FileAccessError
        It is not there.
    """
    from minicnn import weights

    folder = Path(weights.__path__[0]) / "bundled"
    found = sorted(path for path in folder.glob("*") if path.suffix in (".keras", ".h5"))
    if not found:
        raise FileAccessError(f"{folder} holds no network: this installation is incomplete, install minicnn again")
    return found[0]


def _weights_only(path: str) -> Architecture | None:
    """The architecture of a file that holds weights alone; None when the file holds a whole model."""
    with open_weights(path) as file:
        if file.config is not None:
            return None
        found = identify(weight.shape for layer in file.layers for weight in layer.weights)
    if found is None:
        raise FileFormatError(
            f"{path} holds weights alone and they are not of an architecture that minicnn knows by its shapes "
            f"({', '.join(sorted(name for name, _ in NAMES.values()))}): save the whole model in one file"
        )
    return found


def _from_application(
    constructor: str, mode: str, weights: str | Path, size: int | None, resize: str | None, preprocessing: str | None
) -> Base:
    """A published architecture with published weights or those of a file."""
    arguments: Mapping[str, float] = {}
    source = str(weights)
    if source != "imagenet":
        arguments = _checked_arguments(constructor, source)
    side = size or DEFAULT_SIDE
    if side < LEAST_SIDE:
        raise ArgumentError(
            f"{constructor} takes pictures of at least {LEAST_SIDE} x {LEAST_SIDE} pixels; size is {side}"
        )
    model = getattr(applications, constructor)(
        weights=source, include_top=False, input_shape=(side, side, 3), pooling="avg", **arguments
    )
    described = ", ".join([constructor, *(f"{key} {value:g}" for key, value in arguments.items())])
    digest = None if source == "imagenet" else file_sha256(source)
    label = "ImageNet, as published with Keras" if source == "imagenet" else as_text(os.path.basename(source))
    preparation = Preparation(ResizeRule(side, resize or "crop"), mode_of(constructor, mode, preprocessing))
    return Base(model, described, preparation, label, digest)


def _checked_arguments(constructor: str, path: str) -> Mapping[str, float]:
    """What a weights file says beyond the name of its architecture."""
    with open_weights(path) as file:
        shapes = [weight.shape for layer in file.layers for weight in layer.weights]
        whole = file.config is not None
    found = identify(shapes)
    if found is None and whole:
        raise ArgumentError(f"{path} is a whole model, not weights of {constructor}: use it as the base, --base {path}")
    if found is None:  # damaged or of another kind: the loader says which layer differs
        alpha = width(constructor, shapes)
        return {} if alpha is None else {"alpha": alpha}
    if found.name != constructor:
        right = next(name for name, (other, _) in NAMES.items() if other == found.name)
        raise ArgumentError(f"{path} holds weights of {found}, not of {constructor}: use base {right}")
    return found.arguments


def _from_model(path: Path, size: int | None, resize: str | None, preprocessing: str | None) -> Base:
    """A whole model from a file, its classifier cut off."""
    model = load_model(str(path))
    preparation = preparation_of(model, str(path), size=size, resize=resize, preprocessing=preprocessing)
    file = as_text(path.name)
    return Base(without_head(model), f"{file} ({model.name})", preparation, file, file_sha256(path))


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
