"""v3_vector: one idea: all channels of a pixel at once, so that the inner loop runs along memory and is vectorised.

Forward, a block is a row of y.  Backward, a block is a band of rows of dx: it walks over every window that reaches
into the band, in order, and writes its own rows only, so that threads never meet.
"""

import numpy as np

from .._jit import jit
from .._pooling import Pool, Sizes
from .._shapes import span
from .._taps import axis_plans, forward_axis
from .._threads import parallel_for

BAND = 8  # rows of dx in a band, at the least


@jit
def _take_larger(values, best):
    for c in range(values.size):
        value, least = values[c], best[c]
        best[c] = value if value > least or value != value else least


@jit
def _max_rows(start, stop, x, g, rows, columns, y):
    """Rows start..stop-1 of all images of y."""
    for row in range(start, stop):
        n, i = row // g.out_height, row % g.out_height
        for j in range(g.out_width):
            to = (row * g.out_width + j) * g.channels
            best = y[to : to + g.channels]
            best[:] = -np.inf
            for a in range(rows.taps[i]):
                for b in range(columns.taps[j]):
                    at = ((n * g.height + rows.start[i] + a) * g.width + columns.start[j] + b) * g.channels
                    _take_larger(x[at : at + g.channels], best)


@jit
def _give(values, best, left, dx):
    """Add what is `left` of dy to the pixels that are the largest, and leave nothing for later ones."""
    for c in range(values.size):
        value, most, gradient = values[c], best[c], left[c]
        hit = value == most or (value != value and most != most)
        dx[c] += gradient if hit else np.float32(0)
        left[c] = np.float32(0) if hit else gradient


@jit
def _give_bands(start, stop, x, y, dy, g, rows, columns, first_window, band, dx):
    """Bands start..stop-1 of all images of dx."""
    bands = (g.height + band - 1) // band
    left = np.empty(g.channels, np.float32)
    for block in range(start, stop):
        n, top = block // bands, block % bands * band
        bottom = min(top + band, g.height)
        dx[(n * g.height + top) * g.width * g.channels : (n * g.height + bottom) * g.width * g.channels] = 0
        for i in range(first_window[top], g.out_height):
            if rows.start[i] >= bottom:
                break
            for j in range(g.out_width):
                window = ((n * g.out_height + i) * g.out_width + j) * g.channels
                left[:] = dy[window : window + g.channels]
                for row in range(rows.start[i], min(rows.start[i] + rows.taps[i], bottom)):
                    for b in range(columns.taps[j]):
                        at = ((n * g.height + row) * g.width + columns.start[j] + b) * g.channels
                        best = y[window : window + g.channels]
                        target = dx[at : at + g.channels] if row >= top else np.empty(g.channels, np.float32)
                        _give(x[at : at + g.channels], best, left, target)
