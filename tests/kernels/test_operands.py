"""Rungs write to their outputs alone: Numba is not told which arrays are write-protected, so it could not refuse."""

import numpy as np
import pytest

from minicnn import kernels
from minicnn.kernels._arrays import operand
from minicnn.kernels._warmup import examples

SPECS = kernels.specs("cpu")


@pytest.mark.no_jit
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.op}-{spec.direction}-{spec.rung}")
def test_operands_stay_as_they_were(spec: kernels.KernelSpec):
    generator = np.random.default_rng(0)
    made: list[tuple[np.ndarray, np.ndarray]] = []

    def protected(*shape: int) -> np.ndarray:
        array = generator.uniform(0.1, 1, shape).astype(np.float32)
        array.flags.writeable = False
        made.append((array, array.copy()))
        return array

    calls = examples(protected).get((spec.op, spec.direction), [])
    for call in calls:
        call(rung=spec.rung)
    assert calls or not spec.needs_numba
    assert made
    for array, copy in made:
        np.testing.assert_array_equal(array, copy)


def test_an_operand_is_the_same_memory_without_the_mark():
    array = np.arange(6, dtype=np.float32)
    array.flags.writeable = False
    found = operand(array[1:])
    assert found.flags.writeable
    assert np.shares_memory(found, array)
    np.testing.assert_array_equal(found, [1, 2, 3, 4, 5])
    assert not array.flags.writeable


def test_an_operand_keeps_its_memory_alive():
    array = np.full(100_000, 7, np.float32)
    array.flags.writeable = False
    found = operand(array)
    del array
    trash = [np.zeros(100_000, np.float32) for _ in range(10)]
    assert (found == 7).all()
    assert len(trash) == 10


def test_an_operand_is_made_contiguous():
    array = np.arange(12, dtype=np.float32).reshape(3, 4).T
    np.testing.assert_array_equal(operand(array), array)
    assert operand(array).flags.c_contiguous
