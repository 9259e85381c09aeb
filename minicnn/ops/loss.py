"""Losses of one row each, as operations: the mean over rows is the loss objects' affair."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.arguments import numbers
from minicnn.autograd import Context, Function, Tensor
from minicnn.errors import ShapeError

EPSILON = 1e-7  # Keras clips probabilities to [EPSILON, 1 - EPSILON]


class SoftmaxCrossEntropy(Function):
    """loss[...] = - sum over k of t[...,k] log softmax(x)[...,k]"""

    @staticmethod
    def forward(ctx: Context, logits: Any, *, targets: Any) -> Any:
        loss, probabilities = kernels.softmax_crossentropy.forward(_rows(logits), _rows(targets))
        ctx.save(probabilities)
        return loss.reshape(logits.shape[:-1])

    @staticmethod
    def backward(ctx: Context, dloss: Any) -> Any:
        targets = ctx.options["targets"]
        dx = kernels.softmax_crossentropy.backward(ctx.saved[0], _rows(targets), dloss.reshape(-1))
        return dx.reshape(targets.shape)


class CrossEntropy(Function):
    """loss[n] = - sum over k of t[n,k] log p[n,k], for p scaled to sum 1 and clipped"""

    @staticmethod
    def forward(ctx: Context, p: Any, *, targets: Any) -> Any:
        total = p.sum(axis=-1, keepdims=True)
        share = p / total
        ctx.save(share, total)
        return -(targets * np.log(np.clip(share, EPSILON, 1 - EPSILON))).sum(axis=-1)

    @staticmethod
    def backward(ctx: Context, dloss: Any) -> Any:
        share, total = ctx.saved
        inside = (share >= EPSILON) & (share <= 1 - EPSILON)
        slope = np.where(inside, -ctx.options["targets"] / np.where(inside, share, 1), 0)
        return (slope - (slope * share).sum(axis=-1, keepdims=True)) / total * dloss[..., None]


class BinaryCrossEntropy(Function):
    """loss = - t log p - (1 - t) log(1 - p), elementwise, p clipped as Keras does"""

    @staticmethod
    def forward(ctx: Context, p: Any, *, targets: Any) -> Any:
        clipped = np.clip(p, EPSILON, 1 - EPSILON)
        ctx.save(clipped, (p >= EPSILON) & (p <= 1 - EPSILON))
        return -(targets * np.log(clipped) + (1 - targets) * np.log(1 - clipped))

    @staticmethod
    def backward(ctx: Context, dloss: Any) -> Any:
        p, inside = ctx.saved
        return np.where(inside, (p - ctx.options["targets"]) / (p * (1 - p)), 0).astype(p.dtype) * dloss


class SigmoidCrossEntropy(Function):
    """loss = max(x, 0) - x t + log(1 + exp(-|x|)), elementwise: the binary cross-entropy of sigmoid(x)"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, targets: Any) -> Any:
        ctx.save(x)
        return np.maximum(x, 0) - x * targets + np.log1p(np.exp(-np.abs(x)))

    @staticmethod
    def backward(ctx: Context, dloss: Any) -> Any:
        (x,) = ctx.saved
        return (kernels.activation.forward(x, "sigmoid") - ctx.options["targets"]) * dloss


def _rows(array: Any) -> Any:
    """(...,K) as (N,K)."""
    return array.reshape(-1, array.shape[-1])


def _targets(targets: Any, like: Tensor) -> Any:
    """The targets in the predictions' dtype, where these are."""
    given = kernels.device_array(targets)
    array = (numbers("loss", "targets", targets) if given is None else given).astype(like.dtype, copy=False)
    if array.shape != like.shape:
        raise ShapeError(f"targets of shape {array.shape} for predictions of shape {like.shape}; they must be equal")
    return kernels.to_device(array, kernels.device_of(like.array))


def softmax_crossentropy(logits: Tensor, targets: Any) -> Tensor:
    """loss (...) of logits (...,K) against target probabilities (...,K).

    >>> import numpy as np, minicnn
    >>> loss = minicnn.ops.softmax_crossentropy(minicnn.Tensor(np.zeros((1, 2))), np.array([[1.0, 0.0]]))
    >>> round(loss.item(), 6)
    0.693147
    """
    return SoftmaxCrossEntropy.apply(logits, targets=_targets(targets, logits))


def crossentropy(p: Tensor, targets: Any) -> Tensor:
    """loss (...) of probabilities p (...,K), which need not sum to 1, against target probabilities (...,K).

    >>> import numpy as np, minicnn
    >>> loss = minicnn.ops.crossentropy(minicnn.Tensor(np.array([[0.5, 0.5]])), np.array([[1.0, 0.0]]))
    >>> round(loss.item(), 6)
    0.693147
    """
    return CrossEntropy.apply(p, targets=_targets(targets, p))


def binary_crossentropy(p: Tensor, targets: Any) -> Tensor:
    """Elementwise loss of probabilities p against targets in [0, 1] of the same shape.

    >>> import numpy as np, minicnn
    >>> loss = minicnn.ops.binary_crossentropy(minicnn.Tensor(np.array([0.5])), np.array([1.0]))
    >>> round(loss.item(), 6)
    0.693147
    """
    return BinaryCrossEntropy.apply(p, targets=_targets(targets, p))


def sigmoid_crossentropy(logits: Tensor, targets: Any) -> Tensor:
    """Elementwise loss of logits against targets in [0, 1] of the same shape.

    >>> import numpy as np, minicnn
    >>> loss = minicnn.ops.sigmoid_crossentropy(minicnn.Tensor(np.array([0.0])), np.array([1.0]))
    >>> round(loss.item(), 6)
    0.693147
    """
    return SigmoidCrossEntropy.apply(logits, targets=_targets(targets, logits))
