"""batchnorm: the contract.

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta

x (...,C) of any rank from 2; gamma, beta, mean, variance (C,); one float dtype.  In training, mean and variance are
those of the batch, over all axes but the last; the variance is the biased one (divided by the count).  In inference
they are given, and all four vectors fold into a scale and a shift, after which an activation may come in the same pass.
gamma and beta may be None, for 1 and 0.

A "relu" or "relu6" after it comes in the same passes in training too: y is then what it leaves, and the gradients are
those through both.  Which numbers it let through follows from x, so that none of them is kept for it.

The statistics of an empty batch are mean 0 and variance 0.
Source: Ioffe & Szegedy, "Batch Normalization", 2015, algorithms 1 and 2, and the gradient of section 3.
"""

import numpy as np

from minicnn.errors import ShapeError

from .._arrays import filled, output_array, same_dtype
from .._epilogue import Epilogue, rectified
from .._registry import Operation

STATISTICS = ("forward_train", "backward_train", "backward_infer")
ALL = ("forward_train", "backward_train", "forward_infer", "backward_infer")


def _default(direction: str, *arguments) -> str:
    return "v2_chunks"


OPERATION = Operation("batchnorm", __name__, _default)
OPERATION.rung("reference", "reference", ALL, "the definition, one number at a time")
OPERATION.rung("v1_numpy", "blas", ALL, "the definition on whole arrays")
CHUNKS = "statistics by chunks that fit the cache, combined in order; one pass to apply"
OPERATION.rung("v2_chunks", "cpu", STATISTICS, CHUNKS)
OPERATION.rung("v2_chunks", "cpu", ("forward_infer",), CHUNKS, replays=True)
OPERATION.rung("v1_direct", "cuda", STATISTICS, "a thread for every channel", device="cuda")
OPERATION.rung("v1_direct", "cuda", ("forward_infer",), "a thread for every number", device="cuda")
BLOCKS = "chunks of rows in many blocks, combined in order"
OPERATION.rung("v2_chunks", "cuda_chunks", STATISTICS, BLOCKS, device="cuda")
MANY = "chunks of rows: a thread reads scale and shift once for many numbers"
OPERATION.rung("v2_chunks", "cuda_chunks", ("forward_infer",), MANY, device="cuda")
OPERATION.rung("v3_fused", "cuda_chunks", ("forward_train",), "both statistics in one pass over x", device="cuda")
OPERATION.rung("v4_vector", "cuda_chunks", ALL, "as the rung before it, a thread for four channels", device="cuda")


