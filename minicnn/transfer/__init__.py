"""Transfer learning: freeze a trained network, learn a new head on it, fine-tune its last layers.

Read in this order: `finetune.py` (the whole job), `base.py`, `features.py` and `feature_cache.py`, `head.py` and
`weight_decay.py`, `fine_tuning.py`, `folds.py`; `compare.py`, `scoring.py` and `domain.py` say whether it is any good.
"""

from minicnn.preparation import Preparation
from minicnn.transfer.base import Base, load_base
from minicnn.transfer.compare import Comparison, compare
from minicnn.transfer.domain import DomainGap, coral, domain_gap
from minicnn.transfer.domain_adaptation import GradientReversal, adapt_batchnorm, train_dann
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import default_cache, extract_features
from minicnn.transfer.finetune import finetune_folder
from minicnn.transfer.freeze import freeze, unfreeze
from minicnn.transfer.preparation import class_count, class_names_of, preparation_of
from minicnn.transfer.result import Folds, Mistake, Phase, TransferResult
from minicnn.transfer.scoring import h_score, leep, log_me
from minicnn.transfer.scoring_bases import BaseRanking, rank_bases
from minicnn.transfer.settings import Settings

__all__ = [
    "Base",
    "BaseRanking",
    "Comparison",
    "DomainGap",
    "FeatureCache",
    "Folds",
    "GradientReversal",
    "Mistake",
    "Phase",
    "Preparation",
    "Settings",
    "TransferResult",
    "adapt_batchnorm",
    "class_count",
    "class_names_of",
    "compare",
    "coral",
    "default_cache",
    "domain_gap",
    "extract_features",
    "finetune_folder",
    "freeze",
    "h_score",
    "leep",
    "load_base",
    "log_me",
    "preparation_of",
    "rank_bases",
    "train_dann",
    "unfreeze",
]
