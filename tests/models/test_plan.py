"""The prediction plan gives what the tape gives, with fewer passes, and sees every change of the weights at once."""

import threading
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from op_cases import CASES
from random_nets import images, nets, outputs, plan_of, randomize

from minicnn import kernels, ops
from minicnn import layers as L
from minicnn.autograd import Tensor, no_grad
from minicnn.autograd.arithmetic import Add
from minicnn.errors import UnsupportedError
from minicnn.models import Model, Sequential
from minicnn.models.plan.fuse import Fold
from minicnn.ops.activation import Activation
from minicnn.ops.conv import Conv2D, Conv2DTranspose, DepthwiseConv2D
from minicnn.ops.dense import Dense
from minicnn.ops.norm import BatchNormInfer
from minicnn.ops.pool import MaxPool2D
from minicnn.ops.shape import SampleReshape, ZeroPadding2D


def tape(model: Model, x: np.ndarray) -> list[np.ndarray]:
    with no_grad():
        return outputs(model(x, training=False))


def assert_close(found: list[np.ndarray], expected: list[np.ndarray], tolerance: float = 2e-5) -> None:
    assert [a.shape for a in found] == [a.shape for a in expected]
    for a, b in zip(found, expected):
        scale = np.abs(b).max() if b.size else 0
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(scale, 1))


@pytest.mark.no_jit
@pytest.mark.numpy_only
@settings(max_examples=60)
@given(nets(), st.sampled_from([0, 1, 3]))
def test_plan_equals_tape(model, count):
    x = images(count)
    assert_close(outputs(model.predict(x)), tape(model, x))


@settings(max_examples=20)
@given(nets())
def test_buffers_that_are_used_again_change_nothing(model):
    plan, x = plan_of(model), [images(4)]
    first = plan.run(x)
    kept = [array.copy() for array in first]
    plan.run([images(4, seed=1)])
    for a, b, c in zip(first, kept, plan.run(x)):
        np.testing.assert_array_equal(a, b)  # results belong to the caller
        np.testing.assert_array_equal(c, b)


@pytest.mark.parametrize("last", [[], [L.Flatten()], [L.Reshape((-1, 2)), L.Flatten()]])
def test_results_and_what_they_are_views_of_belong_to_the_caller(last):
    plan = plan_of(build(L.Conv2D(4, 3), L.Conv2D(4, 3), *last))
    (first,), (second,) = plan.run([images()]), plan.run([images()])
    assert not np.shares_memory(first, second)


@pytest.mark.parametrize("name", list(CASES))
def test_operations_that_give_views_say_so(name):
    """The plan gives a buffer away after its last use, which must count the uses of views of it."""
    heard = []
    from minicnn.autograd import listening

    for function, arrays in CASES[name]:
        tensors = [Tensor(array) for array in arrays]
        with listening(lambda cls, inputs, options, output: heard.append((cls, inputs, output))):
            function(*tensors)
    for cls, inputs, output in heard:
        shared = [t for t in inputs if t is not None and np.shares_memory(t.array, output.array)]
        assert not shared or (cls.is_view and shared == [inputs[0]]), cls


def functions(model: Model) -> list[type]:
    return [item.function for item in plan_of(model).instructions]


def build(*row: L.Layer) -> Sequential:
    model = Sequential([L.Input((6, 5, 3)), *row])
    randomize(model, 0)
    return model


