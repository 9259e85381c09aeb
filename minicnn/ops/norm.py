"""Normalisation: batch (training and inference), layer, group and to length 1."""

from math import prod
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor
from minicnn.autograd.function import check_dtypes
from minicnn.errors import ShapeError

from .activation import finishing
from .shape import permute, reshape


class BatchNormTrain(Function):
    """y = f(gamma (x - mean) / sqrt(variance + epsilon) + beta), with the statistics of this batch"""

    @staticmethod
    def forward(ctx: Context, x: Any, gamma: Any, beta: Any, *, epsilon: float, activation: str | None = None) -> Any:
        y, mean, variance, inverse_std = kernels.batchnorm.forward_train(x, gamma, beta, epsilon, activation=activation)
        ctx.save(x, gamma, beta, mean, inverse_std)
        return y, mean, variance

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        (x, gamma, beta, mean, inverse_std), activation = ctx.saved, ctx.options.get("activation")
        return kernels.batchnorm.backward_train(x, dy, gamma, mean, inverse_std, beta=beta, activation=activation)


class BatchNormOfKept(Function):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta along an axis, with the statistics of some of the steps"""

    @staticmethod
    def forward(ctx: Context, x: Any, mask: Any, gamma: Any, beta: Any, *, epsilon: float, axis: int) -> Any:
        check_dtypes("batchnorm_of_kept", *(array for array in (x, mask, gamma, beta) if array is not None))
        others = _other_axes(x, axis)
        kept = np.broadcast_to((mask != 0).reshape(*mask.shape, *[1] * (x.ndim - mask.ndim)), x.shape)
        counts = np.maximum(kept.sum(others, keepdims=True), 1).astype(x.dtype)
        mean = np.where(kept, x, 0).sum(others, keepdims=True) / counts
        difference = x - mean
        variance = np.square(np.where(kept, difference, 0)).sum(others, keepdims=True) / counts
        inverse_std = 1 / np.sqrt(variance + x.dtype.type(epsilon))
        normal = difference * inverse_std
        ctx.save(normal, kept, counts, inverse_std, gamma)
        y = normal if gamma is None else normal * gamma.reshape(mean.shape)
        y = y if beta is None else y + beta.reshape(mean.shape)
        return y, mean.reshape(-1), variance.reshape(-1)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        normal, kept, counts, inverse_std, gamma = ctx.saved
        others = _other_axes(dy, ctx.options["axis"])
        dgamma, dbeta = (dy * normal).sum(others, keepdims=True), dy.sum(others, keepdims=True)
        through_statistics = np.where(kept, dbeta + dgamma * normal, 0) / counts
        scale = inverse_std if gamma is None else inverse_std * gamma.reshape(inverse_std.shape)
        return (dy - through_statistics) * scale, None, dgamma.reshape(-1), dbeta.reshape(-1)


def _other_axes(x: Any, axis: int) -> tuple[int, ...]:
    return tuple(i for i in range(x.ndim) if i != axis % x.ndim)


class BatchNormInfer(Function):
    """y = f(gamma (x - mean) / sqrt(variance + epsilon) + beta), with fixed statistics"""

    @staticmethod
    def forward(
        ctx: Context,
        x: Any,
        gamma: Any,
        beta: Any,
        mean: Any,
        variance: Any,
        *,
        epsilon: float,
        activation: str | None = None,
    ) -> Any:
        ctx.save(x, gamma, beta, mean.copy(), variance.copy())  # training may move them before the backward pass
        scale, shift = kernels.batchnorm.fold(gamma, beta, mean, variance, epsilon)
        return kernels.batchnorm.forward_infer(x, scale, shift, activation=activation)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        x, gamma, beta, mean, variance = ctx.saved
        gradients = kernels.batchnorm.backward_infer(x, dy, gamma, mean, variance, beta=beta, **ctx.options)
        return *gradients, None, None


class LayerNorm(Function):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the statistics of the last axis of each row"""

    @staticmethod
    def forward(ctx: Context, x: Any, gamma: Any, beta: Any, *, epsilon: float) -> Any:
        y, mean, inverse_std = kernels.layernorm.forward(x, gamma, beta, epsilon)
        ctx.save(x, gamma, mean, inverse_std)
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return kernels.layernorm.backward(ctx.saved[0], dy, *ctx.saved[1:])


