"""Low-rank changes against the chain rule, by finite differences and by hand."""

from dataclasses import replace

import numpy as np
import pytest
from policy_cases import PLAIN, ROWS, begun, job, trained

from minicnn.autograd import Parameter, Tensor
from minicnn.errors import WeightsMismatchError
from minicnn.layers import BatchNormalization, Conv2D, Dense, DepthwiseConv2D, Input
from minicnn.models import Sequential
from minicnn.optimizers import SGD, Adam
from minicnn.transfer.low_rank import LowRank, trained_numbers

pytestmark = pytest.mark.numpy_only

RANDOM = np.random.default_rng(0)


def kernel(shape=(3, 3, 4, 5)) -> Parameter:
    made = Parameter(shape, np.float64, name="kernel")
    made.assign(RANDOM.standard_normal(shape))
    return made


def test_a_change_begins_as_none():
    w = kernel()
    start = w.numpy().copy()
    optimizer = LowRank(SGD(0.1), [w], rank=2)
    for pair in optimizer.factors.values():
        pair.merge()
    np.testing.assert_array_equal(w.numpy(), start)


def test_two_steps_by_hand():
    w = kernel((4, 3))
    start, gradients = w.numpy().copy(), [RANDOM.standard_normal((4, 3)) for _ in range(2)]
    optimizer = LowRank(SGD(0.1), [w], rank=2)
    (pair,) = optimizer.factors.values()
    a, b = pair.down.numpy().copy(), pair.up.numpy().copy()
    for g in gradients:
        optimizer.apply_gradients([(Tensor(g), w)])
        a, b = a - 0.1 * g @ b.T, b - 0.1 * a.T @ g
        np.testing.assert_allclose(w.numpy(), start + a @ b, rtol=1e-12)
    assert np.linalg.matrix_rank(w.numpy() - start) == 2
    assert optimizer.iterations == 2


def test_gradients_of_the_factors_by_finite_differences():
    w, x = kernel(), RANDOM.standard_normal((6, 36))
    optimizer = LowRank(SGD(0.1), [w], rank=2)
    (pair,) = optimizer.factors.values()
    pair.up.assign(RANDOM.standard_normal(pair.up.shape))
    pair.merge()

    def loss() -> float:
        return float(np.sum(np.tanh(x @ w.numpy().reshape(36, 5))))

    gradient = (x.T @ (1 - np.tanh(x @ w.numpy().reshape(36, 5)) ** 2)).reshape(w.shape)
    for found, factor in pair.pairs(Tensor(gradient)):
        direction, start = RANDOM.standard_normal(factor.shape), factor.numpy().copy()
        values = []
        for step in (1e-6, -1e-6):
            factor.assign(start + step * direction)
            pair.merge()
            values.append(loss())
        factor.assign(start)
        pair.merge()
        assert (values[0] - values[1]) / 2e-6 == pytest.approx(float((found * direction).sum()), rel=1e-6)


def test_what_is_no_kernel_is_moved_whole():
    w, bias = kernel((4, 3)), kernel((3,))
    before = bias.numpy().copy()
    optimizer = LowRank(SGD(0.5), [w], rank=1)
    optimizer.apply_gradients([(Tensor(np.ones(3)), bias)])
    np.testing.assert_allclose(bias.numpy(), before - 0.5)


def test_averages_are_those_of_the_factors():
    w = kernel((4, 3))
    start = w.numpy().copy()
    optimizer = LowRank(SGD(0.1, use_ema=True, ema_momentum=0.5), [w], rank=1)
    (pair,) = optimizer.factors.values()
    seen = []
    for _ in range(2):
        optimizer.apply_gradients([(Tensor(RANDOM.standard_normal((4, 3))), w)])
        seen.append((pair.down.numpy().copy(), pair.up.numpy().copy()))
    a, b = (0.5 * seen[0][i] + 0.5 * seen[1][i] for i in range(2))
    trained_value = w.numpy().copy()
    optimizer.swap_averages()
    np.testing.assert_allclose(w.numpy(), start + a @ b, rtol=1e-12)
    optimizer.swap_averages()
    np.testing.assert_allclose(w.numpy(), trained_value, rtol=1e-12)
    optimizer.finalize_variable_values()
    np.testing.assert_allclose(w.numpy(), start + a @ b, rtol=1e-12)


def test_a_state_goes_on_bit_for_bit():
    gradients = [RANDOM.standard_normal((4, 3)) for _ in range(4)]
    first = kernel((4, 3))
    second, begin = kernel((4, 3)), first.numpy().copy()
    straight = LowRank(Adam(0.1), [first], rank=2)
    for g in gradients[:2]:
        straight.apply_gradients([(Tensor(g), first)])
    state = straight.state()
    other = LowRank(Adam(0.1), [second], rank=2)
    other.build([second])
    second.assign(first.numpy())
    other.load_state(state)
    for g in gradients[2:]:
        straight.apply_gradients([(Tensor(g), first)])
        other.apply_gradients([(Tensor(g), second)])
    assert first.numpy().tobytes() == second.numpy().tobytes() != begin.tobytes()
    with pytest.raises(WeightsMismatchError, match="low_rank/0/down"):
        other.load_state({key: array for key, array in state.items() if "down" not in key})


def test_only_kernels_that_are_one_matrix_are_taken():
    assert LowRank.takes(Dense(2))
    assert LowRank.takes(Conv2D(2, 3))
    assert not LowRank.takes(Conv2D(2, 3, groups=2))
    assert not LowRank.takes(DepthwiseConv2D(3))


def test_a_policy_of_low_rank_trains_an_ordinary_model():
    before, after = begun(), trained(replace(PLAIN, rank=2, optimizer="adam"))
    changes = {name: (after[name] - before[name]).reshape(-1, 8) for name in ("conv1/kernel", "conv2/kernel")}
    assert [int(np.linalg.matrix_rank(change, tol=1e-5)) for change in changes.values()] == [2, 2]
    made, tail = job(replace(PLAIN, rank=2))
    tail.fit(ROWS, ROWS, replace(PLAIN, rank=2))
    assert {type(layer).__name__ for layer in made.model.layers} >= {"Conv2D", "Dense"}


def test_what_is_trained_of_a_kernel_are_its_factors():
    model = Sequential([Input((5, 5, 4)), Conv2D(6, 3), BatchNormalization()])
    model.compile(SGD(0.1), "mse")
    norms = 2 * 6
    assert trained_numbers(model) == 3 * 3 * 4 * 6 + 6 + norms
    model.compile(LowRank(SGD(0.1), [model.layers[0].kernel], 2), "mse")
    assert trained_numbers(model) == (3 * 3 * 4 + 6) * 2 + 6 + norms
