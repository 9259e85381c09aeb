"""Penalties on weights and constraints of them, by Keras' names; training applies both."""

from typing import Any

import numpy as np

from minicnn.arguments import number
from minicnn.errors import ArgumentError


class L1L2:
    """penalty = l1 sum |w| + l2 sum w^2

    >>> L1L2(l2=0.5).penalty(np.array([2.0]))
    2.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1, self.l2 = number("L1L2", "l1", l1, "[0, inf)"), number("L1L2", "l2", l2, "[0, inf)")

    def penalty(self, w: np.ndarray) -> float:
        """The number that is added to the loss."""
        return float(self.l1 * np.abs(w).sum(dtype=np.float64) + self.l2 * np.square(w).sum(dtype=np.float64))

    def gradient(self, w: np.ndarray) -> np.ndarray:
        """Its gradient, which is added to that of the loss."""
        return w.dtype.type(self.l1) * np.sign(w) + w.dtype.type(2 * self.l2) * w


class MaxNorm:
    """Each unit's weight vector is scaled down to the norm max_value where it is longer."""

    def __init__(self, max_value: float = 2.0, axis: Any = 0):
        number("MaxNorm", "max_value", max_value, "[0, inf)")
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: np.ndarray) -> np.ndarray:
        norms = _norms(w, self.axis)
        return w * (np.clip(norms, 0, self.max_value) / (1e-7 + norms))


class MinMaxNorm:
    """Each unit's weight vector goes, by the share `rate`, towards a norm between two bounds."""

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0):
        for argument, value in (("min_value", min_value), ("max_value", max_value), ("rate", rate)):
            number("MinMaxNorm", argument, value, "[0, inf)")
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: np.ndarray) -> np.ndarray:
        norms = _norms(w, self.axis)
        wanted = self.rate * np.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (wanted / (1e-7 + norms))


class NonNeg:
    """Negative weights become zero."""

    def __call__(self, w: np.ndarray) -> np.ndarray:
        return np.maximum(w, 0)


class UnitNorm:
    """Each unit's weight vector has norm 1."""

    def __init__(self, axis: Any = 0):
        self.axis = axis

    def __call__(self, w: np.ndarray) -> np.ndarray:
        return w / (1e-7 + _norms(w, self.axis))


def _norms(w: np.ndarray, axis: Any) -> np.ndarray:
    """Euclidean norms along an axis or several, which stay with size 1."""
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    return np.sqrt(np.square(w).sum(axis=axes, keepdims=True))


def get_regularizer(identifier: Any) -> L1L2 | None:
    """An L1L2 of itself, "l1", "l2", "l1_l2", a Keras config, or None."""
    if identifier is None or isinstance(identifier, L1L2):
        return identifier
    name, config = identifier, {}
    if isinstance(identifier, dict):
        name, config = identifier.get("class_name"), identifier.get("config") or {}
    kind = str(name).lower().replace("_", "")
    if kind not in ("l1", "l2", "l1l2"):
        raise ArgumentError(f"unknown regularizer {name!r}; known are l1, l2 and l1_l2")
    default = {"l1": {"l1": 0.01}, "l2": {"l2": 0.01}, "l1l2": {"l1": 0.01, "l2": 0.01}}[kind]
    return L1L2(**{**({} if config else default), **{key: config[key] for key in ("l1", "l2") if key in config}})


CONSTRAINTS = {cls.__name__: cls for cls in (MaxNorm, MinMaxNorm, NonNeg, UnitNorm)}


def get_constraint(identifier: Any) -> Any:
    """A constraint of itself, its name, a Keras config, or None."""
    if identifier is None or callable(identifier):
        return identifier
    name, config = identifier, {}
    if isinstance(identifier, dict):
        name, config = identifier.get("class_name"), identifier.get("config") or {}
    found = {key.lower(): cls for key, cls in CONSTRAINTS.items()}.get(str(name).lower().replace("_", ""))
    if found is None:
        raise ArgumentError(f"unknown constraint {name!r}; known are {', '.join(CONSTRAINTS)}")
    return found(**config)


def serialize(value: Any, module: str) -> dict[str, Any] | None:
    """The config that Keras writes for a regularizer or a constraint."""
    if value is None:
        return None
    return {"module": module, "class_name": type(value).__name__, "config": vars(value), "registered_name": None}