class UnitNorm(Function):
    """y = x / max(|x|, epsilon), with the length |x| along some axes"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, axes: tuple[int, ...], epsilon: float) -> Any:
        length = np.sqrt(np.square(x).sum(axis=axes, keepdims=True))
        y = x / np.maximum(length, x.dtype.type(epsilon))
        ctx.save(y, length)
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        (y, length), (axes, epsilon) = ctx.saved, ctx.options.values()
        along = (y * dy).sum(axis=axes, keepdims=True)
        return (dy - y * np.where(length > epsilon, along, 0)) / np.maximum(length, y.dtype.type(epsilon))


def batchnorm_train(
    x: Tensor, gamma: Tensor | None, beta: Tensor | None, epsilon: float = 1e-3, activation: str | None = None
) -> tuple[Tensor, Any, Any]:
    """(y, mean, variance): x (...,C) normalised over all axes but the last, and the batch's statistics (C,).

    `activation`: None, "relu" or "relu6", to follow in the same operation.

    The variance is the biased one (divided by the count), for normalising and for the moving average alike
    (Ioffe & Szegedy, "Batch Normalization", 2015, algorithm 1).

    >>> import numpy as np, minicnn
    >>> y, mean, variance = minicnn.ops.batchnorm_train(minicnn.Tensor(np.array([[1.0], [3.0]])), None, None)
    >>> mean, variance
    (array([2.]), array([1.]))
    """
    return BatchNormTrain.apply(x, gamma, beta, epsilon=epsilon, **finishing(activation))


def batchnorm_of_kept(
    x: Tensor, mask: Tensor, gamma: Tensor | None, beta: Tensor | None, epsilon: float = 1e-3, axis: int = -1
) -> tuple[Tensor, Any, Any]:
    """(y, mean, variance) as `batchnorm_train`, by the statistics of the steps that mask (N,T) keeps, for axis C of x.

    All steps of x (N,T,...) are normalised by them.  Where none is kept, mean and variance are 0.

    >>> import numpy as np, minicnn
    >>> x, mask = minicnn.Tensor(np.array([[[1.0], [3.0], [9.0]]])), minicnn.Tensor(np.array([[1.0, 1.0, 0.0]]))
    >>> y, mean, variance = minicnn.ops.batchnorm_of_kept(x, mask, None, None)
    >>> mean, variance
    (array([2.]), array([1.]))
    """
    return BatchNormOfKept.apply(x, mask, gamma, beta, epsilon=epsilon, axis=axis)


def batchnorm_infer(
    x: Tensor,
    gamma: Tensor | None,
    beta: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    epsilon: float = 1e-3,
    activation: str | None = None,
) -> Tensor:
    """x (...,C) normalised by given statistics (C,); `activation`: None, "relu" or "relu6", in the same operation.

    >>> import numpy as np, minicnn
    >>> x, mean, variance = (minicnn.Tensor(np.array(v)) for v in ([[1.0], [3.0]], [2.0], [4.0]))
    >>> minicnn.ops.batchnorm_infer(x, None, None, mean, variance, epsilon=0.0).numpy()[:, 0]
    array([-0.5,  0.5])
    """
    return BatchNormInfer.apply(x, gamma, beta, mean, variance, epsilon=epsilon, **finishing(activation))


def layernorm(x: Tensor, gamma: Tensor | None, beta: Tensor | None, epsilon: float = 1e-3) -> Tensor:
    """x (...,C) normalised along its last axis (Ba, Kiros & Hinton, "Layer Normalization", 2016).

    >>> import numpy as np, minicnn
    >>> minicnn.ops.layernorm(minicnn.Tensor(np.array([[1.0, 3.0]])), None, None, epsilon=0.0).numpy()
    array([[-1.,  1.]])
    """
    return LayerNorm.apply(x, gamma, beta, epsilon=epsilon)


def groupnorm(x: Tensor, gamma: Tensor | None, beta: Tensor | None, groups: int, epsilon: float = 1e-3) -> Tensor:
    """x (N,...,C) normalised over each group of C / groups channels of a sample (Wu & He, "Group Normalization", 2018).

    A group, with all places of its channels, is a row to `layernorm`; gamma and beta (C,) follow.

    >>> import numpy as np, minicnn
    >>> x = minicnn.Tensor(np.array([[[1.0, 10.0], [3.0, 30.0]]]))
    >>> minicnn.ops.groupnorm(x, None, None, 2, epsilon=0.0).numpy()[0]
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    _, *places, channels = x.shape
    if groups < 1 or channels % groups:
        raise ShapeError(f"groupnorm: {channels} channels do not divide into {groups} groups")
    count, size = prod(places), channels // groups
    rows = reshape(permute(reshape(x, (count, groups, size)), (2, 1, 3)), (groups, count * size))
    rows = reshape(layernorm(rows, None, None, epsilon), (groups, count, size))
    y = reshape(permute(rows, (2, 1, 3)), (*places, channels))
    y = y if gamma is None else y * gamma
    return y if beta is None else y + beta


def unit_norm(x: Tensor, axes: tuple[int, ...], epsilon: float = 1e-12) -> Tensor:
    """x divided by its length along some axes, or by epsilon where it is shorter.

    >>> import minicnn
    >>> minicnn.ops.unit_norm(minicnn.Tensor([3.0, 4.0]), (0,)).numpy()
    array([0.6, 0.8])
    """
    return UnitNorm.apply(x, axes=axes, epsilon=epsilon)
