"""The table of published weight files: which model, with or without its head, is which file at which address."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from minicnn.errors import ArgumentError


@dataclass(frozen=True)
class PublishedFile:
    """A file that someone else published.

    Attributes
    ----------
    file, url : str
        The name in the caches, which is Keras'; it may differ from that in the address.
    hash : str or None
        md5 or sha256, where one is published.
    model : str
        "VGG16", ...; "" for what is no model.
    include_top : bool
    alpha, rows : float, int or None
        Width multiplier and image size that it was trained with, where there are several.
    variant : str
        What else is different about the model: "minimalistic"; "" for nothing.
    folder : str
        Of the cache: "models".
    """

    file: str
    url: str
    hash: str | None
    model: str = ""
    include_top: bool = True
    alpha: float | None = None
    rows: int | None = None
    variant: str = ""
    folder: str = "models"


@cache
def published_files() -> tuple[PublishedFile, ...]:
    """Every published weights file that minicnn knows."""
    table = _table()
    return tuple(
        PublishedFile(
            url=_address(table["address"], **entry),
            **{key: value for key, value in entry.items() if key not in ("folder", "address", "remote")},
        )
        for entry in table["files"]
    )


def _address(root: str, file: str, folder: str = "", address: str = "", remote: str = "", **_: object) -> str:
    """Where a file is: in a folder of the root or at an address of its own, perhaps under another name."""
    return f"{address or f'{root}{folder}/'}{remote or file}"


def class_index() -> PublishedFile:
    """The names of the 1,000 ImageNet classes, `imagenet_class_index.json`."""
    return PublishedFile(**_table()["class_index"])


def published(
    model: str, include_top: bool = True, *, alpha: float | None = None, rows: int | None = None, variant: str = ""
) -> PublishedFile:
    """The weights file of a model trained on ImageNet.

    Parameters
    ----------
    model : str
        "VGG16", "ResNet50", "MobileNet", ...
    include_top : bool
    alpha, rows : float, int, optional
        MobileNet, MobileNetV2: width multiplier and image size; MobileNetV3: width multiplier.
    variant : str
        MobileNetV3: "minimalistic", or "".

    Raises
    ------
    ArgumentError
        No such file was published; the message says which were.

    Examples
    --------
    >>> published("VGG16", include_top=False).file
    'vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5'
    >>> published("MobileNet", alpha=0.25, rows=224).file
    'mobilenet_2_5_224_tf.h5'
    """
    name = f"{variant} {model}" if variant else model
    wanted = (include_top, None if alpha is None else float(alpha), rows)
    candidates = [entry for entry in published_files() if (entry.model, entry.variant) == (model, variant)]
    for entry in candidates:
        if (entry.include_top, entry.alpha, entry.rows) == wanted:
            return entry
    if not candidates:
        raise ArgumentError(
            f"no ImageNet weights are published for {name!r} in Keras' format (minicnn weights list names those that "
            "are): use weights=None or a file"
        )
    alphas = sorted({entry.alpha for entry in candidates if entry.alpha is not None})
    if not alphas:
        raise ArgumentError(f"{name} has no variants: leave out alpha and rows")
    widths = [alpha] if alpha in alphas else alphas
    sizes = sorted({size for width in widths for size in published_rows(model, width)})
    of_sizes = f" and rows {', '.join(map(str, sizes))}" if sizes else ""
    raise ArgumentError(
        f"{name} has no ImageNet weights for alpha={alpha}, rows={rows}: there are some for alpha "
        f"{', '.join(map(str, alphas))}{of_sizes}"
    )


def published_rows(model: str, alpha: float) -> list[int]:
    """The sizes of pictures that published weights of a model of this width were trained with.

    Examples
    --------
    >>> published_rows("MobileNetV2", 1.4)
    [224]
    """
    entries = [entry for entry in published_files() if (entry.model, entry.alpha) == (model, alpha)]
    return sorted({entry.rows for entry in entries if entry.rows is not None})


@cache
def _table() -> dict:
    return json.loads(Path(__file__).with_name("registry.json").read_text("utf-8"))
