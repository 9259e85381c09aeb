"""optimizer_step: writing in place, memory orders, threads, NaN, refusals."""

from typing import Any

import numpy as np
import pytest
from strategies import lay_out

from minicnn import kernels
from minicnn.errors import ArgumentError, DTypeError, ShapeError, UnsupportedError
from minicnn.kernels import optimizer_step


def rmsprop_with_momentum(parameter, gradient, square, velocity, **options):
    return optimizer_step.rmsprop_step(parameter, gradient, square, None, velocity, **options)


STEPS = {
    "sgd": (optimizer_step.sgd_step, 0, {}),
    "momentum": (optimizer_step.sgd_step, 1, {"momentum": 0.9}),
    "nesterov": (optimizer_step.sgd_step, 1, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (rmsprop_with_momentum, 2, {"momentum": 0.9}),
    "adam": (optimizer_step.adam_step, 3, {"step": 3}),
    "adagrad": (optimizer_step.adagrad_step, 1, {}),
}
each_step = pytest.mark.parametrize(("step", "states", "options"), STEPS.values(), ids=STEPS)
each_rung = pytest.mark.parametrize("rung", ["reference", "v1_fused"])


def positive(count: int, shape: tuple[int, ...] = (3, 5), dtype: Any = np.float32) -> list[np.ndarray]:
    return [np.array(row) for row in np.random.default_rng(0).uniform(1, 2, (count, *shape)).astype(dtype)]


@pytest.mark.no_jit
@each_step
@each_rung
def test_the_step_writes_into_the_arrays_it_is_given(step, states, options, rung):
    parameter, gradient, *state = positive(2 + states)
    before = [array.copy() for array in (parameter, *state)]
    gradient *= 100
    gradient.flags.writeable = False
    assert step(parameter, gradient, *state, learning_rate=0.1, rung=rung, **options) is None
    for old, new in zip(before, (parameter, *state)):
        assert np.all(old != new)
        assert new.dtype == np.float32


@pytest.mark.no_jit
@each_step
@pytest.mark.parametrize("layout", ["fortran", "strided", "reversed"])
def test_arrays_in_any_memory_order_are_written_whole(step, states, options, layout):
    plain = positive(2 + states)
    laid_out = [lay_out(array, layout) for array in plain]
    with kernels.record() as calls:
        step(*laid_out, learning_rate=0.1, **options)
    step(*plain, learning_rate=0.1, rung="reference", **options)
    assert calls[0][2] == "reference"
    for expected, found in zip(plain, laid_out):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(UnsupportedError, match="contiguous"):
        step(*laid_out, learning_rate=0.1, rung="v1_fused", **options)


@each_step
def test_a_gradient_in_any_memory_order_runs_on_the_fast_rung(step, states, options):
    plain, other = positive(2 + states), positive(2 + states)
    other[1] = np.asfortranarray(other[1])
    with kernels.record() as calls:
        step(*plain, learning_rate=0.1, **options)
        step(*other, learning_rate=0.1, **options)
    assert [rung for _, _, rung in calls] == ["v1_fused"] * 2
    np.testing.assert_array_equal(plain[0], other[0])


@each_step
def test_the_number_of_threads_does_not_change_a_bit(step, states, options):
    threads, results = kernels.get_num_threads(), []
    try:
        for count in (1, 3):
            kernels.set_num_threads(count)
            arrays = positive(2 + states, (1_000_003,))
            step(*arrays, learning_rate=0.1, rung="v1_fused", **options)
            results.append(arrays)
    finally:
        kernels.set_num_threads(threads)
    for one, many in zip(*results):
        np.testing.assert_array_equal(one, many)


def after_a_step_with(value, place, step, states, options, rung) -> list[np.ndarray]:
    """The parameter, its gradient and state after a step in which the one at `place` had a value at [1, 2]."""
    arrays = positive(2 + states)
    arrays[place][1, 2] = value
    step(*arrays, learning_rate=0.1, rung=rung, **options)
    return arrays


@pytest.mark.no_jit
@each_step
@each_rung
def test_nan_reaches_its_own_elements_and_no_others(step, states, options, rung):
    parameter, _, *state = after_a_step_with(np.nan, 1, step, states, options, rung)
    for array in (parameter, *state):
        np.testing.assert_array_equal(np.argwhere(np.isnan(array)), [[1, 2]])


@pytest.mark.no_jit
@each_step
@each_rung
def test_without_weight_decay_an_infinite_parameter_stays_infinite(step, states, options, rung):
    parameter = after_a_step_with(np.inf, 0, step, states, options, rung)[0]
    assert parameter[1, 2] == np.inf
    assert np.isfinite(parameter).sum() == parameter.size - 1


@each_rung
def test_rounding_does_not_make_a_centred_variance_negative(rung):
    """The mean comes down to a constant gradient and stops, by rounding, a little above it."""
    gradient = np.random.default_rng(0).uniform(1000, 2000, 1000).astype(np.float32)
    parameter, square, mean = np.zeros((3, 1000), np.float32)
    for scale in [2] * 100 + [1] * 300:
        optimizer_step.rmsprop_step(parameter, scale * gradient, square, mean, learning_rate=0.1, rung=rung)
    assert np.any(square < np.square(mean, dtype=np.float64))
    assert np.isfinite(parameter).all()


@pytest.mark.no_jit
@each_step
@each_rung
@pytest.mark.parametrize("shape", [(), (0,), (1,), (8192,), (8193,)])
def test_any_size(step, states, options, rung, shape):
    arrays = positive(2 + states, shape)
    expected = [array.astype(np.float64) for array in arrays]
    step(*arrays, learning_rate=0.1, rung=rung, **options)
    step(*expected, learning_rate=0.1, **options)
    np.testing.assert_allclose(arrays[0], expected[0], rtol=0, atol=1e-6)


@pytest.mark.no_jit
@each_step
def test_float64_runs_on_the_reference(step, states, options):
    arrays = positive(2 + states, dtype=np.float64)
    with kernels.record() as calls:
        step(*arrays, learning_rate=0.1, **options)
    assert calls[0][2] == "reference"
    with pytest.raises(DTypeError, match="float32"):
        step(*arrays, learning_rate=0.1, rung="v1_fused", **options)


@each_step
def test_arrays_that_do_not_fit_are_refused_before_anything_is_written(step, states, options):
    for error, wrong in [(ShapeError, np.ones((3, 4), np.float32)), (DTypeError, np.ones((3, 5)))]:
        parameter, _, *state = positive(2 + states)
        before = parameter.copy()
        with pytest.raises(error, match="gradient"):
            step(parameter, wrong, *state, learning_rate=0.1, **options)
        np.testing.assert_array_equal(parameter, before)


def test_steps_count_from_one():
    with pytest.raises(ArgumentError, match="count from 1"):
        optimizer_step.adam_step(*positive(4), learning_rate=0.1, step=0)
