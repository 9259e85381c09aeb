"""Published architectures, as Keras builds and names them, one family in each file.

Every builder takes `weights=None`, `"imagenet"` or a path, `include_top`, `input_shape`, `pooling` and `classes`.  The
table of them is `minicnn.weights.architectures`; a family is imported when one of its names is asked for.
PyTorch's networks are in `torchvision` and `timm`.
"""

from importlib import import_module
from typing import Any

from minicnn.preparation import preprocess_input
from minicnn.weights.architectures import architectures

from .labels import decode_predictions

_BUILDERS = {row.name: row.module for row in architectures()}
_MODULES = {*_BUILDERS.values(), "resnet50", "timm", "torchvision", "vgg16", "vgg19"}

__all__ = ["decode_predictions", "preprocess_input", *_BUILDERS, *sorted(_MODULES)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in _BUILDERS:
        return getattr(import_module(f".{_BUILDERS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
