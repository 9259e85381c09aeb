"""Optimizers: how a gradient moves a parameter.  Names, arguments, defaults and formulas are Keras 3's."""

from typing import Any

from minicnn.errors import ArgumentError
from minicnn.optimizers import schedules
from minicnn.optimizers.adagrad import Adagrad
from minicnn.optimizers.adam import Adam, AdamW
from minicnn.optimizers.loss_scale import LossScale
from minicnn.optimizers.optimizer import Optimizer
from minicnn.optimizers.rmsprop import RMSprop
from minicnn.optimizers.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "LossScale", "Optimizer", "RMSprop", "get", "schedules"]

CLASSES: dict[str, type[Optimizer]] = {kind.__name__.lower(): kind for kind in (SGD, RMSprop, Adam, AdamW, Adagrad)}


def get(identifier: str | dict[str, Any] | Optimizer) -> Optimizer:
    """An optimizer from its name, from {"class_name": ..., "config": ...}, or as it is.

    Raises
    ------
    ArgumentError
        There is no optimizer of that name.

    Examples
    --------
    >>> from minicnn import optimizers
    >>> optimizers.get("adam").learning_rate
    0.001
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return _class(identifier.get("class_name")).from_config(identifier.get("config", {}))
    return _class(identifier).from_config({})


def _class(name: Any) -> type[Optimizer]:
    kind = CLASSES.get(name.lower()) if isinstance(name, str) else None
    if kind is None:
        known = ", ".join(kind.__name__ for kind in CLASSES.values())
        raise ArgumentError(f"there is no optimizer {name!r}; there are {known}")
    return kind
