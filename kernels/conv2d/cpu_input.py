"""The input gradient of v3_tiled and the rungs above it: a stride-1 convolution of dy for each residue of the strides.

The pixels of dx in row class u (rows u, u + sh, ...) receive only from the taps a with (top + u - a dh) divisible by
sh; so dx is sh * sw interleaved images, each the convolution of dy with a part of w, turned around.  A transposed
convolution is the same with an epilogue.
"""

from collections.abc import Callable

import numpy as np

from minicnn.errors import UnsupportedError

from .._epilogue import PLAIN, Epilogue
from .._memory import empty
from .._shapes import Window
from ._choice import WINOGRAD_NEEDS, winograd_fits
from ._panels import pack_turned, turn
from .cpu_blocked import conv2d_forward_v4_blocked, forward_packed
from .cpu_tiled import conv2d_forward_v3_tiled
from .cpu_winograd import convolve_values, evaluate_turned

NONE = slice(0)  # no taps
Forward = Callable[[np.ndarray, np.ndarray, Window, Epilogue, np.ndarray], np.ndarray]


def conv2d_backward_input_v3_tiled(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray, epilogue: Epilogue = PLAIN
) -> np.ndarray:
    """dx by convolutions on v3_tiled"""
    return _by_residues(conv2d_forward_v3_tiled, dy, w, window, dx, epilogue)


def conv2d_backward_input_v4_blocked(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray, epilogue: Epilogue = PLAIN
) -> np.ndarray:
    """dx by convolutions on v4_blocked"""
    if window.strides == (1, 1):
        return forward_packed(dy, pack_turned(w, window.groups), *_turned_around(w, window), epilogue, dx)
    return _by_residues(conv2d_forward_v4_blocked, dy, w, window, dx, epilogue)


def conv2d_backward_input_v5_winograd_2(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray, epilogue: Epilogue = PLAIN
) -> np.ndarray:
    """dx by the convolution on v5_winograd_2"""
    return _by_points(2, dy, w, window, dx, epilogue)


def conv2d_backward_input_v6_winograd_4(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray, epilogue: Epilogue = PLAIN
) -> np.ndarray:
    """dx by the convolution on v6_winograd_4"""
    return _by_points(4, dy, w, window, dx, epilogue)


def _turned_around(w: np.ndarray, window: Window) -> tuple[tuple[int, ...], Window]:
    """Shape and window of the convolution that takes dy to dx, where the stride is 1."""
    taps_h, taps_w, channels, filters = w.shape
    _, ((top, _), (left, _)), (dh, dw), groups = window
    before = ((taps_h - 1) * dh - top, 0), ((taps_w - 1) * dw - left, 0)
    return (taps_h, taps_w, filters // groups, channels * groups), Window((1, 1), before, (dh, dw), groups)


def _by_points(m: int, dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray, epilogue: Epilogue) -> np.ndarray:
    if not winograd_fits(w.shape[:2], window):
        raise UnsupportedError(WINOGRAD_NEEDS)
    return convolve_values(m, dy, evaluate_turned(w, m), *_turned_around(w, window), epilogue, dx)


def _by_residues(
    forward: Forward, dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray, epilogue: Epilogue
) -> np.ndarray:
    """Each residue of the strides in turn, by the given forward convolution; `epilogue` has no residual."""
    (sh, sw), ((top, _), (left, _)), (dh, dw), groups = window
    turned = turn(w, groups)
    for u in range(min(sh, dx.shape[1])):
        for v in range(min(sw, dx.shape[2])):
            part = dx[:, u::sh, v::sw]
            rows, row_pad, row_step = _taps_of_residue(w.shape[0], u + top, sh, dh)
            cols, col_pad, col_step = _taps_of_residue(w.shape[1], v + left, sw, dw)
            if rows is NONE or cols is NONE:
                part[:] = epilogue.apply(np.zeros(part.shape, np.float32))
                continue
            taps = np.ascontiguousarray(turned[rows, cols])
            inner = Window((1, 1), ((row_pad, 0), (col_pad, 0)), (row_step, col_step), groups)
            whole = sh == sw == 1
            y = dx if whole else empty(part.shape)
            forward(dy, taps, inner, epilogue, y)
            if not whole:
                part[:] = y
    return dx


def _taps_of_residue(taps: int, position: int, stride: int, dilation: int) -> tuple[slice, int, int]:
    """(taps of the turned kernel, padding before, dilation) of the convolution of dy that gives one residue of dx.

    Row `position` of the padded image is reached by tap a from output i where i * stride + a * dilation = position.
    """
    hits = [a for a in range(taps) if (position - a * dilation) % stride == 0]
    if not hits:
        return NONE, 0, 1
    apart = hits[1] - hits[0] if len(hits) > 1 else 1
    before = -((position - hits[-1] * dilation) // stride)
    return slice(taps - 1 - hits[-1], taps - hits[0], apart), before, apart * dilation // stride if len(hits) > 1 else 1
