"""v3_stream: one idea: with a few rows of x the time goes into reading w, so read it once and in order.

    y = sum over chunks of  x[:, chunk] @ w[chunk]

A thread walks down its chunk of w, DEPTH rows at a time, and adds them, scaled by x, to sums that stay in cache: the
memory sees straight streams.  The chunks' sums are added in order, and their number depends on w's shape alone.

Stored weights (_storage.py) are widened in registers on their way: half or a quarter of the bytes come from memory.  So
they are streamed for any number of rows.

Backwards, w or dw is walked along HEIGHT of its rows side by side, which are the rows of a register tile:

    dxᵀ (I,R) = w (I,O) @ dyᵀ (O,R)          dw (I,O) = xᵀ (I,R) @ dy (R,O)

The tile could be twice as high, but memory is read ahead along a few streams only: 14 rows of w take twice the time of
two times 7.
"""

import math

import numpy as np

from .._arrays import operand
from .._epilogue import Epilogue
from .._jit import helper, kernel
from .._memory import empty
from .._shapes import ceil_div
from .._simd import COLUMNS, UNIT
from .._simd import HALF as HEIGHT
from .._simd import half_finish as tile
from .._threads import parallel_for
from ._chunks import chunk_of
from ._storage import Stored
from ._widen import widened

DEPTH = 4  # rows of w that are added in one pass over the sums
WIDTH = 256  # columns of y in a part
NOTHING = np.zeros(1, np.float32)
UNFINISHED = (False, NOTHING, 0, NOTHING, False, (np.float32(0), np.float32(0)))  # a product without an epilogue
ROWS = 32  # of x that are multiplied together, at the most: the sums of all chunks lie in memory


@kernel
def _stream_chunks(start, stop, x, w, chunk, sums):
    """sums[k] (R,O) = x[:, chunk k] @ w[chunk k]"""
    for k in range(start, stop):
        first, last = k * chunk, min((k + 1) * chunk, w.shape[0])
        whole = first + (last - first) // DEPTH * DEPTH
        sums[k] = 0
        for i in range(first, whole, DEPTH):
            w0, w1, w2, w3 = w[i], w[i + 1], w[i + 2], w[i + 3]
            for r in range(x.shape[0]):
                x0, x1, x2, x3 = x[r, i], x[r, i + 1], x[r, i + 2], x[r, i + 3]
                total = sums[k, r]
                for o in range(w.shape[1]):
                    value = (total[o] + x0 * widened(w0[o])) + x1 * widened(w1[o])
                    total[o] = (value + x2 * widened(w2[o])) + x3 * widened(w3[o])
        for i in range(whole, last):
            for r in range(x.shape[0]):
                for o in range(w.shape[1]):
                    sums[k, r, o] += x[r, i] * widened(w[i, o])


@kernel
def _add_chunks(start, stop, sums, scale, has_scale, bias, residual, has_residual, limits, y):
    """Parts of WIDTH columns of y (R,O): the sums of all chunks, in order, scaled and finished."""
    low, high = limits
    for part in range(start, stop):
        columns = slice(part * WIDTH, min((part + 1) * WIDTH, y.shape[1]))
        offset = bias[columns]
        for r in range(y.shape[0]):
            total, more = y[r, columns], sums[0, r, columns]
            for o in range(total.size):
                total[o] = more[o]
            for k in range(1, sums.shape[0]):
                more = sums[k, r, columns]
                for o in range(total.size):
                    total[o] += more[o]
            if has_scale:
                factor = scale[columns]
                for o in range(total.size):
                    total[o] *= factor[o]
            for o in range(total.size):
                total[o] += offset[o]
            if has_residual:
                more = residual[r * y.shape[1] + part * WIDTH : r * y.shape[1] + columns.stop]
                for o in range(total.size):
                    total[o] += more[o]
            for o in range(total.size):
                value = total[o]
                value = low if value < low else value
                total[o] = high if value > high else value