@pytest.mark.parametrize(
    ("row", "left"),
    [
        ([L.Conv2D(4, 3), L.BatchNormalization(), L.ReLU()], [Conv2D]),
        ([L.Conv2D(4, 3), L.BatchNormalization(), L.BatchNormalization(), L.Activation("sigmoid")], [Conv2D]),
        ([L.DepthwiseConv2D(3, depth_multiplier=2), L.BatchNormalization(), L.ReLU(6.0)], [DepthwiseConv2D]),
        ([L.Conv2DTranspose(4, 3), L.BatchNormalization(), L.ReLU()], [Conv2DTranspose]),
        ([L.Flatten(), L.Dense(4), L.BatchNormalization(), L.Activation("tanh")], [SampleReshape, Dense]),
        ([L.SeparableConv2D(4, 3, activation="relu")], [DepthwiseConv2D, Conv2D]),
        ([L.ZeroPadding2D(((1, 0), (2, 1))), L.Conv2D(4, 3, activation="relu")], [Conv2D]),
        ([L.ZeroPadding2D(1), L.DepthwiseConv2D(3)], [DepthwiseConv2D]),
        ([L.ZeroPadding2D(1), L.Conv2D(4, 3, padding="same")], [ZeroPadding2D, Conv2D]),
        ([L.BatchNormalization(), L.Conv2D(4, 3)], [BatchNormInfer, Conv2D]),
        ([L.Conv2D(4, 3, activation="relu"), L.ReLU()], [Conv2D, Activation]),
        ([L.Conv2D(4, 3), L.LeakyReLU(0.1)], [Conv2D, Activation]),
        ([L.Conv2D(4, 3), L.Dropout(0.5), L.ReLU()], [Conv2D]),
        ([L.BatchNormalization(), L.ReLU()], [BatchNormInfer]),
        ([L.BatchNormalization(), L.BatchNormalization(), L.Activation("swish")], [BatchNormInfer]),
        ([L.BatchNormalization(), L.LeakyReLU(0.1)], [BatchNormInfer, Activation]),
        ([L.Conv2D(4, 3, activation="relu"), L.ZeroPadding2D(1), L.MaxPooling2D(3, 2)], [Conv2D, MaxPool2D]),
        ([L.Conv2D(4, 3), L.ZeroPadding2D(1), L.MaxPooling2D(3, 2)], [Conv2D, ZeroPadding2D, MaxPool2D]),
        (  # some windows would see zeros alone
            [L.Conv2D(4, 3, activation="relu"), L.ZeroPadding2D(2), L.MaxPooling2D(2)],
            [Conv2D, ZeroPadding2D, MaxPool2D],
        ),
    ],
)
def test_fusions(row, left):
    model = build(*row)
    assert functions(model) == left
    assert_close([model.predict(images())], tape(model, images()))


def test_an_activation_between_keeps_the_normalisation_apart():
    model = build(L.Conv2D(4, 3, activation="relu"), L.BatchNormalization())
    assert_close([model.predict(images())], tape(model, images()))
    assert BatchNormInfer in functions(model)


def test_an_activation_keeps_what_is_added_after_it_apart():
    x = L.Input((6, 5, 3))
    y = L.Conv2D(3, 3, padding="same", activation="relu")(x)
    model = Model(x, L.ReLU()(L.Add()([x, y])))
    randomize(model, 3)
    assert functions(model) == [Conv2D, Add, Activation]
    assert_close([model.predict(images())], tape(model, images()))


def residual(project: bool, add=lambda a, b: L.Add()([a, b])) -> Model:
    x = L.Input((6, 5, 3))
    shortcut = L.BatchNormalization()(L.Conv2D(3, 1)(x)) if project else x
    y = L.Activation("relu")(L.BatchNormalization()(L.Conv2D(3, 3, padding="same")(x)))
    y = L.BatchNormalization()(L.Conv2D(3, 3, padding="same")(y))
    model = Model(x, L.Activation("relu")(add(shortcut, y)))
    randomize(model, 1)
    return model


@pytest.mark.parametrize("project", [False, True])
@pytest.mark.parametrize("add", [lambda a, b: L.Add()([a, b]), lambda a, b: a + b], ids=["Add", "+"])
def test_a_residual_block_is_convolutions_alone(project, add):
    model = residual(project, add)
    plan = plan_of(model)
    assert [item.function for item in plan.instructions] == [Conv2D] * (3 if project else 2)
    assert plan.instructions[-1].options["activation"] == "relu"
    assert "residual" in plan.instructions[-1].options
    assert_close([model.predict(images())], tape(model, images()))


def test_what_has_another_user_is_not_fused_away():
    x = L.Input((6, 5, 3))
    y = L.Conv2D(3, 3, padding="same")(x)
    z = L.BatchNormalization()(y)
    model = Model(x, [L.ReLU()(z), L.Add()([y, x])])
    randomize(model, 2)
    assert BatchNormInfer in functions(model)
    assert_close(outputs(model.predict(images())), tape(model, images()))
    shown = Model(x, [y, L.ReLU()(y)])  # an output counts as a user
    assert functions(shown) == [Conv2D, Activation]
    assert_close(outputs(shown.predict(images())), tape(shown, images()))


