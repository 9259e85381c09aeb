"""Mean errors of outputs that are numbers rather than classes."""

import numpy as np

from minicnn.metrics.labels import same_shape
from minicnn.metrics.metric import MeanOf


class MeanSquaredError(MeanOf):
    """mean((y_pred - y_true)²).

    Examples
    --------
    >>> MeanSquaredError()([0.0, 1.0], [1.0, 3.0])
    2.5
    """

    direction = "down"

    def __init__(self, name: str = "mean_squared_error"):
        super().__init__(lambda y_true, y_pred: np.square(differences(y_true, y_pred, name)), name)


class MeanAbsoluteError(MeanOf):
    """mean(|y_pred - y_true|).

    Examples
    --------
    >>> MeanAbsoluteError()([0.0, 1.0], [1.0, 3.0])
    1.5
    """

    direction = "down"

    def __init__(self, name: str = "mean_absolute_error"):
        super().__init__(lambda y_true, y_pred: np.abs(differences(y_true, y_pred, name)), name)


def differences(y_true: np.ndarray, y_pred: np.ndarray, owner: str) -> np.ndarray:
    """y_pred - y_true in float64."""
    y_true, y_pred = same_shape(y_true, y_pred, owner)
    return np.subtract(y_pred, y_true, dtype=np.float64)
