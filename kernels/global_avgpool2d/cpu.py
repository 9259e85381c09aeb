"""v3_vector: the loops of avgpool2d's rung, which run along the channels; an image is a block."""

import numpy as np

from .._pooling import Pool
from ..avgpool2d.cpu import avgpool2d_forward_v3_vector


def global_avgpool2d_forward_v3_vector(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the mean of each channel of each image"""
    return avgpool2d_forward_v3_vector(x, pool, y)
