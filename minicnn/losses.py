"""Losses: what training makes small.  Names, arguments and formulas are Keras'.

A loss object is called with (y_true, y_pred) and gives the mean over the samples as a scalar tensor; `sample_weight`,
(N,) of samples or (N,T) of their steps, multiplies each share.  Where y_pred has a mask, the mean is that over the
steps which it keeps.
"""

from collections.abc import Callable
from itertools import zip_longest
from typing import Any, ClassVar

import numpy as np

from minicnn import kernels, ops
from minicnn.arguments import number, numbers
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, DataError, ShapeError
from minicnn.ops.activation import Softmax
from minicnn.utils import one_hot, whole_numbers


class Loss:
    """Base of all losses; a subclass gives the loss of each sample."""

    def __init__(self, name: str | None = None):
        self.name = name or type(self).__name__

    def check(self, y_true: np.ndarray, shape: tuple[int | None, ...]) -> None:
        """Raise where targets do not fit predictions of a shape, None standing for any size."""

    def per_sample(self, y_true: np.ndarray, y_pred: Tensor) -> Tensor:
        """The loss of each sample, (N,) or (N,...), of targets that passed `check`."""
        raise NotImplementedError

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """The mean loss of predictions, a tensor or an array, as a scalar tensor.

        Raises
        ------
        ShapeError, ArgumentError
            Targets whose shape does not fit the predictions, or that are no numbers.
        DataError
            Labels that are no classes of the predictions.
        """
        y_true = numbers(self.name, "targets", _on_host(y_true))
        y_pred = y_pred if isinstance(y_pred, Tensor) else Tensor(y_pred)
        self.check(y_true, y_pred.shape)
        values = self.per_sample(y_true, y_pred)
        if sample_weight is not None:
            values = values * Tensor(self._weights(np.asarray(_on_host(sample_weight), values.dtype), values.shape))
        if y_pred.mask is not None and values.ndim:
            values = values * Tensor(self._share_of_each(y_pred.mask.numpy(), values))
        return values.mean()

    def _weights(self, weights: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Weights (N,), (N,1) or (N,T) of samples or their steps, in a shape that broadcasts to that of the losses."""
        while weights.ndim > len(shape) and weights.shape[-1] == 1:
            weights = weights[..., 0]
        if shape and any(w not in (1, n) for w, n in zip_longest(weights.shape, shape[: weights.ndim])):
            raise ShapeError(f"{self.name}: weights of shape {weights.shape} for losses of shape {shape}")
        return weights.reshape(*weights.shape, *[1] * max(len(shape) - weights.ndim, 0))

    def _share_of_each(self, mask: np.ndarray, values: Tensor) -> np.ndarray:
        """The factors with which the mean over all steps is that over those which count; 0 where none does."""
        if mask.shape != values.shape[: mask.ndim]:
            raise ShapeError(f"{self.name}: losses of shape {values.shape} do not fit a mask of shape {mask.shape}")
        factors = (mask != 0) * (mask.size / max(np.count_nonzero(mask), 1))
        return factors.astype(values.dtype).reshape(*mask.shape, *[1] * (values.ndim - mask.ndim))

    def get_config(self) -> dict[str, Any]:
        """The arguments, as Keras writes them."""
        return dict(vars(self))


class _CrossEntropy(Loss):
    """What the cross-entropies share: `from_logits` and `label_smoothing`."""

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, name: str | None = None):
        super().__init__(name)
        self.from_logits = bool(from_logits)
        self.label_smoothing = number(self.name, "label_smoothing", label_smoothing, "[0, 1]")

    def _rows(self, targets: np.ndarray, y_pred: Tensor) -> Tensor:
        """Cross-entropy of target probabilities against predictions, over the last axis."""
        if self.from_logits:
            return ops.softmax_crossentropy(y_pred, targets)
        logits = softmax_input(y_pred)
        return ops.crossentropy(y_pred, targets) if logits is None else ops.softmax_crossentropy(logits, targets)


class CategoricalCrossentropy(_CrossEntropy):
    """loss[n] = - sum over k of t[n,k] log p[n,k], for one-hot (or soft) targets t (N,K).

    Label smoothing a mixes the targets with the uniform distribution: t (1 - a) + a / K (Szegedy et al., 2016).
    Predictions that come straight from a softmax are taken before it, which is exact where p is tiny.

    >>> import numpy as np, minicnn
    >>> from minicnn.losses import CategoricalCrossentropy
    >>> p = minicnn.Tensor(np.array([[0.5, 0.5]]))
    >>> round(CategoricalCrossentropy()(np.array([[0, 1]]), p).item(), 4)
    0.6931
    """

    def check(self, y_true: np.ndarray, shape: tuple[int | None, ...]) -> None:
        if not fits(y_true.shape, shape):
            raise ShapeError(
                f"categorical_crossentropy: targets of shape {y_true.shape} for predictions of shape {shape}; "
                "it needs one-hot targets (utils.to_categorical); sparse_categorical_crossentropy takes class numbers"
            )

    def per_sample(self, y_true: np.ndarray, y_pred: Tensor) -> Tensor:
        a = self.label_smoothing
        return self._rows(y_true * (1 - a) + a / y_true.shape[-1] if a else y_true, y_pred)


class SparseCategoricalCrossentropy(_CrossEntropy):
    """loss[n] = - log p[n, t[n]], for class numbers t (N,).

    >>> import numpy as np, minicnn
    >>> from minicnn.losses import SparseCategoricalCrossentropy
    >>> p = minicnn.Tensor(np.array([[0.25, 0.75]]))
    >>> round(SparseCategoricalCrossentropy()([1], p).item(), 4)
    0.2877
    """

    def __init__(self, from_logits: bool = False, name: str | None = None):
        super().__init__(from_logits, 0.0, name)

    def check(self, y_true: np.ndarray, shape: tuple[int | None, ...]) -> None:
        labels = self._labels(y_true, len(shape))
        if not fits(labels.shape, shape[:-1]):
            raise ShapeError(
                f"sparse_categorical_crossentropy: class numbers of shape {labels.shape} for predictions of shape "
                f"{shape}; one number for each sample is needed"
            )
        classes, count = whole_numbers(labels, "sparse_categorical_crossentropy"), shape[-1]
        if classes.size and count is not None and not (classes.min() >= 0 and classes.max() < count):
            raise DataError(f"labels run from {classes.min()} to {classes.max()}, the model has classes 0..{count - 1}")

    def per_sample(self, y_true: np.ndarray, y_pred: Tensor) -> Tensor:
        classes = self._labels(y_true, y_pred.ndim).astype(np.int64)
        return self._rows(one_hot(classes, y_pred.shape[-1], y_pred.dtype), y_pred)

    def _labels(self, y_true: np.ndarray, axes: int) -> np.ndarray:
        """(N,...) of (N,...,1), for predictions of so many axes."""
        return y_true[..., 0] if y_true.ndim == axes and y_true.shape[-1] == 1 else y_true


class _SameShape(Loss):
    """What losses share that compare targets and predictions of one shape; (N,) may stand for (N,1)."""

    keras_name: ClassVar[str]

    def check(self, y_true: np.ndarray, shape: tuple[int | None, ...]) -> None:
        if not fits(_columns(y_true, shape).shape, shape):
            raise ShapeError(f"{self.keras_name}: targets of shape {y_true.shape} for predictions of shape {shape}")

    def _targets(self, y_true: np.ndarray, y_pred: Tensor) -> np.ndarray:
        """The targets in the predictions' shape and dtype."""
        return _columns(y_true, y_pred.shape).astype(y_pred.dtype)


class BinaryCrossentropy(_SameShape, _CrossEntropy):
    """loss[n] = mean over k of - t log p - (1 - t) log(1 - p), for targets t in [0, 1] of p's shape.

    >>> import numpy as np, minicnn
    >>> from minicnn.losses import BinaryCrossentropy
    >>> round(BinaryCrossentropy()(np.array([[1.0]]), minicnn.Tensor(np.array([[0.5]]))).item(), 4)
    0.6931
    """

    keras_name = "binary_crossentropy"

    def per_sample(self, y_true: np.ndarray, y_pred: Tensor) -> Tensor:
        targets = self._targets(y_true, y_pred)
        a = self.label_smoothing
        targets = targets * (1 - a) + 0.5 * a if a else targets
        function = ops.sigmoid_crossentropy if self.from_logits else ops.binary_crossentropy
        return function(y_pred, targets).mean(axis=-1)


class MeanSquaredError(_SameShape):
    """loss[n] = mean over k of (t - p)^2

    >>> import numpy as np, minicnn
    >>> from minicnn.losses import MeanSquaredError
    >>> MeanSquaredError()(np.array([[1.0]]), minicnn.Tensor(np.array([[3.0]]))).item()
    4.0
    """

    keras_name = "mean_squared_error"

    def per_sample(self, y_true: np.ndarray, y_pred: Tensor) -> Tensor:
        return ((y_pred - Tensor(self._targets(y_true, y_pred))) ** 2).mean(axis=-1)


class MeanAbsoluteError(_SameShape):
    """loss[n] = mean over k of |t - p|

    >>> import numpy as np, minicnn
    >>> from minicnn.losses import MeanAbsoluteError
    >>> MeanAbsoluteError()(np.array([[1.0]]), minicnn.Tensor(np.array([[3.0]]))).item()
    2.0
    """

    keras_name = "mean_absolute_error"

    def per_sample(self, y_true: np.ndarray, y_pred: Tensor) -> Tensor:
        return abs(y_pred - Tensor(self._targets(y_true, y_pred))).mean(axis=-1)


class FunctionLoss(Loss):
    """loss[n] of a function of tensors (y_true, y_pred): one value a sample, (N,) or (N,...), or a scalar.

    The targets come in the predictions' dtype; class numbers (N,) for predictions (N,1) come as (N,1).

    >>> import numpy as np, minicnn
    >>> from minicnn import losses
    >>> loss = losses.get(lambda y_true, y_pred: abs(y_pred - y_true))
    >>> loss(np.array([1.0, 2.0]), minicnn.Tensor(np.array([[3.0], [2.0]]))).item()
    1.0
    """

    def __init__(self, function: Callable[..., Any]):
        super().__init__(getattr(function, "__name__", type(function).__name__))
        self.function = function

    def per_sample(self, y_true: np.ndarray, y_pred: Tensor) -> Tensor:
        values = self.function(Tensor(_columns(y_true, y_pred.shape).astype(y_pred.dtype)), y_pred)
        if not isinstance(values, Tensor):
            raise ArgumentError(
                f"the loss {self.name} must return a Tensor, made of y_true and y_pred by arithmetic and minicnn.ops; "
                f"it returned {type(values).__name__}"
            )
        if values.ndim and values.shape[0] != y_pred.shape[0]:
            raise ShapeError(
                f"the loss {self.name} must give one value a sample, or a scalar; for {y_pred.shape[0]} samples it has "
                f"shape {values.shape}"
            )
        return values


def fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    """Whether a shape is the expected one, in which None stands for any size."""
    return len(shape) == len(expected) and all(n is None or m == n for m, n in zip(shape, expected))


def _on_host(value: Any) -> Any:
    """The value, or the numbers on the host of a tensor and of an array of a device."""
    value = value.array if isinstance(value, Tensor) else value
    array = kernels.device_array(value)
    return value if array is None else kernels.to_host(array)


def _columns(y_true: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    """Targets (N,) as (N,1) where predictions have that shape."""
    return y_true[..., None] if y_true.ndim == len(shape) - 1 and shape[-1] == 1 else y_true


def softmax_input(y_pred: Tensor) -> Tensor | None:
    """The logits whose softmax a tensor is, while the graph still knows them."""
    node = y_pred.creator
    if node is None or node.function is not Softmax or node.context is None or node.context.options["log"]:
        return None
    return node.input(0, node.context.saved[0])


CLASSES: dict[str, type[Loss]] = {
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "binary_crossentropy": BinaryCrossentropy,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
}


def get(identifier: Any) -> Loss:
    """A loss of a name ("categorical_crossentropy", "CategoricalCrossentropy", "mse", ...), of a function, or itself.

    Raises
    ------
    ArgumentError
        The name is unknown; the message lists the known ones.
    """
    if isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, type):
        if issubclass(identifier, Loss):
            return identifier()
    elif callable(identifier):
        return FunctionLoss(identifier)
    by_name = {**CLASSES, **{cls.__name__: cls for cls in CLASSES.values()}}
    if not isinstance(identifier, str) or identifier not in by_name:
        raise ArgumentError(f"unknown loss {identifier!r}; known are {', '.join(CLASSES)}")
    return by_name[identifier]()
