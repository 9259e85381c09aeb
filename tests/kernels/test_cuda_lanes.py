"""Kernels that read four floats at once: where arrays begin at other places than multiples of 16 bytes."""

import numpy as np
import pytest
from emulator.device import install

from minicnn.kernels import maxpool2d
from minicnn.kernels._gpu.lanes import aligned, lanes

pytestmark = pytest.mark.cuda_emulated


def begun(device, shape: tuple[int, ...], first: int):
    """A contiguous array that begins `first` floats after a multiple of 16 bytes."""
    size = int(np.prod(shape))
    memory = device.from_host(np.random.default_rng(0).standard_normal(size + 8).astype(np.float32))
    skipped = -(device.address(memory) // 4) % 4
    return memory[skipped + first : skipped + first + size].reshape(shape)


@pytest.mark.parametrize(("channels", "first", "expected"), [(8, 0, 4), (8, 2, 2), (8, 3, 1), (6, 0, 2), (3, 0, 1)])
def test_lanes_divide_the_channels_and_the_address(channels, first, expected):
    device = install()
    assert lanes(channels, begun(device, (2, 2, 2, 8), 0), begun(device, (2, 2, 2, 8), first)) == expected


def test_an_array_is_copied_only_where_its_place_asks_for_it():
    device = install()
    there, beside = begun(device, (2, 8), 0), begun(device, (2, 8), 1)
    assert aligned(there) is there
    assert lanes(8, aligned(beside)) == 4
    np.testing.assert_array_equal(aligned(beside).get(), beside.get())


@pytest.mark.parametrize(("first", "first_out"), [(0, 0), (1, 0), (0, 1), (2, 2)])
def test_vectors_are_read_and_written_where_they_may_be(first, first_out):
    device = install("checked")  # faults at a misaligned access, as a GPU does
    x, out = begun(device, (2, 4, 4, 8), first), begun(device, (2, 2, 2, 8), first_out)
    assert maxpool2d.forward(x, 2, rung="v3_vector", out=out) is out
    np.testing.assert_array_equal(out.get(), maxpool2d.forward(x.get(), 2))
