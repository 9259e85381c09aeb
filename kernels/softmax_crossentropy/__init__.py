"""softmax_crossentropy: the contract.

    loss[n] = - sum over k of t[n,k] log softmax(x[n])[k]

logits x (N,K), targets t (N,K), probabilities (N,K), loss (N,); one float dtype.  Targets are probabilities: one-hot
rows, smoothed rows, or any weights; a class of target 0 does not count, whatever its logit.
"""

import numpy as np

from minicnn.errors import ShapeError

from .._arrays import output_array, same_dtype
from .._gpu.rows import by_length
from .._registry import Operation
from ..softmax import check_last_axis

ALL = ("forward", "backward")


def _default(direction: str, *arguments) -> str:
    return "v2_vector"


def _on_cuda(direction: str, x: np.ndarray, *arguments) -> str:
    return "v4_online" if direction == "forward" else by_length(x)


OPERATION = Operation("softmax_crossentropy", __name__, _default, on_cuda=_on_cuda)
OPERATION.rung("reference", "reference", ALL, "the definition, one row and one number at a time")
OPERATION.rung("v1_numpy", "blas", ALL, "the definition on whole arrays")
OPERATION.rung("v2_vector", "cpu", ALL, "row by row while it is in cache, with an exponential in vector registers")
OPERATION.rung("v1_direct", "cuda", ALL, "a thread for every row", device="cuda")
OPERATION.rung("v2_warps", "cuda_rows", ALL, "a warp for every row: its threads read neighbours", device="cuda")
OPERATION.rung("v3_blocks", "cuda_rows", ALL, "a block for every row, for long ones", device="cuda")
OPERATION.rung(
    "v4_online", "cuda_rows", ("forward",), "the largest and the sum in one pass: a row is read twice", device="cuda"
)


def forward(logits: np.ndarray, targets: np.ndarray, *, rung: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(loss (N,), probabilities (N,K)); never overflows.

    Parameters
    ----------
    logits, targets : (N,K), K at least 1

    Raises
    ------
    ShapeError, DTypeError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> loss, p = kernels.softmax_crossentropy.forward(np.zeros((1, 4)), np.array([[0.0, 1.0, 0.0, 0.0]]))
    >>> loss.round(4), p
    (array([1.3863]), array([[0.25, 0.25, 0.25, 0.25]]))
    """
    _check(logits=logits, targets=targets)
    loss = output_array(None, logits.shape[:1], logits, "softmax_crossentropy")
    probabilities = output_array(None, logits.shape, logits, "softmax_crossentropy")
    return OPERATION.run("forward", logits, logits, targets, loss, probabilities, rung=rung)


def backward(
    probabilities: np.ndarray,
    targets: np.ndarray,
    dloss: np.ndarray,
    *,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """dlogits (N,K) = (p sum over k of t - t) dloss; dloss (N,)."""
    _check(probabilities=probabilities, targets=targets, dloss=dloss)
    if dloss.shape != probabilities.shape[:1]:
        raise ShapeError(f"softmax_crossentropy: dloss must have shape {probabilities.shape[:1]}, it has {dloss.shape}")
    dlogits = output_array(out, probabilities.shape, probabilities, "softmax_crossentropy")
    return OPERATION.run("backward", probabilities, probabilities, targets, dloss, dlogits, rung=rung)


def _check(**arrays: np.ndarray) -> None:
    """Raise unless the first two arrays are (N,K) of one shape, and all of one float dtype."""
    same_dtype("softmax_crossentropy", **arrays)
    (name, first), (_, targets) = list(arrays.items())[:2]
    check_last_axis("softmax_crossentropy", first)
    if first.ndim != 2 or first.shape != targets.shape:
        raise ShapeError(
            f"softmax_crossentropy: {name} and targets must be (N,K); they are {first.shape} and {targets.shape}"
        )
