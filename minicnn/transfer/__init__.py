"""Transfer learning: freeze a trained network, learn a new head on it, fine-tune its last layers.

Read in this order: `tuning.py` and `folder_job.py` (the whole job), `job.py` (its steps), `base.py`, `features.py` and
`feature_cache.py`, `head.py` and `weight_decay.py`, `policy.py`, `groups.py` and `fine_tuning.py`, `folds.py`.
"""

from minicnn.preparation import Preparation
from minicnn.transfer.base import Base, load_base
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import default_cache, extract_features
from minicnn.transfer.folder_job import finetune_folder
from minicnn.transfer.freeze import freeze, unfreeze
from minicnn.transfer.groups import Group, layer_groups
from minicnn.transfer.policy import Policy
from minicnn.transfer.preparation import class_count, class_names_of, preparation_of
from minicnn.transfer.rate_finder import RateRange, find_learning_rate
from minicnn.transfer.result import Folds, Mistake, Phase, TransferResult
from minicnn.transfer.settings import Settings
from minicnn.transfer.tuning import FineTuned, finetune

__all__ = [
    "Base",
    "FeatureCache",
    "FineTuned",
    "Folds",
    "Group",
    "Mistake",
    "Phase",
    "Policy",
    "Preparation",
    "RateRange",
    "Settings",
    "TransferResult",
    "class_count",
    "class_names_of",
    "default_cache",
    "extract_features",
    "find_learning_rate",
    "finetune",
    "finetune_folder",
    "freeze",
    "layer_groups",
    "load_base",
    "preparation_of",
    "unfreeze",
]
