"""Averages of the parameters, and learning rates of single ones."""

import numpy as np
import pytest
from optimizer_cases import every_optimizer, parameter, random, steps

from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError
from minicnn.optimizers import SGD

pytestmark = pytest.mark.numpy_only


def test_averages_move_by_hand():
    p, optimizer = parameter([4.0]), SGD(1.0, use_ema=True, ema_momentum=0.75)
    values, average = [], None
    for gradient in (1.0, 2.0, -3.0):
        optimizer.apply_gradients([(Tensor(np.array([gradient])), p)])
        values.append(p.numpy()[0])
        average = values[-1] if average is None else 0.75 * average + 0.25 * values[-1]
    assert values == [3.0, 1.0, 4.0]  # the average does not change the way
    optimizer.finalize_variable_values([p])
    assert p.numpy()[0] == average == 0.75 * 2.5 + 0.25 * 4


def test_a_momentum_of_one_keeps_the_first_average():
    p, optimizer = parameter([0.3], np.float32), SGD(1e-3, use_ema=True, ema_momentum=1.0)
    optimizer.apply_gradients([(np.float32([1]), p)])
    first = p.numpy().copy()
    for gradient in np.random.default_rng(0).standard_normal((50, 1), np.float32):
        optimizer.apply_gradients([(1e3 * gradient, p)])
    assert not np.array_equal(p.numpy(), first)
    optimizer.swap_averages()
    np.testing.assert_array_equal(p.numpy(), first)


def test_parameters_become_their_averages_every_so_many_steps():
    p, optimizer = parameter([4.0]), SGD(1.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)
    found = []
    for _ in range(4):
        optimizer.apply_gradients([(Tensor(np.array([1.0])), p)])
        found.append(p.numpy()[0])
    assert found == [3.0, 2.5, 1.5, 1.25]  # the averages: 3, (3 + 2)/2 = 2.5, (2.5 + 1.5)/2 = 2, (2 + 0.5)/2 = 1.25


def test_the_average_of_a_parameter_that_joins_late_begins_with_its_first_step():
    early, late, optimizer = parameter([0.0]), parameter([8.0]), SGD(1.0, use_ema=True)
    optimizer.apply_gradients([(Tensor(np.ones(1)), early)])
    optimizer.apply_gradients([(Tensor(np.ones(1)), late)])
    optimizer.finalize_variable_values()
    assert late.numpy()[0] == 7.0


def test_swapped_averages_are_shown_and_taken_back_and_the_end_knows_them():
    p, optimizer = parameter([4.0]), SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(2):
        optimizer.apply_gradients([(Tensor(np.ones(1)), p)])
    shown = []
    for _ in range(3):
        optimizer.swap_averages()
        shown.append((p.numpy()[0], optimizer.averaged))
    assert shown == [(2.5, True), (2.0, False), (2.5, True)]
    optimizer.finalize_variable_values()
    assert (p.numpy()[0], optimizer.averaged) == (2.5, False)


def test_without_averages_nothing_is_swapped():
    p, optimizer = parameter([4.0]), SGD(1.0)
    optimizer.apply_gradients([(Tensor(np.ones(1)), p)])
    optimizer.swap_averages()
    optimizer.finalize_variable_values()
    assert (p.numpy()[0], optimizer.averaged) == (3.0, False)


@every_optimizer
def test_a_rate_factor_is_a_rate_of_its_own(make):
    optimizer, slow, fast = make(weight_decay=0.1), parameter(random(0)), parameter(random(1))
    optimizer.scale_learning_rate([(slow, 0.25)])
    alone = make(weight_decay=0.1)
    alone.learning_rate = 0.25 * alone.learning_rate
    other = make(weight_decay=0.1)
    same_slow, same_fast = parameter(random(0)), parameter(random(1))
    for seed in range(3):
        gradients = [Tensor(random(10 * seed + i)) for i in range(2)]
        optimizer.apply_gradients(zip(gradients, [slow, fast]))
        alone.apply_gradients([(gradients[0], same_slow)])
        other.apply_gradients([(gradients[1], same_fast)])
    np.testing.assert_array_equal(slow.numpy(), same_slow.numpy())
    np.testing.assert_array_equal(fast.numpy(), same_fast.numpy())


def test_rate_factors_can_change_and_travel_in_the_state():
    optimizer, a, b = SGD(1.0), parameter([0.0]), parameter([0.0])
    steps(optimizer, [a, b], [0])
    optimizer.scale_learning_rate([(b, 0.5)])
    optimizer.scale_learning_rate([(a, 0.0)])
    state = optimizer.state()
    assert {key: float(array) for key, array in state.items() if "rate_factor" in key} == {
        "0/rate_factor": 0.0, "1/rate_factor": 0.5,
    }  # fmt: skip
    other = SGD(1.0)
    other.build([a, b])
    other.load_state(state)
    assert other.state().keys() == state.keys()
    before = a.numpy().copy(), b.numpy().copy()
    other.apply_gradients([(Tensor(np.ones(1)), a), (Tensor(np.ones(1)), b)])
    assert [float(p.numpy()[0] - old[0]) for p, old in zip((a, b), before)] == pytest.approx([0.0, -0.5])


def test_a_negative_rate_factor_is_refused():
    with pytest.raises(ArgumentError, match="the rate factor of kernel"):
        SGD(1.0).scale_learning_rate([(parameter([0.0]), -1.0)])