def test_a_value_added_to_itself_stays():
    x = L.Input((6, 5, 3))
    y = L.Conv2D(3, 3)(x)
    model = Model(x, y + y)
    assert functions(model) == [Conv2D, Add]
    assert_close([model.predict(images())], tape(model, images()))


def test_an_addition_that_broadcasts_is_not_a_residual():
    x = L.Input((6, 5, 3))
    gate = L.Conv2D(3, 1)(L.GlobalAveragePooling2D(keepdims=True)(x))
    model = Model(x, L.Add()([x, gate]))
    assert Add in functions(model)
    assert_close([model.predict(images())], tape(model, images()))


def test_a_row_of_layers_needs_two_buffers():
    model = build(*(L.Conv2D(3, 3, padding="same") for _ in range(6)))
    plan = plan_of(model)
    plan.run([images()])
    (stages,) = plan._stages[3]
    places = stages.rest.memory.of
    assert len(places) == 7  # the input and six results
    assert len({id(array.base) for array in places.values()}) == 2


def test_kernels_that_ran():
    model = residual(False)
    with kernels.record() as calls:
        model.predict(images())
    assert [call[0] for call in calls] == ["conv2d"] * 2  # what ran to make the plan does not count


def watched(monkeypatch, owner, name: str) -> list[weakref.ref]:
    """References to the first array of everything that a function gives from now on."""
    made, function = [], getattr(owner, name)

    def watch(*arguments, **options):
        result = function(*arguments, **options)
        made.append(weakref.ref(result[0] if isinstance(result, tuple) else result))
        return result

    monkeypatch.setattr(owner, name, watch)
    return made


def test_a_kernel_that_was_packed_is_not_kept_beside(monkeypatch):
    pytest.importorskip("numba")
    folded, packed = watched(monkeypatch, Fold, "apply"), watched(monkeypatch, kernels.conv2d, "_packed")
    model = residual(True)
    model.predict(images())
    assert len(folded) == len(packed) == 3
    assert not any(reference() is not None for reference in folded)
    assert all(reference() is not None for reference in packed)
    model.layers[1].set_weights([array * 2 for array in model.layers[1].get_weights()])

    def first(*arguments):
        assert not any(reference() is not None for reference in packed)  # the old ones go before others come
        monkeypatch.undo()
        return kernels.conv2d._packed(*arguments)

    monkeypatch.setattr(kernels.conv2d, "_packed", first)
    assert_close([model.predict(images())], tape(model, images()))


@pytest.mark.parametrize("count", [1, 3])
def test_rungs_that_are_asked_for_run_and_then_the_default_again(count):
    pytest.importorskip("numba")
    model, x = residual(True), images(count)
    first = model.predict(x)
    for rung in ("v4_blocked", "v2_im2col", "v1_direct", "reference"):
        with kernels.use("conv2d", rung=rung), kernels.record() as calls:
            found = model.predict(x)
        assert [call for call in calls if call[0] == "conv2d"] == [("conv2d", "forward", rung)] * 3
        assert_close([found], [first])
    with kernels.use("conv2d", rung="v6_winograd_4"), pytest.raises(UnsupportedError, match="3x3 kernels"):
        model.predict(x)
    np.testing.assert_array_equal(model.predict(x), first)


def test_a_rung_of_an_operation_without_packed_weights_packs_none_anew(monkeypatch):
    pytest.importorskip("numba")
    model, x = residual(True), images()
    first = model.predict(x)
    packed = watched(monkeypatch, kernels.conv2d, "_packed")
    with kernels.use("activation", rung="v1_numpy"):
        np.testing.assert_array_equal(model.predict(x), first)
    np.testing.assert_array_equal(model.predict(x), first)
    assert not packed


def change_set_weights(model, layer, tmp_path):
    layer.set_weights([array * 1.5 for array in layer.get_weights()])


def change_load(model, layer, tmp_path):
    path = tmp_path / "w.weights.h5"
    other = residual(False)
    randomize(other, 9)
    other.save_weights(path)
    model.load_weights(path)


