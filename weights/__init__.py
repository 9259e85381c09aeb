"""Weight files of Keras, and safetensors: opened, matched to a model, written, downloaded.

Knows nothing of layers or tensors: names lead to arrays, configs are data, and nothing in a file is ever run.
"""

from ._json import parse_config
from .entries import LayerEntry, WeightEntry, WeightFile
from .matching import MatchPlan, match
from .opening import open_weights
from .report import LoadReport, ReportRow
from .spec import LayerSpec, WeightSpec
from .writing import save_keras_archive, save_keras_weights, save_legacy_model, save_legacy_weights, save_safetensors

__all__ = [
    "LayerEntry",
    "LayerSpec",
    "LoadReport",
    "MatchPlan",
    "ReportRow",
    "WeightEntry",
    "WeightFile",
    "WeightSpec",
    "match",
    "open_weights",
    "parse_config",
    "save_keras_archive",
    "save_keras_weights",
    "save_legacy_model",
    "save_legacy_weights",
    "save_safetensors",
]
