"""Rungs write to their outputs alone: Numba is not told which arrays are write-protected, so it could not refuse."""

import contextlib

import numpy as np
import pytest
from strategies import unaligned

from minicnn import kernels
from minicnn.errors import ArgumentError
from minicnn.kernels._arrays import operand
from minicnn.kernels._warmup import examples, run_on

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
    assert run_on(spec.rung, calls) or not spec.needs_numba
    assert made
    for array, copy in made:
        np.testing.assert_array_equal(array, copy)


def drawn(op: str, direction: str):
    """The example calls of a direction but those in place, with the same random operands each time."""
    generator = np.random.default_rng(1)
    calls = examples(lambda *shape: generator.uniform(0.1, 1, shape).astype(np.float32))[op, direction]
    return [call for call in calls if "out" not in call.keywords]


@pytest.mark.parametrize(("op", "direction"), sorted(examples(lambda *shape: np.ones(shape, np.float32))))
def test_an_out_over_an_operand_is_refused_or_harmless(op: str, direction: str):
    for number, call in enumerate(drawn(op, direction)):
        expected = call() if op != "optimizer_step" else None
        for i, argument in enumerate(call.args):
            if not isinstance(expected, np.ndarray) or np.shape(argument) != expected.shape:
                continue
            fresh = drawn(op, direction)[number]
            with contextlib.suppress(ArgumentError):
                np.testing.assert_array_equal(fresh(out=fresh.args[i]), expected)


@pytest.mark.parametrize(("op", "direction"), sorted(examples(lambda *shape: np.ones(shape, np.float32))))
def test_an_out_at_an_odd_address_is_filled_like_any_other(op: str, direction: str):
    for call in drawn(op, direction):
        expected = call() if op != "optimizer_step" else None
        if isinstance(expected, np.ndarray):
            out = unaligned(np.full_like(expected, np.nan))
            assert not out.flags.aligned
            assert np.shares_memory(call(out=out), out)
            np.testing.assert_array_equal(out, expected)


def test_a_protected_out_is_refused():
    out = np.zeros((2, 3), np.float32)
    out.flags.writeable = False
    with pytest.raises(ArgumentError, match="write-protected"):
        kernels.dense.forward(np.ones((2, 4), np.float32), np.ones((4, 3), np.float32), out=out)


def test_an_out_in_an_operands_memory_is_refused():
    x, w = np.ones((4, 4), np.float32), np.eye(4, dtype=np.float32)
    for over in (x, w):
        with pytest.raises(ArgumentError, match="out must not lie in the memory"):
            kernels.dense.forward(x, w, out=over)
    residual = np.ones((1, 4, 4, 2), np.float32)
    with pytest.raises(ArgumentError, match="out must not lie in the memory"):
        kernels.conv2d.forward(residual.copy(), np.ones((1, 1, 2, 2), np.float32), residual=residual, out=residual)
    mean = np.ones((4, 1), np.float32)
    for over in (x, w):  # of which sums are made too, after dx on a GPU
        with pytest.raises(ArgumentError, match="out must not lie in the memory"):
            kernels.layernorm.backward(x, w, None, mean, mean, out=over)


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