def change_train(model, layer, tmp_path):
    model.compile("sgd", "mse")
    model.train_on_batch(images(), model.predict(images()) + 1)


def change_update(model, layer, tmp_path):
    with layer.weights[0].update() as array:
        array *= -1


@pytest.mark.parametrize("change", [change_set_weights, change_load, change_train, change_update])
@pytest.mark.parametrize("position", [1, 2])  # a convolution, and the normalisation that is folded into it
def test_changes_count_at_once(change, position, tmp_path):
    model = residual(False)
    layer = [layer for layer in model.layers if layer.weights][position - 1]
    before = model.predict(images())
    change(model, layer, tmp_path)
    after = model.predict(images())
    assert (after != before).any()
    assert_close([after], tape(model, images()))


def test_several_threads_get_equal_results():
    model = residual(True)
    x = [images(count, seed) for count in (1, 2, 5) for seed in range(3)]
    expected = [model.predict(a, batch_size=2) for a in x]
    fresh = residual(True)  # so that the threads also race for the plan
    found: list[np.ndarray | None] = [None] * len(x)

    def work(i: int) -> None:
        for _ in range(5):
            found[i] = fresh.predict(x[i], batch_size=2)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(x))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(found, expected):
        np.testing.assert_array_equal(a, b)


def test_the_number_of_plans_is_bounded():
    model = Sequential([L.Input((None, None, 3)), L.Conv2D(2, 3)])
    for side in range(3, 30):
        assert model.predict(np.ones((1, side, side, 3))).shape == (1, side - 2, side - 2, 2)
    assert len(model._plans) <= 8


def test_random_layers_that_stay_on_draw_anew_at_every_prediction():
    x = L.Input((6, 5, 3))
    model = Model(x, L.Dropout(0.5)(x, training=True))
    first, second = model.predict(images()), model.predict(images())
    assert (first != second).any()


def test_the_tape_is_not_needed():
    model = residual(False)
    x = Tensor(images(), requires_grad=True)
    assert model(x).requires_grad
    assert ops.relu(x).requires_grad
    assert isinstance(model.predict(x), np.ndarray)


@pytest.mark.parametrize(
    ("layer", "option", "value"),
    [
        (L.Rescaling(2.0), "scale", 3.0),
        (L.LeakyReLU(), "negative_slope", 0.7),
        (L.BatchNormalization(), "epsilon", 0.5),
        (L.Conv2D(3, 1), "strides", (2, 2)),
    ],
)
def test_an_option_that_is_set_later_counts(layer, option, value):
    model = build(layer, L.Flatten())
    before = model.predict(images())
    changes = L.Layer.option_changes
    model.predict(images())
    assert L.Layer.option_changes == changes  # nothing is made anew for a prediction
    setattr(layer, option, value)
    after = model.predict(images())
    assert_close([after], tape(model, images()))
    assert after.shape != before.shape or not np.allclose(after, before)


def test_noise_in_a_mode_given_for_good_is_drawn_for_every_prediction():
    inputs = L.Input((50,))
    for noisy in (L.GaussianNoise(0.5), L.GaussianDropout(0.5)):
        model = Model(inputs, noisy(inputs, training=True))
        x = np.ones((2, 50), np.float32)
        first, second = model.predict(x), model.predict(x)
        assert first.shape == (2, 50)
        assert not np.allclose(first, second)


class Doubled(L.Layer):
    """A layer that computes on its weights."""

    def __init__(self, activation=None, **options):
        super().__init__(**options)
        self.activation = activation

    def build(self, input_shape):
        self.k = self.add_weight("k", (3, 3, input_shape[-1], 4), "glorot_uniform")
        super().build(input_shape)

    def call(self, x, training):
        k = self.k * 2.0
        return ops.conv2d(x, ops.activation(k, self.activation) if self.activation else k)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[1] - 2, input_shape[2] - 2, 4)


@pytest.mark.parametrize("activation", [None, "tanh"])
def test_weights_that_are_computed_from_others(activation):
    model = build(Doubled(activation), L.BatchNormalization(), L.ReLU())
    randomize(model, 3)
    assert_close([model.predict(images())], tape(model, images()))
    model.layers[0].set_weights([model.layers[0].get_weights()[0] * 2])
    assert_close([model.predict(images())], tape(model, images()))
