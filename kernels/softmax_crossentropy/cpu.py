"""v2_vector: one row at a time, while it is in cache, with the exponential of `_vector_math`."""

import numpy as np

from .._arrays import operand
from .._jit import kernel
from .._rows import LANES, as_rows, row_sum
from .._threads import parallel_for
from ..softmax.cpu import powers_of_row

ZERO = np.float32(0)


@kernel
def _forward_rows(start, stop, logits, targets, loss, probabilities):
    terms, lanes = np.empty(logits.shape[1], np.float32), np.empty(LANES, np.float32)
    for n in range(start, stop):
        x, t, p = logits[n], targets[n], probabilities[n]
        most, z = powers_of_row(x, p, lanes)
        log_z, share = np.float32(np.log(z)), np.float32(1 / z)
        for k in range(x.size):
            terms[k] = ZERO if t[k] == ZERO else t[k] * (log_z - (x[k] - most))
            p[k] *= share
        loss[n] = row_sum(terms, lanes)


@kernel
def _backward_rows(start, stop, probabilities, targets, dloss, dlogits):
    lanes = np.empty(LANES, np.float32)
    for n in range(start, stop):
        p, t, dx = probabilities[n], targets[n], dlogits[n]
        total = np.float32(row_sum(t, lanes))
        for k in range(p.size):
            dx[k] = (p[k] * total - t[k]) * dloss[n]


def softmax_crossentropy_forward_v2_vector(
    logits: np.ndarray, targets: np.ndarray, loss: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(loss, probabilities), row by row"""
    arguments = (as_rows(logits), as_rows(targets), loss, probabilities)
    parallel_for(_forward_rows, len(logits), logits.size, *arguments)
    return loss, probabilities


def softmax_crossentropy_backward_v2_vector(
    probabilities: np.ndarray, targets: np.ndarray, dloss: np.ndarray, dlogits: np.ndarray
) -> np.ndarray:
    """dlogits = (p sum of t - t) dloss, row by row"""
    arguments = (as_rows(probabilities), as_rows(targets), operand(dloss), dlogits)
    parallel_for(_backward_rows, len(dlogits), dlogits.size, *arguments)
    return dlogits
