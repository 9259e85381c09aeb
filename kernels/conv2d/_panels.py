"""Kernels in the order in which register tiles read them: panels of COLUMNS filters; and turned around, for gradients.

A step of training does this anew for every kernel, since its weights have changed.
"""

import numpy as np

from .._arrays import operand
from .._host import TILE
from .._jit import kernel
from .._memory import empty
from .._runs import clear_run, copy_run
from .._shapes import ceil_div
from .._simd import COLUMNS
from .._threads import STREAMED, parallel_for
from .._transpose import transpose

LANES = TILE.lanes


@kernel
def _pack_panels(start, stop, w, k, filters, groups, packed):
    """Panels start .. stop - 1 of all groups; each is (K, COLUMNS), filled up with zeros."""
    panels = (filters + COLUMNS - 1) // COLUMNS
    for panel in range(start, stop):
        group, f0 = panel // panels, panel % panels * COLUMNS
        count = min(COLUMNS, filters - f0)
        at = group * filters + f0
        for row in range(k):
            to = (panel * k + row) * COLUMNS
            copy_run(w, row * filters * groups + at, packed, to, count)
            clear_run(packed, to + count, COLUMNS - count)


def pack_panels(w: np.ndarray, groups: int) -> np.ndarray:
    """w (KH,KW,C/groups,F) as panels (groups, panels, K, COLUMNS), flat, the last one filled up with zeros."""
    k = w.shape[0] * w.shape[1] * w.shape[2]
    filters = w.shape[3] // groups
    panels = groups * ceil_div(filters, COLUMNS)
    packed = empty((panels * k * COLUMNS,))
    parallel_for(_pack_panels, panels, STREAMED * packed.size, operand(w).reshape(-1), k, filters, groups, packed)
    return packed


@kernel
def _pack_turned(start, stop, w, taps, channels, filters, groups, packed):
    """Blocks of (group, panel of channels, tap)."""
    panels, row = (channels + COLUMNS - 1) // COLUMNS, filters * groups
    for block in range(start, stop):
        tap, rest = block % taps, block // taps
        group, c0 = rest // panels, rest % panels * COLUMNS
        count, to = min(COLUMNS, channels - c0), block * filters * COLUMNS
        if count < COLUMNS:
            clear_run(packed, to, filters * COLUMNS)
        at = ((taps - 1 - tap) * channels + c0) * row + group * filters
        transpose(w, at, row, count, filters, packed, to, COLUMNS)


def pack_turned(w: np.ndarray, groups: int) -> np.ndarray:
    """The panels of `turn(w, groups)`, in one pass over w."""
    taps, channels, filters = w.shape[0] * w.shape[1], w.shape[2], w.shape[3] // groups
    blocks = groups * ceil_div(channels, COLUMNS) * taps
    packed = empty((blocks * filters * COLUMNS,))
    flat = operand(w).reshape(-1), taps, channels, filters, groups, packed
    parallel_for(_pack_turned, blocks, STREAMED * packed.size, *flat)
    return packed


@kernel
def _turn(start, stop, w, taps, channels, filters, groups, turned):
    """Blocks of (tap, group, LANES filters)."""
    blocks = (filters + LANES - 1) // LANES
    w_row, turned_row = filters * groups, channels * groups
    for block in range(start, stop):
        tap, rest = block // (blocks * groups), block % (blocks * groups)
        group, f0 = rest // blocks, rest % blocks * LANES
        count = min(LANES, filters - f0)
        at = tap * channels * w_row + group * filters + f0
        to = ((taps - 1 - tap) * filters + f0) * turned_row + group * channels
        transpose(w, at, w_row, channels, count, turned, to, turned_row)


def turn(w: np.ndarray, groups: int) -> np.ndarray:
    """w (KH,KW,C/groups,F) with its taps in reverse and, inside each group, inputs and outputs exchanged.

    The result (KH,KW,F/groups,C) is the kernel of the convolution that takes dy to dx.
    """
    taps_h, taps_w, channels, filters = w.shape[0], w.shape[1], w.shape[2], w.shape[3] // groups
    turned = empty((taps_h, taps_w, filters, channels * groups))
    blocks = taps_h * taps_w * groups * ceil_div(filters, LANES)
    flat = operand(w).reshape(-1), taps_h * taps_w, channels, filters, groups, turned.reshape(-1)
    parallel_for(_turn, blocks, STREAMED * turned.size, *flat)
    return turned
