"""What all optimizers share: state, step counts, clipping, weight decay, configs, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optimizer_cases import every_optimizer, parameter, random, steps

from minicnn import optimizers, schedules
from minicnn.autograd import Parameter, Tensor
from minicnn.errors import ArgumentError, GraphError, ShapeError, UnsupportedError, WeightsMismatchError
from minicnn.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop

pytestmark = pytest.mark.numpy_only


@every_optimizer
def test_float32_stays_float32_and_follows_float64(make):
    single, double = parameter(random(0), np.float32), parameter(random(0).astype(np.float32))
    for p in (single, double):
        steps(make(), [p], range(5))
    assert single.numpy().dtype == np.float32
    np.testing.assert_allclose(single.numpy(), double.numpy(), rtol=2e-6, atol=2e-6)


@every_optimizer
def test_only_the_given_parameters_change(make):
    optimizer, frozen, moved = make(), parameter(random(0)), parameter(random(1))
    steps(optimizer, [frozen, moved], range(2))
    bits, version, others = frozen.numpy().tobytes(), frozen.version, moved.numpy().copy()
    steps(optimizer, [moved], range(3))
    assert (frozen.numpy().tobytes(), frozen.version) == (bits, version)
    assert np.all(moved.numpy() != others)


@every_optimizer
def test_every_step_raises_the_version_and_leaves_the_array_read_only(make):
    p = parameter(random(0))
    version = p.version
    steps(make(), [p], range(3))
    assert p.version == version + 3
    assert not p.numpy().flags.writeable


@every_optimizer
@given(scale=st.sampled_from([0.0, 1e-30, 1e-8, 1.0, 1e8, 1e18]), seed=st.integers(0, 100))
def test_finite_gradients_never_make_nan(make, scale, seed):
    p = parameter(random(seed), np.float32)
    optimizer = make()
    for _ in range(4):  # the same gradient each time: its variance is 0 but for rounding
        optimizer.apply_gradients([(Tensor((scale * random(seed)).astype(np.float32)), p)])
    assert np.isfinite(p.numpy()).all()


@every_optimizer
def test_a_parameter_that_joins_late_starts_like_a_new_one(make):
    optimizer, early, late, alone = make(), parameter(random(0)), parameter(random(1)), parameter(random(1))
    steps(optimizer, [early], range(20))
    other = make()
    for seed in range(3):
        gradient = Tensor(random(seed))
        optimizer.apply_gradients([(gradient, early), (gradient, late)])
        other.apply_gradients([(gradient, alone)])
    np.testing.assert_array_equal(late.numpy(), alone.numpy())


@every_optimizer
def test_a_loaded_state_continues_bit_for_bit(make):
    one, two = [parameter(random(i)) for i in range(2)], [parameter(random(i)) for i in range(2)]
    straight = make()
    steps(straight, one, range(6))

    first = make()
    steps(first, two, range(3))
    first.learning_rate = 0.5 * first.learning_rate
    second = type(first).from_config(first.get_config())
    second.build(two)
    second.load_state(first.state())
    assert second.learning_rate == first.learning_rate
    second.learning_rate = straight.learning_rate
    steps(second, two, range(3, 6))
    assert second.iterations == straight.iterations == 6
    for a, b in zip(one, two):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_the_saved_state_is_a_copy():
    optimizer, p = SGD(0.1, momentum=0.9), parameter(random(0))
    steps(optimizer, [p], [0])
    state = optimizer.state()
    assert {key: array.shape for key, array in state.items()} == {
        "iterations": (), "learning_rate": (), "0/momentum": (3, 4), "0/start": (),
    }  # fmt: skip
    before = state["0/momentum"].copy()
    steps(optimizer, [p], [1])
    np.testing.assert_array_equal(state["0/momentum"], before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("0/velocity"), "has no 0/velocity"),
        (lambda state: state.update({"1/velocity": np.ones(1)}), "also has 1/velocity"),
        (lambda state: state.update({"0/velocity": np.ones(3)}), "shape"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_whole(change, message):
    optimizer, p = Adam(), parameter(random(0))
    steps(optimizer, [p], [0])
    state, before = optimizer.state(), optimizer.state()
    state["iterations"] = np.array(77)
    change(state)
    with pytest.raises(WeightsMismatchError, match=message):
        optimizer.load_state(state)
    assert optimizer.iterations == 1
    np.testing.assert_array_equal(optimizer.state()["0/velocity"], before["0/velocity"])


# Clipping and weight decay


def moved(optimizer, *gradients):
    """How far SGD with rate 1 moves parameters that begin at zero: the clipped gradients, negated."""
    parameters = [parameter(np.zeros(np.shape(gradient))) for gradient in gradients]
    optimizer.apply_gradients([(Tensor(np.asarray(g, float)), p) for g, p in zip(gradients, parameters)])
    return [-p.numpy() for p in parameters]


def test_steps_are_given_gradients_that_need_no_copy(monkeypatch):
    """A copy may be out of memory after the first parameter has been written."""
    seen = []
    monkeypatch.setattr(SGD, "update_step", lambda self, array, gradient, *rest: seen.append(gradient))
    gradient = np.arange(6.0).reshape(2, 3).T
    SGD(0.1).apply_gradients([(gradient, Parameter((3, 2)))])
    assert seen[0].flags.c_contiguous
    np.testing.assert_array_equal(seen[0], gradient)


def test_clipnorm_limits_each_gradient_by_itself():
    long, short = moved(SGD(1.0, clipnorm=1.0), [3.0, 4.0], [0.3, 0.4])
    np.testing.assert_allclose(long, [0.6, 0.8], rtol=1e-15)
    np.testing.assert_array_equal(short, [0.3, 0.4])


def test_global_clipnorm_limits_all_gradients_by_one_factor():
    np.testing.assert_allclose(moved(SGD(1.0, global_clipnorm=1.0), [3.0], [4.0]), [[0.6], [0.8]], rtol=1e-15)
    assert moved(SGD(1.0, global_clipnorm=10.0), [3.0], [4.0]) == [3.0, 4.0]


def test_clipvalue_limits_each_element():
    np.testing.assert_array_equal(moved(SGD(1.0, clipvalue=0.5), [-3.0, 0.2, 0.7]), [[-0.5, 0.2, 0.5]])


def test_a_large_float32_gradient_is_clipped_not_lost():
    p = parameter([0.0, 0.0], np.float32)
    SGD(1.0, clipnorm=1.0).apply_gradients([(Tensor(np.array([3e30, 4e30], np.float32)), p)])
    np.testing.assert_allclose(p.numpy(), [-0.6, -0.8], rtol=1e-6)


@every_optimizer
def test_clipping_leaves_the_callers_gradient_alone(make):
    gradient = Tensor(np.array([3.0, 4.0]))
    make(global_clipnorm=1.0).apply_gradients([(gradient, parameter([1.0, 1.0]))])
    np.testing.assert_array_equal(gradient.numpy(), [3.0, 4.0])


@every_optimizer
def test_weight_decay_shrinks_by_rate_times_decay(make):
    p = parameter([2.0, -4.0])
    optimizer = make(weight_decay=0.5)
    optimizer.apply_gradients([(Tensor(np.zeros(2)), p)])
    np.testing.assert_allclose(p.numpy(), np.array([2.0, -4.0]) * (1 - 0.5 * optimizer.learning_rate), rtol=1e-15)


def test_weight_decay_leaves_out_what_is_excluded():
    kernel, bias, gamma = (parameter([1.0], name=name) for name in ("kernel", "bias", "gamma"))
    optimizer = SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[gamma], var_names=["bias", "beta"])
    optimizer.apply_gradients([(Tensor(np.zeros(1)), p) for p in (kernel, bias, gamma)])
    assert [p.numpy()[0] for p in (kernel, bias, gamma)] == [0.5, 1.0, 1.0]


# Learning rate


def test_a_schedule_sees_the_number_of_steps_done():
    optimizer, p = SGD(schedules.PiecewiseConstantDecay([0, 1], [1.0, 0.1, 0.01])), parameter([0.0])
    for _ in range(3):
        optimizer.apply_gradients([(Tensor(np.ones(1)), p)])
    np.testing.assert_allclose(p.numpy(), [-1.11], rtol=1e-15)
    with pytest.raises(ArgumentError, match="PiecewiseConstantDecay"):
        optimizer.learning_rate = 0.1


def test_the_learning_rate_can_be_set():
    optimizer, p = SGD(1.0), parameter([0.0])
    optimizer.learning_rate = 0.25
    optimizer.apply_gradients([(Tensor(np.ones(1)), p)])
    assert p.numpy()[0] == -0.25
    optimizer.learning_rate = schedules.ExponentialDecay(0.1, 1, 0.5)
    assert optimizer.learning_rate == 0.05


# Configs and names


@every_optimizer
def test_a_config_makes_an_equal_optimizer(make):
    optimizer = make(clipvalue=0.5, name="mine")
    copy = optimizers.get({"class_name": type(optimizer).__name__, "config": optimizer.get_config()})
    assert type(copy) is type(optimizer)
    assert copy.get_config() == optimizer.get_config()


def test_a_schedule_travels_in_the_config():
    optimizer = Adam(schedules.CosineDecay(0.1, 100, warmup_target=0.2, warmup_steps=10))
    copy = Adam.from_config(optimizer.get_config())
    copy.iterations = 5
    assert copy.learning_rate == pytest.approx(0.15)


@pytest.mark.parametrize(("name", "kind"), [("adam", Adam), ("AdamW", AdamW), ("rmsprop", RMSprop), ("SGD", SGD)])
def test_get_by_name(name, kind):
    assert type(optimizers.get(name)) is kind
    made = kind()
    assert optimizers.get(made) is made


def test_defaults_are_those_of_keras():
    common = {
        "weight_decay": None, "clipnorm": None, "clipvalue": None, "global_clipnorm": None,
        "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None,
    }  # fmt: skip
    adam = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False}
    assert SGD().get_config() == {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False, "name": "sgd"} | common
    assert Adam().get_config() == adam | common | {"name": "adam"}
    assert AdamW().get_config() == adam | common | {"name": "adamw", "weight_decay": 0.004}
    assert RMSprop().get_config() == common | {
        "learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False, "name": "rmsprop",
    }  # fmt: skip
    assert Adagrad().get_config() == common | {
        "learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7, "name": "adagrad",
    }  # fmt: skip


def test_the_config_of_an_old_keras_is_read():
    config = {"lr": 0.002, "beta_1": 0.8, "decay": 0.0, "epsilon": None, "jit_compile": True, "use_ema": False}
    optimizer = Adam.from_config(config)
    assert (optimizer.learning_rate, optimizer.beta_1, optimizer.epsilon) == (0.002, 0.8, 1e-7)


# Refusals


@pytest.mark.parametrize("config", [{"loss_scale_factor": 1024.0}, {"gradient_accumulation_steps": 4}, {"decay": 1e-6}])
def test_options_of_keras_that_are_missing_are_refused(config):
    with pytest.raises(UnsupportedError, match=next(iter(config))):
        SGD.from_config(config)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (SGD, {"learning_rate": -0.1}, "learning_rate"),
        (SGD, {"learning_rate": float("nan")}, "learning_rate"),
        (SGD, {"learning_rate": "fast"}, "learning_rate"),
        (SGD, {"momentum": 1.5}, "momentum"),
        (Adam, {"beta_2": 1.0}, "beta_2"),
        (Adam, {"epsilon": 0.0}, "epsilon"),
        (Adam, {"clipnorm": -1.0}, "clipnorm"),
        (Adam, {"clipnorm": 1.0, "clipvalue": 1.0}, "at most one"),
        (Adam, {"ema_momentum": 1.5}, "ema_momentum"),
        (Adam, {"ema_overwrite_frequency": 0}, "ema_overwrite_frequency"),
        (AdamW, {"weight_decay": None}, "weight_decay"),
        (SGD.from_config, {"config": {"beta_1": 0.9}}, "beta_1"),
        (optimizers.get, {"identifier": "lion"}, "lion"),
        (optimizers.get, {"identifier": 3}, "3"),
    ],
)
def test_bad_arguments_are_named(kind, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        kind(**arguments)


def test_a_wrong_shape_changes_nothing():
    first, second = parameter([1.0, 2.0]), parameter([3.0], name="bias")
    optimizer = Adam()
    with pytest.raises(ShapeError, match=r"'bias' has shape \(2,\)"):
        optimizer.apply_gradients([(Tensor(np.ones(2)), first), (Tensor(np.ones(2)), second)])
    np.testing.assert_array_equal(first.numpy(), [1.0, 2.0])
    assert optimizer.iterations == 0


def test_a_missing_gradient_is_skipped_with_a_warning_and_none_at_all_is_an_error():
    kernel, bias = parameter([1.0]), parameter([3.0], name="bias")
    optimizer = SGD(1.0)
    with pytest.warns(UserWarning, match="does not depend on bias"):
        optimizer.apply_gradients([(Tensor(np.ones(1)), kernel), (None, bias)])
    assert (kernel.numpy()[0], bias.numpy()[0]) == (0.0, 3.0)
    with pytest.raises(GraphError, match="no gradient"):
        optimizer.apply_gradients([(None, kernel)])
