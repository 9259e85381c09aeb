"""Transfer learning: freeze a trained network, learn a new head on it, fine-tune its last layers.

Read in this order: `finetune.py` (the whole job), `base.py`, `features.py` and `feature_cache.py`, `head.py` and
`weight_decay.py`, `fine_tuning.py`, `folds.py`.
"""

from minicnn.preparation import Preparation
from minicnn.transfer.base import Base, load_base
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import default_cache, extract_features
from minicnn.transfer.finetune import finetune_folder
from minicnn.transfer.freeze import freeze, unfreeze
from minicnn.transfer.preparation import class_count, class_names_of, preparation_of
from minicnn.transfer.result import Folds, Mistake, Phase, TransferResult
from minicnn.transfer.settings import Settings

__all__ = [
    "Base",
    "FeatureCache",
    "Folds",
    "Mistake",
    "Phase",
    "Preparation",
    "Settings",
    "TransferResult",
    "class_count",
    "class_names_of",
    "default_cache",
    "extract_features",
    "finetune_folder",
    "freeze",
    "load_base",
    "preparation_of",
    "unfreeze",
]
