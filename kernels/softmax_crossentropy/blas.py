"""v1_numpy: the definition on whole arrays; sums are made in float64, since NumPy adds a strided axis one by one."""

import numpy as np


@np.errstate(invalid="ignore")
def softmax_crossentropy_forward_v1_numpy(
    logits: np.ndarray, targets: np.ndarray, loss: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(loss, probabilities)"""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    np.exp(shifted, out=probabilities)
    z = probabilities.sum(axis=-1, keepdims=True, dtype=np.float64)
    np.where(targets == 0, 0, targets * (np.log(z) - shifted)).sum(axis=-1, out=loss)
    probabilities /= z
    return loss, probabilities


@np.errstate(invalid="ignore")
def softmax_crossentropy_backward_v1_numpy(
    probabilities: np.ndarray, targets: np.ndarray, dloss: np.ndarray, dlogits: np.ndarray
) -> np.ndarray:
    """dlogits = (p sum of t - t) dloss"""
    np.multiply(probabilities, targets.sum(axis=-1, keepdims=True, dtype=np.float64), out=dlogits)
    dlogits -= targets
    dlogits *= dloss[:, None]
    return dlogits
