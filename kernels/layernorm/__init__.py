"""layernorm: the contract.

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta

x (...,C); mean and variance are those of each row of C numbers; gamma and beta (C,) may be None, for 1 and 0; one float
dtype.  Source: Ba, Kiros & Hinton, "Layer Normalization", 2016.
"""

import numpy as np

from minicnn.errors import ShapeError

from .._arrays import filled, output_array, same_dtype
from .._gpu.rows import by_length
from .._registry import Operation

ALL = ("forward", "backward")


def _default(direction: str, *arguments) -> str:
    return "v2_rows"


def _on_cuda(direction: str, x: np.ndarray, *arguments) -> str:
    return by_length(x)


ROWS = "row by row while it is in cache"
OPERATION = Operation("layernorm", __name__, _default, on_cuda=_on_cuda)
OPERATION.rung("reference", "reference", ALL, "the definition, one row at a time")
OPERATION.rung("v1_numpy", "blas", ALL, "the definition on whole arrays")
OPERATION.rung("v2_rows", "cpu", ("forward",), ROWS, replays=True)
OPERATION.rung("v2_rows", "cpu", ("backward",), ROWS)
OPERATION.rung("v1_direct", "cuda", ALL, "a thread for every row", device="cuda")
OPERATION.rung("v2_warps", "cuda_rows", ALL, "a warp for every row: its threads read neighbours", device="cuda")
OPERATION.rung("v3_blocks", "cuda_rows", ALL, "a block for every row, for long ones", device="cuda")


def forward(
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    epsilon: float = 1e-3,
    *,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(y (...,C), mean (...,1), 1 / sqrt(variance + epsilon) (...,1)).

    Raises
    ------
    ShapeError, DTypeError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.layernorm.forward(np.array([[1.0, 3.0]]), epsilon=0.0)
    (array([[-1.,  1.]]), array([[2.]]), array([[1.]]))
    """
    _check(x, gamma=gamma, beta=beta)
    y = output_array(out, x.shape, x, "layernorm")
    mean, inverse_std = (output_array(None, (*x.shape[:-1], 1), x, "layernorm") for _ in range(2))
    channels = x.shape[-1:]
    gamma = filled(1, channels, x) if gamma is None else gamma
    beta = filled(0, channels, x) if beta is None else beta
    return OPERATION.run("forward", x, x, gamma, beta, epsilon, y, mean, inverse_std, rung=rung)


def backward(
    x: np.ndarray,
    dy: np.ndarray,
    gamma: np.ndarray | None,
    mean: np.ndarray,
    inverse_std: np.ndarray,
    *,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx (...,C), dgamma (C,), dbeta (C,)); mean and inverse_std are those that forward gave."""
    _check(x, gamma=gamma)
    same_dtype("layernorm", x=x, dy=dy, mean=mean, inverse_std=inverse_std)
    rows = (*x.shape[:-1], 1)
    if dy.shape != x.shape or mean.shape != rows or inverse_std.shape != rows:
        raise ShapeError(
            f"layernorm: for x {x.shape}, dy must have the same shape, mean and inverse_std {rows}; "
            f"they have {dy.shape}, {mean.shape} and {inverse_std.shape}"
        )
    dx = output_array(out, x.shape, x, "layernorm", x, dy)
    dgamma, dbeta = (output_array(None, x.shape[-1:], x, "layernorm") for _ in range(2))
    gamma = filled(1, x.shape[-1:], x) if gamma is None else gamma
    return OPERATION.run("backward", x, x, dy, gamma, mean, inverse_std, dx, dgamma, dbeta, rung=rung)


def _check(x: np.ndarray, **vectors: np.ndarray | None) -> None:
    """Raise unless x is (...,C), the vectors are (C,), and all share one float dtype."""
    same_dtype("layernorm", x=x, **vectors)
    if x.ndim < 1 or x.shape[-1] < 1:
        raise ShapeError(f"layernorm: x must be (...,C) with at least one channel; it is {x.shape}")
    for name, vector in vectors.items():
        if vector is not None and vector.shape != x.shape[-1:]:
            raise ShapeError(f"layernorm: {name} must have shape {x.shape[-1:]}, it has {vector.shape}")
