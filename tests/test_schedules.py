"""Schedules against their closed formulas, written out anew."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import schedules
from minicnn.errors import ArgumentError
from minicnn.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    OneCycle,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

pytestmark = pytest.mark.numpy_only

step_counts = st.integers(0, 5000)
lengths = st.integers(1, 1000)


@given(step=step_counts, length=lengths)
def test_exponential_and_inverse_time(step, length):
    assert ExponentialDecay(0.1, length, 0.9)(step) == pytest.approx(0.1 * 0.9 ** (step / length), rel=1e-12)
    assert ExponentialDecay(0.1, length, 0.9, staircase=True)(step) == pytest.approx(0.1 * 0.9 ** (step // length))
    assert InverseTimeDecay(0.1, length, 0.9)(step) == pytest.approx(0.1 / (1 + 0.9 * step / length), rel=1e-12)
    assert InverseTimeDecay(0.1, length, 0.9, staircase=True)(step) == pytest.approx(0.1 / (1 + 0.9 * (step // length)))


@pytest.mark.parametrize(("step", "rate"), [(0, 1.0), (10, 1.0), (11, 0.5), (20, 0.5), (21, 0.1), (999, 0.1)])
def test_piecewise_constant_keeps_its_value_on_the_boundary(step, rate):
    assert PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1])(step) == rate


@given(step=step_counts, length=lengths, power=st.sampled_from([0.5, 1.0, 2.0]))
def test_polynomial(step, length, power):
    left = max(0.0, 1 - step / length)
    assert PolynomialDecay(0.1, length, 0.01, power)(step) == pytest.approx(0.09 * left**power + 0.01, rel=1e-12)


@pytest.mark.parametrize(("step", "rate"), [(0, 1.0), (5, 0.5), (10, 0.0), (11, 0.45), (20, 0.0), (25, 1 / 6)])
def test_polynomial_cycles(step, rate):
    assert PolynomialDecay(1.0, 10, 0.0, cycle=True)(step) == pytest.approx(rate, abs=1e-12)


@given(step=step_counts, length=lengths)
def test_cosine(step, length):
    expected = 0.1 * (0.8 * (1 + math.cos(math.pi * min(step, length) / length)) / 2 + 0.2)
    assert CosineDecay(0.1, length, alpha=0.2)(step) == pytest.approx(expected, rel=1e-12)


def test_cosine_warms_up_in_a_straight_line_and_then_decays_from_the_target():
    warm, plain = CosineDecay(0.02, 100, 0.1, warmup_target=0.1, warmup_steps=4), CosineDecay(0.1, 100, 0.1)
    assert [warm(step) for step in range(4)] == pytest.approx([0.02, 0.04, 0.06, 0.08])
    assert [warm(4 + step) for step in (0, 1, 50, 100, 500)] == [plain(step) for step in (0, 1, 50, 100, 500)]


@pytest.mark.parametrize("t_mul", [1.0, 1.5, 2.0, 3.0])
def test_cosine_restarts_exactly_at_the_end_of_each_period(t_mul):
    schedule, start = CosineDecayRestarts(0.1, 12, t_mul=t_mul, m_mul=0.5), 0.0
    for period in range(6):
        length = 12 * t_mul**period
        height = 0.1 * 0.5**period
        assert schedule(start) == pytest.approx(height, rel=1e-12)
        assert schedule(start + length / 2) == pytest.approx(height / 2, rel=1e-12)
        start += length


def test_one_cycle_climbs_from_a_share_to_the_top_and_falls_to_nothing():
    schedule = OneCycle(1.0, 41, climb=0.5, div=4, final_div=100)
    up = 0.5 * 41 - 1
    expected = [0.25 + 0.75 * (1 - math.cos(math.pi * step / up)) / 2 for step in range(20)]
    low = 0.25 / 100
    expected += [low + (1 - low) * (1 + math.cos(math.pi * (step - up) / (40 - up))) / 2 for step in range(20, 41)]
    assert [schedule(step) for step in range(41)] == pytest.approx(expected)
    assert schedule(100) == schedule(40) == low


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_one_cycle_of_few_steps_has_rates(steps):
    assert all(0 < OneCycle(1.0, steps)(step) <= 1 for step in range(5))


@given(step=st.integers(0, 99))
def test_the_first_period_of_restarts_is_a_plain_cosine(step):
    assert CosineDecayRestarts(0.1, 100, alpha=0.3)(step) == CosineDecay(0.1, 100, 0.3)(step)


SCHEDULES = [
    ExponentialDecay(0.1, 10, 0.5, staircase=True),
    InverseTimeDecay(0.1, 10, 0.5, name="mine"),
    PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1]),
    PolynomialDecay(0.1, 10, power=2.0, cycle=True),
    CosineDecay(0.1, 10, 0.1, warmup_target=0.2, warmup_steps=3),
    CosineDecayRestarts(0.1, 10, t_mul=1.5, m_mul=0.9, alpha=0.1),
    OneCycle(0.1, 30, climb=0.25, div=10.0),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: type(schedule).__name__)
def test_a_config_makes_an_equal_schedule(schedule):
    copy = schedules.deserialize(schedules.serialize(schedule))
    assert type(copy) is type(schedule)
    assert copy.get_config() == schedule.get_config()
    assert [copy(step) for step in range(40)] == [schedule(step) for step in range(40)]


def test_every_schedule_is_in_the_list_above():
    assert {type(schedule).__name__ for schedule in SCHEDULES} == set(schedules.CLASSES)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (ExponentialDecay, (0.1, 0, 0.5), "decay_steps"),
        (CosineDecay, (0.1, -5), "decay_steps"),
        (CosineDecayRestarts, (0.1, 10, 0.5), "t_mul"),
        (PiecewiseConstantDecay, ([1], [0.1]), "one more"),
        (PiecewiseConstantDecay, ([5, 5], [0.1, 0.2, 0.3]), "increase"),
        (ExponentialDecay.from_config, ({"rate": 1},), "rate"),
        (schedules.deserialize, ({"class_name": "Magic"},), "Magic"),
    ],
)
def test_bad_arguments_are_named(kind, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        kind(*arguments)
