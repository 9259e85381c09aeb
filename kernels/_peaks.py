"""The bounds of this machine, as kernels of the plainest kind reach them: multiply-adds, and bytes from memory.

    multiply    one register tile, again and again, on operands that stay in the first-level cache
    stream      rows of an array that no cache holds, added to sums that stay in the first-level cache

They run on as many threads as all kernels do.  Source: Williams, Waterman & Patterson, "Roofline: An Insightful Visual
Performance Model for Multicore Architectures", 2009.
"""

import time
from typing import Any

import numpy as np

from ._jit import kernel
from ._simd import COLUMNS, ROWS, tile_product
from ._threads import SERIAL_WORK, get_num_threads, parallel_for

DEPTH = 128  # numbers of each sum: COLUMNS * DEPTH of b are half of a first-level cache
PRODUCTS = 2000  # of a tile in one block
WIDTH = 2048  # numbers in a row that is streamed
ROWS_ADDED = 4  # in one pass over the sums
STREAMED = 1 << 26  # numbers: 256 MB
BLOCKS = 16  # that the threads share


@kernel
def _multiply(start, stop, a, b, c, products):
    """Blocks of so many products, added up: each has to be computed, since the next goes on from it."""
    for block in range(start, stop):
        for _ in range(products):
            tile_product(a, 0, DEPTH, 1, b, 0, COLUMNS, c, block * ROWS * COLUMNS, COLUMNS, DEPTH, 1)


@kernel
def _stream(start, stop, x, sums):
    """sums (BLOCKS,WIDTH): those of the rows of x (BLOCKS,rows,WIDTH)."""
    for block in range(start, stop):
        total = sums[block]
        for row in range(0, x.shape[1], ROWS_ADDED):
            x0, x1, x2, x3 = x[block, row], x[block, row + 1], x[block, row + 2], x[block, row + 3]
            for i in range(WIDTH):
                total[i] += (x0[i] + x1[i]) + (x2[i] + x3[i])


def multiply_adds(rounds: int) -> float:
    """Floating point operations a second, in the second best of some rounds."""
    blocks = BLOCKS * get_num_threads()
    a, b = np.full(ROWS * DEPTH, 0.5, np.float32), np.full(DEPTH * COLUMNS, 0.5, np.float32)
    c = np.zeros(blocks * ROWS * COLUMNS, np.float32)
    flops = 2.0 * blocks * PRODUCTS * ROWS * COLUMNS * DEPTH
    return flops / _second_best(rounds, _multiply, blocks, a, b, c, PRODUCTS)


def memory_bytes(rounds: int) -> float:
    """Bytes read from memory a second, in the second best of some rounds."""
    x = np.ones((BLOCKS, STREAMED // (BLOCKS * WIDTH), WIDTH), np.float32)
    sums = np.zeros((BLOCKS, WIDTH), np.float32)
    return x.nbytes / _second_best(rounds, _stream, BLOCKS, x, sums)


def _second_best(rounds: int, function, blocks: int, *arguments: Any) -> float:
    """Seconds; a clock that was set once in between decides nothing."""
    found = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        parallel_for(function, blocks, SERIAL_WORK, *arguments)
        found.append(time.perf_counter() - begun)
    return sorted(found)[1]
