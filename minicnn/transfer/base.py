"""The base of a transfer: a trained network without its classifier, and how pictures are made ready for it.

It comes from a name ("mobilenet"), from the bundled file, or from a path: a whole model, or weights whose architecture
is told by their shapes.
"""

import hashlib
import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from minicnn import applications
from minicnn.data.problems import as_text
from minicnn.errors import ArgumentError, FileAccessError, FileFormatError
from minicnn.models import Model, load_model
from minicnn.preparation import Preparation
from minicnn.preparation.resize import ResizeRule
from minicnn.transfer.preparation import mode_of, preparation_of
from minicnn.transfer.surgery import without_head
from minicnn.weights import open_weights
from minicnn.weights.architectures import Architecture, architecture, architectures
from minicnn.weights.identify import identify, nearest

BUNDLED = "bundled"
NAMES = {row.name.lower(): row for row in architectures() if not row.arguments}  # as the command line takes them


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
        return _from_application(NAMES[name.lower()], weights, size, resize, preprocessing)
    if str(weights) != "imagenet":
        raise ArgumentError(f"weights are for a base that has a name, as minicnn models lists them; base is {name}")
    if name.lower() == BUNDLED:
        return _from_model(bundled_path(), size, resize, preprocessing)
    if not Path(name).suffix and not Path(name).exists():
        hint = "".join(f", did you mean {near}?" for near in get_close_matches(name.lower(), [*NAMES, BUNDLED], n=1))
        raise ArgumentError(
            f"there is no base {name!r}{hint or ':'} use one that minicnn models lists, {BUNDLED}, or a .h5 or .keras "
            "file"
        )
    row = _weights_only(name)
    if row is None:
        return _from_model(Path(name), size, resize, preprocessing)
    return _from_application(row, name, size, resize, preprocessing)


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
            f"{path} holds weights alone, and not of an architecture that minicnn models lists: save the whole model "
            "in one file"
        )
    return found.architecture


def _from_application(
    row: Architecture, weights: str | Path, size: int | None, resize: str | None, preprocessing: str | None
) -> Base:
    """A published architecture with published weights or those of a file."""
    source = str(weights)
    if source != "imagenet":
        row = _variant_in(source, row.name)
    side = size or row.side
    if side < row.least:
        raise ArgumentError(f"{row.name} takes pictures of at least {row.least} x {row.least} pixels; size is {side}")
    model = getattr(applications, row.name)(
        weights=source, include_top=False, input_shape=(side, side, 3), pooling="avg", **row.arguments
    )
    digest = None if source == "imagenet" else file_sha256(source)
    label = "ImageNet, as published with Keras" if source == "imagenet" else as_text(os.path.basename(source))
    preparation = Preparation(ResizeRule(side, resize or "crop"), mode_of(row.name, row.preprocessing, preprocessing))
    return Base(model, str(row), preparation, label, digest)


def _variant_in(path: str, name: str) -> Architecture:
    """The row of an architecture that the weights in a file are of."""
    with open_weights(path) as file:
        shapes = [weight.shape for layer in file.layers for weight in layer.weights]
        whole = file.config is not None
    found = identify(shapes)
    if found is None and whole:
        raise ArgumentError(f"{path} is a whole model, not weights of {name}: use it as the base, --base {path}")
    if found is None:  # damaged or of another kind: the loader says which layer differs
        return nearest(shapes, name) or architecture(name)
    if found.architecture.name != name:
        right = found.architecture.name.lower()
        raise ArgumentError(f"{path} holds weights of {found}, not of {name}: use base {right}")
    return found.architecture


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