def forward_train(
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    epsilon: float = 1e-3,
    *,
    activation: str | None = None,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(y (...,C), mean (C,), variance (C,), 1 / sqrt(variance + epsilon) (C,)), with the statistics of this batch.

    Raises
    ------
    ShapeError, DTypeError
    ArgumentError
        Another activation than "relu" and "relu6".

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> y, mean, variance, inverse_std = kernels.batchnorm.forward_train(np.array([[1.0], [3.0]]), epsilon=0.0)
    >>> y.ravel(), mean, variance, inverse_std
    (array([-1.,  1.]), array([2.]), array([1.]), array([1.]))
    """
    _check(x, gamma=gamma, beta=beta)
    epilogue = rectified(activation, "batchnorm")
    y = output_array(out, x.shape, x, "batchnorm")
    statistics = tuple(output_array(None, x.shape[-1:], x, "batchnorm") for _ in range(3))
    arguments = (x, *_identity(x, gamma, beta), epsilon, epilogue, y, *statistics)
    return OPERATION.run("forward_train", x, *arguments, rung=rung)


def backward_train(
    x: np.ndarray,
    dy: np.ndarray,
    gamma: np.ndarray | None,
    mean: np.ndarray,
    inverse_std: np.ndarray,
    *,
    beta: np.ndarray | None = None,
    activation: str | None = None,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx (...,C), dgamma (C,), dbeta (C,)): through the batch's mean and variance as well; beta for an activation."""
    _check(x, dy, gamma=gamma, beta=beta, mean=mean, inverse_std=inverse_std)
    epilogue = rectified(activation, "batchnorm")
    dx = output_array(out, x.shape, x, "batchnorm")
    dgamma, dbeta = (output_array(None, x.shape[-1:], x, "batchnorm") for _ in range(2))
    arguments = (x, dy, *_identity(x, gamma, beta), mean, inverse_std, epilogue, dx, dgamma, dbeta)
    return OPERATION.run("backward_train", x, *arguments, rung=rung)


def fold(
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray]:
    """(scale, shift), both (C,), such that y = x scale + shift; computed in float64, returned in mean's dtype."""
    _check(mean[None], gamma=gamma, beta=beta, mean=mean, variance=variance)
    scale = 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    if gamma is not None:
        scale = scale * gamma
    shift = -mean * scale if beta is None else beta - mean * scale
    return scale.astype(mean.dtype), shift.astype(mean.dtype)


def forward_infer(
    x: np.ndarray,
    scale: np.ndarray,
    shift: np.ndarray,
    *,
    activation: str | None = None,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """y = activation(x scale + shift), with what `fold` has made of fixed statistics; `out` may be x itself.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> x, scale, shift = np.array([[1.0], [3.0]]), np.array([1.0]), np.array([-2.0])
    >>> kernels.batchnorm.forward_infer(x, scale, shift, activation="relu").ravel()
    array([0., 1.])
    """
    _check(x, scale=scale, shift=shift)
    y, epilogue = output_array(out, x.shape, x, "batchnorm"), Epilogue(activation=activation)
    return OPERATION.run("forward_infer", x, x, scale, shift, epilogue, y, rung=rung)


def backward_infer(
    x: np.ndarray,
    dy: np.ndarray,
    gamma: np.ndarray | None,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
    *,
    beta: np.ndarray | None = None,
    activation: str | None = None,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx (...,C), dgamma (C,), dbeta (C,)), mean and variance being constants; beta for an activation."""
    _check(x, dy, gamma=gamma, beta=beta, mean=mean, variance=variance)
    epilogue = rectified(activation, "batchnorm")
    dx = output_array(out, x.shape, x, "batchnorm")
    dgamma, dbeta = (output_array(None, x.shape[-1:], x, "batchnorm") for _ in range(2))
    inverse_std, _ = fold(None, None, mean, variance, epsilon)
    arguments = (x, dy, *fold(gamma, beta, mean, variance, epsilon), mean, inverse_std, epilogue, dx, dgamma, dbeta)
    return OPERATION.run("backward_infer", x, *arguments, rung=rung)


def _identity(x: np.ndarray, gamma: np.ndarray | None, beta: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """gamma and beta, with 1 and 0 in place of None."""
    channels = x.shape[-1:]
    return (
        filled(1, channels, x) if gamma is None else gamma,
        filled(0, channels, x) if beta is None else beta,
    )


def _check(x: np.ndarray, dy: np.ndarray | None = None, **vectors: np.ndarray | None) -> None:
    """Raise unless x is (...,C), dy has its shape, all vectors are (C,), and all share one float dtype."""
    same_dtype("batchnorm", x=x, dy=dy, **vectors)
    if x.ndim < 2 or x.shape[-1] < 1:
        raise ShapeError(f"batchnorm: x must be (...,C) with at least two axes and one channel; it is {x.shape}")
    if dy is not None and dy.shape != x.shape:
        raise ShapeError(f"batchnorm: x {x.shape} and dy {dy.shape} must have one shape")
    for name, vector in vectors.items():
        if vector is not None and vector.shape != x.shape[-1:]:
            raise ShapeError(f"batchnorm: {name} must have shape {x.shape[-1:]}, it has {vector.shape}")
