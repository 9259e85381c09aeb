"""Memory that is used again: by arrays that come after, never by two at a time."""

import gc
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import kernels
from minicnn.kernels import _memory
from minicnn.kernels._memory import ALIGNED_BYTES, CACHE_LINE, empty

pytestmark = [pytest.mark.numpy_only, pytest.mark.no_jit]
LARGE = (ALIGNED_BYTES,)


def address(array: np.ndarray) -> int:
    return array.ctypes.data


@given(st.lists(st.tuples(st.integers(0, 60_000), st.booleans()), max_size=30))
def test_no_two_arrays_share_memory(steps):
    memory, kept = kernels.Memory(), []
    with kernels.reuse(memory):
        for number, (size, keep) in enumerate(steps):
            array = empty((size,))
            array[:] = number
            if keep:
                kept.append((number, array))
    for number, array in kept:
        assert (array == number).all()


def test_memory_is_used_again_once_all_views_are_gone():
    memory = kernels.Memory()
    with kernels.reuse(memory):
        first = empty(LARGE)
        view, place = first[10:20].reshape(2, 5), address(first)
        del first
        assert address(empty(LARGE)) != place
        del view
        assert address(empty(LARGE)) == place


def test_without_a_memory_arrays_own_theirs():
    array = empty(LARGE)
    assert not isinstance(array.base.base, _memory._Lease)
    assert address(array) % CACHE_LINE == 0
    assert array.flags.writeable
    assert array.dtype == np.float32


def test_other_threads_take_none_of_it():
    found = []
    with kernels.reuse(kernels.Memory()):
        thread = threading.Thread(target=lambda: found.append(_memory._memory.get()))
        thread.start()
        thread.join()
    assert found == [None]


@given(st.integers(ALIGNED_BYTES, 1 << 34))
def test_blocks_are_little_larger_than_what_they_are_for(size):
    assert size <= _memory._rounded(size) <= size * (1 + 1 / _memory.STEPS)


def test_a_block_less_than_twice_as_large_is_taken_where_none_fits_better():
    memory = kernels.Memory()
    for size in (1 << 20, 3 << 19, 1 << 21):
        memory.take(size)
    assert memory.take((1 << 20) - 100).block.nbytes == 1 << 20
    held = memory.take(1 << 20)
    assert memory.take(1 << 20).block.nbytes == 3 << 19
    others = [memory.take(1 << 20) for _ in range(2)]
    assert [lease.block.nbytes for lease in others] == [3 << 19, 1 << 20]  # and not the one of twice the size
    del held, others


@given(st.integers(ALIGNED_BYTES, 1 << 34), st.integers(ALIGNED_BYTES, 1 << 34))
def test_no_block_of_twice_the_size_or_more_is_taken(size, other):
    memory = kernels.Memory()
    memory.give_back(np.broadcast_to(np.uint8(0), (_memory._rounded(other),)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_memory, "_aligned", lambda size: np.broadcast_to(np.uint8(0), (size,)))
        patch.setattr(_memory._Lease, "__init__", lambda lease, memory, block: setattr(lease, "block", block))
        patch.setattr(_memory._Lease, "__del__", lambda lease: None)
        assert size <= memory.take(size).block.nbytes < 2 * _memory._rounded(size)


def test_results_of_kernels_come_from_it():
    x = np.ones((64, 1024), np.float32)
    memory = kernels.Memory()
    with kernels.reuse(memory):
        place = address(kernels.activation.forward(x, "relu"))
        assert address(kernels.activation.forward(x, "relu")) == place
    gc.collect()
    assert sum(map(len, memory._free.values())) == 1
