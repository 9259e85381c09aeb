"""v2_im2col: every window becomes a row of a matrix, and one BLAS product does all the sums.

    patches (N OH OW, KH KW C) @ w (KH KW C, F) = y (N OH OW, F)

The copy costs KH * KW times the memory of the image, so a batch is done a few images at a time.  A 1x1 convolution
with stride 1 needs no copy: its patches are the image.  (Chellapilla, Puri & Simard, "High Performance Convolutional
Neural Networks for Document Processing", 2006.)
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .._epilogue import Epilogue
from .._shapes import Window

PATCH_BYTES = 64 << 20


def pad_image(x: np.ndarray, window: Window) -> np.ndarray:
    """x with its zero padding, or x itself where there is none."""
    if window.padding == ((0, 0), (0, 0)):
        return x
    return np.pad(x, ((0, 0), *window.padding, (0, 0)))


def window_view(padded: np.ndarray, outputs: tuple[int, int], taps: tuple[int, int], window: Window) -> np.ndarray:
    """A view (N,OH,OW,KH,KW,C) of all windows; elements are shared, nothing is copied."""
    (sh, sw), _, (dh, dw), _ = window
    n, h, w, c = padded.strides
    shape = (padded.shape[0], *outputs, *taps, padded.shape[3])
    return as_strided(padded, shape, (n, h * sh, w * sw, h * dh, w * dw, c), writeable=False)


def image_chunks(images: int, values: int, itemsize: int) -> Iterator[slice]:
    """Slices of the batch whose patches stay within PATCH_BYTES."""
    step = max(1, PATCH_BYTES // max(1, values * itemsize))
    return (slice(start, start + step) for start in range(0, images, step))


def group_matrices(w: np.ndarray, groups: int) -> np.ndarray:
    """w (KH,KW,C/groups,F) as one matrix a group: (groups, KH KW C/groups, F/groups)."""
    k = w.shape[0] * w.shape[1] * w.shape[2]
    return w.reshape(k, groups, -1).transpose(1, 0, 2)


def patch_rows(views: np.ndarray, group: int, groups: int) -> np.ndarray:
    """The windows of one group as rows: (N OH OW, KH KW C/groups)."""
    channels = views.shape[5] // groups
    views = views[..., group * channels : (group + 1) * channels]
    return views.reshape(-1, views.shape[3] * views.shape[4] * channels)


def conv2d_forward_v2_im2col(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(patches @ w + bias + residual)"""
    matrices = group_matrices(w, window.groups)
    values = y.shape[1] * y.shape[2] * w.shape[0] * w.shape[1] * x.shape[3]
    for images in image_chunks(len(x), values, x.itemsize):
        views = window_view(pad_image(x[images], window), y.shape[1:3], w.shape[:2], window)
        rows = y[images].reshape(-1, window.groups, matrices.shape[2])
        for g, matrix in enumerate(matrices):
            if window.groups == 1:
                np.matmul(patch_rows(views, 0, 1), matrix, out=rows[:, 0])
            else:
                rows[:, g] = patch_rows(views, g, window.groups) @ matrix
    return epilogue.apply(y)


def conv2d_backward_input_v2_im2col(dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray) -> np.ndarray:
    """The gradient of the patches, added back to where they were copied from."""
    (sh, sw), ((top, bottom), (left, right)), (dh, dw), groups = window
    matrices = group_matrices(w, groups)
    taps_h, taps_w, channels = w.shape[:3]
    out_h, out_w = dy.shape[1:3]
    height, width = dx.shape[1:3]
    for images in image_chunks(len(dy), out_h * out_w * taps_h * taps_w * dx.shape[3], dy.itemsize):
        rows = dy[images].reshape(-1, groups, matrices.shape[2])
        padded = np.zeros_like(dx, shape=(len(dy[images]), top + height + bottom, left + width + right, dx.shape[3]))
        for g, matrix in enumerate(matrices):
            patches = (rows[:, g] @ matrix.T).reshape(-1, out_h, out_w, taps_h, taps_w, channels)
            target = padded[..., g * channels : (g + 1) * channels]
            for a in range(taps_h):
                for b in range(taps_w):
                    down = slice(a * dh, a * dh + (out_h - 1) * sh + 1, sh)
                    across = slice(b * dw, b * dw + (out_w - 1) * sw + 1, sw)
                    target[:, down, across] += patches[:, :, :, a, b]
        dx[images] = padded[:, top : top + height, left : left + width]
    return dx


def conv2d_backward_weights_v2_im2col(x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray) -> np.ndarray:
    """dw = patches transposed @ dy"""
    groups = window.groups
    totals = np.zeros_like(group_matrices(dw, groups))
    values = dy.shape[1] * dy.shape[2] * dw.shape[0] * dw.shape[1] * x.shape[3]
    for images in image_chunks(len(x), values, x.itemsize):
        views = window_view(pad_image(x[images], window), dy.shape[1:3], dw.shape[:2], window)
        rows = dy[images].reshape(-1, groups, dw.shape[3] // groups)
        for g, total in enumerate(totals):
            total += patch_rows(views, g, groups).T @ rows[:, g]
    dw[:] = totals.transpose(1, 0, 2).reshape(dw.shape)
    return dw
