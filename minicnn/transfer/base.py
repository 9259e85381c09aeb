"""The base of a transfer: a trained network without its classifier, and how pictures are made ready for it.

It comes from a name ("mobilenet", "torchvision.resnet50"), from the bundled file, or from a path: a whole model, or
weights whose network is told by their shapes and names.
"""

import hashlib
import os
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from minicnn import kernels
from minicnn.applications import state_dicts
from minicnn.applications.from_weights import Row, builder, doubt_of, network_in, network_inside, of_no_network
from minicnn.data.problems import as_text
from minicnn.errors import ArgumentError, FileAccessError
from minicnn.models import Model, load_model
from minicnn.preparation import Preparation
from minicnn.preparation.resize import ResizeRule
from minicnn.transfer.preparation import mode_of, preparation_of
from minicnn.transfer.surgery import without_head
from minicnn.weights import open_weights
from minicnn.weights.architectures import Architecture, architectures, similar
from minicnn.weights.identify import nearest
from minicnn.weights.registry import published_files

BUNDLED, PUBLISHED = "bundled", "imagenet"
NAMES: dict[str, Row] = {row.name.lower(): row for row in architectures() if not row.arguments} | state_dicts.NETWORKS
ENDINGS = (".keras", ".h5", ".hdf5", ".safetensors")  # of what is a file that is missing, and no name of a network


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
    weights: str | Path = PUBLISHED,
    *,
    size: int | None = None,
    resize: str | None = None,
    preprocessing: str | None = None,
    device: str = "cpu",
) -> Base:
    """
    The base that a name or a path says.

    Parameters
    ----------
    base : str or path
        One of NAMES or "bundled", in small or capital letters, or a .keras, .h5 or .safetensors file.
    weights : str or path
        "imagenet", in small or capital letters, or a file, for a base that is one of NAMES.
    size, resize, preprocessing, device
        As in Settings.

    Raises
    ------
    ArgumentError
        Unknown name, weights of another architecture, or a choice that the base does not allow.
    FileAccessError, FileFormatError, WeightsMismatchError, DownloadError
        The file is missing, damaged, or not of the architecture.
    DeviceError
        The device cannot be used.

    Examples
    --------
    >>> load_base("mobilenet", "mobilenet_2_5_224_tf.h5").name  # doctest: +SKIP
    'MobileNet, alpha 0.25'
    """
    if device != "cpu":
        kernels.device(device)  # refused before a file is fetched
    found = _found(str(base), str(weights), size, resize, preprocessing)
    found.model.to(device)
    return found


def _found(name: str, source: str, size: int | None, resize: str | None, preprocessing: str | None) -> Base:
    source = PUBLISHED if source.lower() == PUBLISHED else source
    if name.lower() in NAMES:
        return _from_network(NAMES[name.lower()], source, size, resize, preprocessing)
    bundled = name.lower() == BUNDLED
    if not bundled and not os.path.exists(name) and not name.lower().endswith(ENDINGS):
        raise _no_base(name)
    if source != PUBLISHED:
        raise ArgumentError(f"weights are for a base that has a name, as minicnn models lists them; base is {name}")
    if bundled:
        return replace(_from_model(bundled_path(), size, resize, preprocessing), name=BUNDLED)
    row = _weights_only(name)
    if row is None:
        return _from_model(Path(name), size, resize, preprocessing)
    return _from_network(row, name, size, resize, preprocessing)


def _no_base(name: str) -> ArgumentError:
    """What is said of a name that is neither that of a network nor of a file."""
    meant = similar(name, [*NAMES, BUNDLED])
    hint = f", did you mean {meant}?" if meant else ":"
    return ArgumentError(
        f"there is no base {name!r}{hint} use one that minicnn models lists, {BUNDLED}, or a .keras, .h5 or "
        ".safetensors file"
    )


def has_published_weights(row: Row) -> bool:
    """Whether "imagenet" means a file that can be downloaded."""
    return any(entry.model == row.name for entry in published_files())


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


def _weights_only(path: str) -> Row | None:
    """The network of a file that holds weights alone; None when the file holds a whole model."""
    with open_weights(path) as file:
        if file.config is not None:
            return None
        found = network_in(file) or network_inside(file)
        if found is None:
            raise of_no_network(file)
    if doubt := doubt_of(found):
        warnings.warn(f"{path} holds weights of {found}; {doubt}", stacklevel=3)
    return found.architecture


def _from_network(row: Row, source: str, size: int | None, resize: str | None, preprocessing: str | None) -> Base:
    """A network that has a name, with published weights or those of a file."""
    if source != PUBLISHED:
        row = _variant_in(source, row)
    side = size or row.side
    if side < row.least:
        raise ArgumentError(f"{row.name} takes pictures of at least {row.least} x {row.least} pixels; size is {side}")
    model = builder(row)(weights=source, include_top=False, input_shape=(side, side, 3), pooling="avg")
    digest = None if source == PUBLISHED else file_sha256(source)
    label = "ImageNet, as published with Keras" if source == PUBLISHED else as_text(os.path.basename(source))
    preparation = Preparation(ResizeRule(side, resize or "crop"), mode_of(row.name, row.preprocessing, preprocessing))
    return Base(model, str(row), preparation, label, digest)


def _variant_in(path: str, row: Row) -> Row:
    """The variant of a network that the weights in a file are of."""
    with open_weights(path) as file:
        shapes = [weight.shape for layer in file.layers for weight in layer.weights]
        whole = file.config is not None
        found = network_in(file, row) or network_inside(file)
    if found is None and whole:
        raise ArgumentError(f"{path} is a whole model, not weights of {row}: use it as the base, --base {path}")
    if found is None:  # damaged or of another kind: the loader says which layer differs
        return (isinstance(row, Architecture) and nearest(shapes, row.name)) or row
    if found.architecture.name != row.name:
        right = found.architecture.name.lower()
        raise ArgumentError(f"{path} holds weights of {found}, not of {row}: use base {right}")
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
