"""v2_taps: one idea: for each tap, all its products at once, over views of the image that are shifted to meet it.

NumPy makes KH * KW passes over the image, and no copies of windows.  A view holds just the pixels that the tap meets
inside the image, so nothing needs padding.
"""

import numpy as np

from .._epilogue import Epilogue
from .._shapes import Window
from .._taps import shifted_views


def _by_channel(y: np.ndarray, multiplier: int) -> np.ndarray:
    """y (N,OH,OW,C*M) as (N,OH,OW,C,M)."""
    return y.reshape(*y.shape[:3], y.shape[3] // multiplier, multiplier)


def depthwise_conv2d_forward_v2_taps(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(depthwise(x, w) + bias + residual)"""
    y[:] = 0
    sums = _by_channel(y, w.shape[3])
    for tap, outputs, inputs in shifted_views(x.shape[1:3], y.shape[1:3], w.shape[:2], window):
        sums[outputs] += x[inputs][..., None] * w[tap]
    return epilogue.apply(y)


def depthwise_conv2d_backward_input_v2_taps(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray
) -> np.ndarray:
    """dx = the sum of dy * w over every window that saw the pixel"""
    dx[:] = 0
    gradients = _by_channel(dy, w.shape[3])
    for tap, outputs, inputs in shifted_views(dx.shape[1:3], dy.shape[1:3], w.shape[:2], window):
        dx[inputs] += (gradients[outputs] * w[tap]).sum(axis=-1)
    return dx


def depthwise_conv2d_backward_weights_v2_taps(
    x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray
) -> np.ndarray:
    """dw = the sum of x * dy over every position of the window"""
    gradients = _by_channel(dy, dw.shape[3])
    for tap, outputs, inputs in shifted_views(x.shape[1:3], dy.shape[1:3], dw.shape[:2], window):
        dw[tap] = (x[inputs][..., None] * gradients[outputs]).sum(axis=(0, 1, 2))
    return dw
