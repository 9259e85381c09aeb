"""Constraints of weights by Keras' names, for layers' `kernel_constraint` and `bias_constraint`."""

from minicnn.layers.regularizers import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from minicnn.layers.regularizers import get_constraint as get

__all__ = ["MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "get", "max_norm", "min_max_norm", "non_neg", "unit_norm"]

max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm
