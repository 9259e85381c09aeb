"""Gradient clipping: a gradient that is too long is shortened.  A limit on a norm keeps its direction.

Norms are summed in float64, so that a large float32 gradient does not overflow into infinity.
"""

import math
from collections.abc import Sequence

import numpy as np


def clip_by_value(gradient: np.ndarray, limit: float) -> np.ndarray:
    """min(max(g, -limit), limit), element by element."""
    return np.clip(gradient, -limit, limit)


def clip_by_norm(gradient: np.ndarray, limit: float) -> np.ndarray:
    """g · limit / max(|g|, limit)."""
    return clip_by_global_norm([gradient], limit)[0]


def clip_by_global_norm(gradients: Sequence[np.ndarray], limit: float) -> list[np.ndarray]:
    """g · limit / max(|all g|, limit): one factor for all gradients.

    Source: Pascanu et al., "On the difficulty of training recurrent neural networks", 2013, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> clip_by_global_norm([np.array([3.0]), np.array([4.0])], 1.0)
    [array([0.6]), array([0.8])]
    """
    norm = math.sqrt(sum(float(np.sum(np.square(gradient, dtype=np.float64))) for gradient in gradients))
    return [gradient * (limit / max(norm, limit)) for gradient in gradients]
