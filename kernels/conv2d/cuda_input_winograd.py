"""v5_winograd_2 and v6_winograd_4, the input gradient: with stride 1 it is a 3x3 convolution like any other."""

from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError

from .._device import device
from .._epilogue import PLAIN, Epilogue
from .._gpu.file import CudaFile, contiguous, ints
from .._shapes import Window
from .._where import device_of
from ._choice import WINOGRAD_NEEDS, winograd_fits
from .cuda_winograd import convolve

FILE = CudaFile("conv2d/cuda_input_winograd.cu", variants=(("M=2",), ("M=4",)))


def conv2d_backward_input_v5_winograd_2(dy: Any, w: Any, window: Window, dx: Any, epilogue: Epilogue = PLAIN) -> Any:
    """dx by tiles of 2 x 2 pixels"""
    return _convolve(2, dy, w, window, dx, epilogue)


def conv2d_backward_input_v6_winograd_4(dy: Any, w: Any, window: Window, dx: Any, epilogue: Epilogue = PLAIN) -> Any:
    """dx by tiles of 4 x 4 pixels"""
    return _convolve(4, dy, w, window, dx, epilogue)


def _convolve(m: int, dy: Any, w: Any, window: Window, dx: Any, epilogue: Epilogue) -> Any:
    if not winograd_fits(w.shape[:2], window):
        raise UnsupportedError(WINOGRAD_NEEDS)
    (top, _), (left, _) = window.padding
    return convolve(m, dy, _evaluate_turned(w, m), (2 - top, 2 - left), epilogue, dx)


def _evaluate_turned(w: Any, m: int) -> Any:
    """The values (points, F, C) of the turned kernel."""
    channels, filters = w.shape[2:]
    u = device(device_of(w)).xp.empty(((m + 2) ** 2, filters, channels), w.dtype)
    sizes = np.int64(channels * filters), *ints(channels, filters)
    FILE.each(w, "conv2d_winograd_turned", channels * filters, contiguous(w), u, *sizes, variant=(f"M={m}",))
    return u
