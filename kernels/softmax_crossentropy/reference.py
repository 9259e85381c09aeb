"""softmax_crossentropy, as it is defined, one row at a time, in float64.

    loss = sum over k of t[k] (log z - (x[k] - m)),   z = sum over j of exp(x[j] - m),   m = the largest x

It is the cross-entropy of the softmax, written so that no logarithm of a vanishing probability is taken.  Its gradient
is the reason to have both in one kernel:  dx[k] = (p[k] sum over j of t[j] - t[k]) dloss,  p = softmax(x).
"""

import numpy as np


def softmax_crossentropy_forward_reference(
    logits: np.ndarray, targets: np.ndarray, loss: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(loss, probabilities)"""
    for n, (x, t) in enumerate(zip(logits.tolist(), targets.tolist())):
        most = max(x)
        shifted = [value - most for value in x]
        z = sum(np.exp(value) for value in shifted)
        loss[n] = sum(target * (np.log(z) - value) for target, value in zip(t, shifted) if target != 0)
        probabilities[n] = [np.exp(value) / z for value in shifted]
    return loss, probabilities


def softmax_crossentropy_backward_reference(
    probabilities: np.ndarray, targets: np.ndarray, dloss: np.ndarray, dlogits: np.ndarray
) -> np.ndarray:
    """dlogits = (p sum of t - t) dloss"""
    for n, (p, t) in enumerate(zip(probabilities.tolist(), targets.tolist())):
        total = sum(t)
        dlogits[n] = [(p[k] * total - t[k]) * float(dloss[n]) for k in range(len(p))]
    return dlogits
