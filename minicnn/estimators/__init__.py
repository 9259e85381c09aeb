"""Networks as scikit-learn estimators: for `Pipeline`, `GridSearchCV`, `cross_val_score` and all that takes one.

`CNNFeatures` transforms pictures to rows of features, `CNNClassifier` classifies pictures.  This is the one part of
minicnn that needs scikit-learn: pip install scikit-learn.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from minicnn.errors import MissingExtraError

if TYPE_CHECKING:
    from minicnn.estimators.classifier import CNNClassifier
    from minicnn.estimators.features import CNNFeatures

__all__ = ["CNNClassifier", "CNNFeatures"]
HOMES = {"CNNClassifier": "classifier", "CNNFeatures": "features"}


def __getattr__(name: str) -> Any:
    """The estimators are imported when they are named: their classes are made of scikit-learn's."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if find_spec("sklearn") is None:
        raise MissingExtraError("scikit-learn", "sklearn", f"minicnn.estimators.{name}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
