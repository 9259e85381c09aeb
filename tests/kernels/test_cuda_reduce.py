"""Sums of repeated operands on a GPU, in the emulator: every way to cut them, the same bits in any order of threads."""

import numpy as np
import pytest
from emulator.device import install

from minicnn.kernels.elementwise.cuda_reduce import cut_of, elementwise_reduce_v2_chunks, passes
from minicnn.kernels.elementwise.reference import elementwise_reduce_reference

pytestmark = pytest.mark.cuda_emulated
SHAPES = [
    ((5000, 3), (3,)),  # a bias of few channels
    ((700, 40), (40,)),  # more channels than lanes, the last tile with gaps
    ((3, 900, 5), (3, 1, 5)),  # a gate
    ((40_000,), ()),  # one number
    ((300, 4), (300, 1)),  # many short rows: several to a block
    ((2, 3, 4, 5, 6), (3, 1, 5, 1)),  # repeated along every other axis
    ((0, 7), (7,)),
    ((3, 4), (3, 4)),
]


@pytest.mark.parametrize("order", [0, 7])
@pytest.mark.parametrize(("x_shape", "y_shape"), SHAPES)
def test_agrees_with_a_sum_in_float64(x_shape, y_shape, order):
    gpu, x = install("fast", order), np.random.default_rng(0).uniform(-1, 1, x_shape).astype(np.float32)
    there, y = gpu.from_host(x), gpu.xp.empty(y_shape, np.float32)
    found = gpu.to_host(elementwise_reduce_v2_chunks(there, y))
    expected, terms = (elementwise_reduce_reference(array, np.empty(y_shape)) for array in (x, np.abs(x)))
    roundings = 1 if len(passes(x_shape, y_shape)) == 1 else 3  # one after each of several axes
    assert np.all(np.abs(found - expected) <= roundings * 2.0**-24 * terms)
    install("fast", 1)
    again = elementwise_reduce_v2_chunks(there, gpu.xp.empty(y_shape, np.float32))
    assert np.array_equal(found, gpu.to_host(again))


def test_a_bias_of_a_large_batch_keeps_a_large_gpu_busy():
    cut = cut_of(1, 256 * 56 * 56, 64)
    assert cut.blocks >= 512
    assert cut.chunk * cut.chunks >= 256 * 56 * 56


@pytest.mark.parametrize("sizes", [(1, 5000, 3), (1, 700, 40), (3, 900, 5), (1, 40_000, 1), (300, 4, 1), (1, 0, 7)])
def test_chunks_cover_the_axis_once(sizes):
    cut = cut_of(*sizes)
    assert (cut.chunks - 1) * cut.chunk < max(sizes[1], 1) <= cut.chunks * cut.chunk
    assert cut.lanes * cut.rows <= 256
