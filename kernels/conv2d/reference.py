"""conv2d, as it is defined: one multiply and one add at a time.

    y[n,i,j,f] = sum over a,b,c of  x[n, i sh - top + a dh, j sw - left + b dw, c] * w[a,b,c,f]

x (N,H,W,C), w (KH,KW,C/groups,F), y (N,OH,OW,F); positions outside the image count as zero.  With groups, output f
sees only the C/groups channels of its own group.  It is the cross-correlation that CNNs call convolution (Dumoulin &
Visin, "A guide to convolution arithmetic for deep learning", 2016).

The backward loops are the same loops: every product x * w that went into y sends dy * w to dx and x * dy to dw.
"""

import numpy as np

from .._epilogue import Epilogue
from .._shapes import Window


def correlate(x, w, window, y):
    """Write the convolution of x and w into y."""
    (sh, sw), ((top, _), (left, _)), (dh, dw), groups = window
    height, width = x.shape[1:3]
    taps_h, taps_w, channels, filters = w.shape
    per_group = filters // groups
    for n in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for f in range(filters):
                    first = f // per_group * channels
                    total = y.dtype.type(0)
                    for a in range(taps_h):
                        row = i * sh - top + a * dh
                        for b in range(taps_w):
                            col = j * sw - left + b * dw
                            if 0 <= row < height and 0 <= col < width:
                                for c in range(channels):
                                    total += x[n, row, col, first + c] * w[a, b, c, f]
                    y[n, i, j, f] = total


def correlate_to_input(dy, w, window, dx):
    """Write the gradient of sum(y * dy) for x into dx."""
    (sh, sw), ((top, _), (left, _)), (dh, dw), groups = window
    height, width = dx.shape[1:3]
    taps_h, taps_w, channels, filters = w.shape
    per_group = filters // groups
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
                                for f in range(filters):
                                    first = f // per_group * channels
                                    dx[n, row, col, first + c] += dy[n, i, j, f] * w[a, b, c, f]


def correlate_to_weights(x, dy, window, dw):
    """Write the gradient of sum(y * dy) for w into dw."""
    (sh, sw), ((top, _), (left, _)), (dh, dw_), groups = window
    height, width = x.shape[1:3]
    taps_h, taps_w, channels, filters = dw.shape
    per_group = filters // groups
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
                                for f in range(filters):
                                    first = f // per_group * channels
                                    dw[a, b, c, f] += x[n, row, col, first + c] * dy[n, i, j, f]


def conv2d_forward_reference(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(conv(x, w) + bias + residual)"""
    correlate(x, w, window, y)
    return epilogue.apply(y)


def conv2d_backward_input_reference(dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray) -> np.ndarray:
    """dx = the sum of dy * w over every window that saw the pixel"""
    correlate_to_input(dy, w, window, dx)
    return dx


def conv2d_backward_weights_reference(x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray) -> np.ndarray:
    """dw = the sum of x * dy over every position of the window"""
    correlate_to_weights(x, dy, window, dw)
    return dw
