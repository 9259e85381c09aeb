"""Changes of brightness and colour, for float pictures x (...,H,W,C) of values 0..limit; what leaves them is cut off.

Saturation and hue are those of HSV: value V = max(R,G,B), chroma C = V - min(R,G,B), saturation C / V.
Source: A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978.
"""

import numpy as np


def brightened(x: np.ndarray, part: float, limit: float = 255) -> np.ndarray:
    """y = x + part · limit

    >>> brightened(np.array([10.0, 200.0]), 0.25)
    array([ 73.75, 255.  ])
    """
    return np.clip(x + part * limit, 0, limit)


def contrasted(x: np.ndarray, factor: float, limit: float = 255) -> np.ndarray:
    """y = m + factor · (x - m), m being the mean of each channel of a picture."""
    mean = x.mean((-3, -2), keepdims=True, dtype=np.float64).astype(x.dtype)
    return np.clip(mean + (x - mean) * factor, 0, limit)


def saturated(x: np.ndarray, factor: float) -> np.ndarray:
    """y = V - f · (V - x), f = min(factor, V / C): the saturation times factor, at most 1; V and hue stay.

    >>> saturated(np.array([100.0, 50.0, 60.0]), 0.5)
    array([100.,  75.,  80.])
    """
    value = x.max(-1, keepdims=True)
    chroma = value - x.min(-1, keepdims=True)
    most = np.divide(value, chroma, out=np.full_like(value, factor), where=chroma > 0)
    return np.clip(value - np.minimum(most, factor) * (value - x), 0, value)


def turned_hue(x: np.ndarray, turn: float) -> np.ndarray:
    """The hue of RGB x (...,3) turned by a part of the whole circle; V and saturation stay.

    y = V - C · max(0, min(k, 4 - k, 1)), k = (n + h) mod 6, n = 5, 3, 1 for R, G, B and h the hue in sixths

    >>> turned_hue(np.array([200.0, 0.0, 0.0]), 1 / 3).round()
    array([  0., 200.,   0.])
    """
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    value = x.max(-1)
    chroma = value - x.min(-1)
    over = np.divide(1, chroma, out=np.zeros_like(chroma), where=chroma > 0)
    sixths = np.where(value == green, (blue - red) * over + 2, (red - green) * over + 4)
    sixths = np.where(value == red, (green - blue) * over, sixths)
    k = np.mod(sixths[..., None] + np.array([5, 3, 1], x.dtype) + x.dtype.type(6 * turn), 6)
    ramp = np.clip(np.minimum(k, 4 - k), 0, 1)
    return np.clip(value[..., None] - chroma[..., None] * ramp, 0, value[..., None])
