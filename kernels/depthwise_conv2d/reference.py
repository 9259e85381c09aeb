"""depthwise_conv2d, as it is defined: one multiply and one add at a time.

    y[n,i,j,c M + m] = sum over a,b of  x[n, i sh - top + a dh, j sw - left + b dw, c] * w[a,b,c,m]

x (N,H,W,C), w (KH,KW,C,M), y (N,OH,OW,C*M); positions outside the image count as zero.  It is a convolution that
never adds across channels.  Every product x * w that went into y sends dy * w to dx and x * dy to dw.
"""

import numpy as np

from .._epilogue import Epilogue
from .._shapes import Window


def correlate(x, w, window, y):
    """Write the depthwise convolution of x and w into y."""
    (sh, sw), ((top, _), (left, _)), (dh, dw), _ = window
    height, width = x.shape[1:3]
    taps_h, taps_w, channels, multiplier = w.shape
    for n in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for c in range(channels):
                    for m in range(multiplier):
                        total = y.dtype.type(0)
                        for a in range(taps_h):
                            row = i * sh - top + a * dh
                            for b in range(taps_w):
                                col = j * sw - left + b * dw
                                if 0 <= row < height and 0 <= col < width:
                                    total += x[n, row, col, c] * w[a, b, c, m]
                        y[n, i, j, c * multiplier + m] = total


def correlate_to_input(dy, w, window, dx):
    """Write the gradient of sum(y * dy) for x into dx."""
    (sh, sw), ((top, _), (left, _)), (dh, dw), _ = window
    height, width = dx.shape[1:3]
    taps_h, taps_w, channels, multiplier = w.shape
    dx[:] = 0
    for n in range(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                for a in range(taps_h):
                    row = i * sh - top + a * dh
                    for b in range(taps_w):
                        col = j * sw - left + b * dw
                        if 0 <= row < height and 0 <= col < width:
                            for c in range(channels):
                                for m in range(multiplier):
                                    dx[n, row, col, c] += dy[n, i, j, c * multiplier + m] * w[a, b, c, m]


def correlate_to_weights(x, dy, window, dw):
    """Write the gradient of sum(y * dy) for w into dw."""
    (sh, sw), ((top, _), (left, _)), (dh, dw_), _ = window
    height, width = x.shape[1:3]
    taps_h, taps_w, channels, multiplier = dw.shape
    dw[:] = 0
    for n in range(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                for a in range(taps_h):
                    row = i * sh - top + a * dh
                    for b in range(taps_w):
                        col = j * sw - left + b * dw_
                        if 0 <= row < height and 0 <= col < width:
                            for c in range(channels):
                                for m in range(multiplier):
                                    dw[a, b, c, m] += x[n, row, col, c] * dy[n, i, j, c * multiplier + m]


def depthwise_conv2d_forward_reference(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(depthwise(x, w) + bias + residual)"""
    correlate(x, w, window, y)
    return epilogue.apply(y)


def depthwise_conv2d_backward_input_reference(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray
) -> np.ndarray:
    """dx = the sum of dy * w over every window that saw the pixel"""
    correlate_to_input(dy, w, window, dx)
    return dx


def depthwise_conv2d_backward_weights_reference(
    x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray
) -> np.ndarray:
    """dw = the sum of x * dy over every position of the window"""
    correlate_to_weights(x, dy, window, dw)
    return dw