def dense_forward_v3_stream(x: np.ndarray, w: np.ndarray | Stored, epilogue: Epilogue, y: np.ndarray) -> np.ndarray:
    """y = activation(x @ w + bias + residual), a chunk of w at a time"""
    data, scale = w if isinstance(w, Stored) else (w, None)
    x, data, chunk = operand(x), operand(data), chunk_of(len(data))
    chunks, columns = max(1, ceil_div(len(data), chunk)), y.shape[1]
    room = empty((chunks * min(len(x), ROWS) * columns,))
    for first in range(0, len(x), ROWS):
        rows = slice(first, min(first + ROWS, len(x)))
        own = epilogue if epilogue.residual is None else epilogue._replace(residual=epilogue.residual[rows])
        shape = chunks, rows.stop - first, columns
        sums = room[: math.prod(shape)].reshape(shape)
        scaling = (NOTHING, False) if scale is None else (scale, True)
        parallel_for(_stream_chunks, chunks, (rows.stop - first) * data.size, x[rows], data, chunk, sums)
        parallel_for(_add_chunks, ceil_div(columns, WIDTH), sums.size, sums, *scaling, *own.operands(columns), y[rows])
    return epilogue.rest(y)


@helper
def _end(strip, rows):
    """Where a strip ends: strips are HEIGHT rows, and the last one has the rest too."""
    return rows if strip == rows // HEIGHT - 1 else (strip + 1) * HEIGHT


@kernel
def _stream_rows(start, stop, w, inputs, outputs, dy, width, unfinished, dx):
    """Strips of HEIGHT rows of dx (I,width) = w (I,O) @ dy (O,width)"""
    for strip in range(start, stop):
        for first in range(strip * HEIGHT, _end(strip, inputs), HEIGHT):
            i = min(first, inputs - HEIGHT)
            product = (w, i * outputs, outputs, 1, dy, 0, width, dx, i * width, width, outputs, 0)
            tile(*(product + (width,) + unfinished))


def dense_backward_input_v3_stream(dy: np.ndarray, w: np.ndarray, dx: np.ndarray) -> np.ndarray:
    """dx = dy @ w transposed, as many rows of dy at a time as a register tile has columns"""
    if len(w) < HEIGHT:
        dx[:] = dense_backward_input_v3_stream(dy, _filled(w, 0), empty((len(dy), HEIGHT)))[:, : len(w)]
        return dx
    inputs, outputs = w.shape
    w = operand(w).reshape(-1)
    for first in range(0, len(dy), COLUMNS):
        some = dy[first : first + COLUMNS]
        width = ceil_div(len(some), UNIT) * UNIT
        turned, sums = np.zeros((outputs, width), np.float32), empty((inputs, width))
        turned[:, : len(some)] = some.T
        arguments = w, inputs, outputs, turned.reshape(-1), width, UNFINISHED, sums.reshape(-1)
        parallel_for(_stream_rows, inputs // HEIGHT, w.size * width, *arguments)
        dx[first : first + COLUMNS] = sums[:, : len(some)].T
    return dx


@kernel
def _stream_gradient(start, stop, x, dy, rows, inputs, outputs, unfinished, dw):
    """Strips of HEIGHT rows of dw (I,O) = x (R,I) transposed @ dy (R,O)"""
    whole = outputs // UNIT * UNIT
    for strip in range(start, stop):
        end = _end(strip, inputs)
        for first in range(strip * HEIGHT, end, HEIGHT):
            i = min(first, inputs - HEIGHT)
            for o in range(0, whole, COLUMNS):
                product = (x, i, 1, inputs, dy, o, outputs, dw, i * outputs + o, outputs, rows, 0)
                tile(*(product + (min(COLUMNS, whole - o),) + unfinished))
        for i in range(strip * HEIGHT, end):
            for o in range(whole, outputs):
                total = np.float32(0)
                for r in range(rows):
                    total += x[r * inputs + i] * dy[r * outputs + o]
                dw[i * outputs + o] = total


def dense_backward_weights_v3_stream(x: np.ndarray, dy: np.ndarray, dw: np.ndarray) -> np.ndarray:
    """dw = x transposed @ dy"""
    if len(dw) < HEIGHT:
        dw[:] = dense_backward_weights_v3_stream(_filled(x, 1), dy, empty((HEIGHT, dw.shape[1])))[: len(dw)]
        return dw
    inputs, outputs = dw.shape
    arguments = operand(x).reshape(-1), operand(dy).reshape(-1), len(x), inputs, outputs, UNFINISHED, dw.reshape(-1)
    parallel_for(_stream_gradient, inputs // HEIGHT, dw.size * max(1, len(x)), *arguments)
    return dw


def _filled(matrix: np.ndarray, axis: int) -> np.ndarray:
    """A matrix with zeros along an axis up to HEIGHT."""
    widths = [(0, 0), (0, 0)]
    widths[axis] = 0, HEIGHT - matrix.shape[axis]
    return np.pad(matrix, widths)
