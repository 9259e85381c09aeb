"""Changes of brightness and colour, for float pictures x (...,H,W,C) of values 0..limit; what leaves them is cut off.

Saturation and hue are those of HSV: value V = max(R,G,B), chroma C = V - min(R,G,B), saturation C / V.
Source: A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978.
"""

from collections.abc import Callable

import numpy as np


def brightened(x: np.ndarray, part: float, limit: float = 255) -> np.ndarray:
    """y = x + part · limit

    >>> brightened(np.array([10.0, 200.0]), 0.25)
    array([ 73.75, 255.  ])
    """
    return np.clip(x + part * limit, 0, limit)


def contrasted(x: np.ndarray, factor: float, limit: float = 255) -> np.ndarray:
    """y = m + factor · (x - m), m being the mean of each channel of a picture."""
    y = np.empty_like(x)
    for channel in range(x.shape[-1]):  # on the last axis alone, NumPy would take as many steps as there are pixels
        values = x[..., channel]
        mean = values.mean((-2, -1), keepdims=True, dtype=np.float64).astype(x.dtype)
        y[..., channel] = mean + (values - mean) * x.dtype.type(factor)
    return np.clip(y, 0, limit, out=y)


def saturated(x: np.ndarray, factor: float) -> np.ndarray:
    """y = V - f · (V - x), f = min(factor, V / C): the saturation times factor, at most 1; V and hue stay.

    >>> saturated(np.array([100.0, 50.0, 60.0]), 0.5)
    array([100.,  75.,  80.])
    """
    value, chroma = _value_and_chroma(x)
    most = np.divide(value, chroma, out=np.full_like(value, factor), where=chroma > 0)
    factors = np.minimum(most, x.dtype.type(factor))
    return _of_channels(x, lambda channel: value - factors * (value - x[..., channel]), value)


def turned_hue(x: np.ndarray, turn: float) -> np.ndarray:
    """The hue of RGB x (...,3) turned by a part of the whole circle; V and saturation stay.

    y = V - C · max(0, min(k, 4 - k, 1)), k = (n + h) mod 6, n = 5, 3, 1 for R, G, B and h the hue in sixths

    >>> turned_hue(np.array([200.0, 0.0, 0.0]), 1 / 3).round()
    array([  0., 200.,   0.])
    """
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    value, chroma = _value_and_chroma(x)
    over = np.divide(1, chroma, out=np.zeros_like(chroma), where=chroma > 0)
    sixths = np.where(value == green, (blue - red) * over + 2, (red - green) * over + 4)
    sixths = np.where(value == red, (green - blue) * over, sixths)  # -1..5
    sixths += x.dtype.type(6 * (turn % 1) + 1)  # 0..12

    def turned(channel: int) -> np.ndarray:
        k = sixths + x.dtype.type((4, 2, 0)[channel])
        k -= 6 * np.floor(k * x.dtype.type(1 / 6))
        return value - chroma * np.clip(np.minimum(k, 4 - k), 0, 1)

    return _of_channels(x, turned, value)


def _value_and_chroma(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """V and C (...) of RGB x (...,3)."""
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    value = np.maximum(np.maximum(red, green), blue)
    return value, value - np.minimum(np.minimum(red, green), blue)


def _of_channels(x: np.ndarray, change: Callable[[int], np.ndarray], most: np.ndarray) -> np.ndarray:
    """An array like x (...,3), each channel made for itself and cut to 0..most (...)."""
    y = np.empty_like(x)
    for channel in range(3):
        y[..., channel] = np.clip(change(channel), 0, most)
    return y
