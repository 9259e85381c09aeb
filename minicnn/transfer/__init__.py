"""Transfer learning: freeze a trained network, learn a new head on it, fine-tune its last layers.

Read in this order: `tuning.py` and `folder_job.py` (the whole job), `fitted.py` and `job.py` (its steps),
`checkpoints.py` (how it goes on after a kill), `summary.py` (its result), `base.py`, `features.py` and
`feature_cache.py`, `head.py` and `weight_decay.py`, `policy.py`, `groups.py` and `fine_tuning.py`, `folds.py`.
`compare.py`, `scoring.py` and `domain.py` say whether it is any good; `extraction.py` has features for other learners.
"""

from minicnn.preparation import Preparation
from minicnn.transfer.base import Base, load_base
from minicnn.transfer.checkpoints import Checkpoints
from minicnn.transfer.compare import Comparison, compare
from minicnn.transfer.domain import DomainGap, coral, domain_gap
from minicnn.transfer.domain_adaptation import GradientReversal, adapt_batchnorm, train_dann
from minicnn.transfer.extraction import extract_features
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import default_cache
from minicnn.transfer.folder_job import finetune_folder
from minicnn.transfer.freeze import freeze, unfreeze
from minicnn.transfer.groups import Group, layer_groups
from minicnn.transfer.policy import Policy
from minicnn.transfer.preparation import class_count, class_names_of, preparation_of
from minicnn.transfer.rate_finder import RateRange, find_learning_rate
from minicnn.transfer.result import Folds, Mistake, Phase, TransferResult
from minicnn.transfer.scoring import h_score, leep, log_me
from minicnn.transfer.scoring_bases import BaseRanking, rank_bases
from minicnn.transfer.settings import Settings
from minicnn.transfer.tuning import FineTuned, finetune

__all__ = [
    "Base",
    "BaseRanking",
    "Checkpoints",
    "Comparison",
    "DomainGap",
    "FeatureCache",
    "FineTuned",
    "Folds",
    "GradientReversal",
    "Group",
    "Mistake",
    "Phase",
    "Policy",
    "Preparation",
    "RateRange",
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
    "find_learning_rate",
    "finetune",
    "finetune_folder",
    "freeze",
    "h_score",
    "layer_groups",
    "leep",
    "load_base",
    "log_me",
    "preparation_of",
    "rank_bases",
    "train_dann",
    "unfreeze",
]
