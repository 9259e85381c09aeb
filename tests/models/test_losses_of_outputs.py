"""The losses that compile chose: weighted, reported by output, and functions of a user's own."""

import numpy as np
import pytest

from minicnn import layers as L
from minicnn import losses, ops
from minicnn.errors import ArgumentError, GraphError, MinicnnError, ShapeError
from minicnn.models import Model, Sequential, load_model
from minicnn.optimizers import SGD

pytestmark = [pytest.mark.numpy_only, pytest.mark.no_jit]
X = np.linspace(-1, 1, 12).reshape(4, 3).astype(np.float32)
Y = np.arange(8).reshape(4, 2).astype(np.float32)
TARGETS = [Y, Y[:, :1]]
FIGURES = [12.665289, 3.0]  # the losses of the untrained outputs, as Keras gives them


def two_outputs(**choices) -> Model:
    x = L.Input((3,), name="in")
    outputs = [L.Dense(units, name=name, kernel_initializer="ones")(x) for name, units in (("a", 2), ("b", 1))]
    model = Model(x, outputs)
    model.compile(SGD(0.01), **{"loss": ["mse", "mae"], **choices})
    return model


def one_output(loss, **choices) -> Sequential:
    model = Sequential([L.Input((3,)), L.Dense(2, kernel_initializer="ones", name="a")])
    model.compile(SGD(0.01), loss, **choices)
    return model


def figures(model: Model, **options) -> dict:
    return model.evaluate(X, TARGETS if len(model.outputs) > 1 else Y, return_dict=True, **options)


def test_each_outputs_loss_is_reported_as_keras_names_it():
    model = two_outputs(metrics={"a": ["mse"], "b": "mae"})
    history = model.fit(X, TARGETS, verbose=0, validation_data=(X, TARGETS)).history
    names = ["loss", "a_loss", "b_loss", "a_mse", "b_mae"]
    assert list(history) == [*names, *(f"val_{name}" for name in names)]
    # Figures of Keras 3.15 for the same model and data
    assert [history[name][0] for name in names[:3]] == pytest.approx([sum(FIGURES), *FIGURES], rel=1e-5)
    after = [12.396513, 2.989339]
    assert [history[f"val_{name}"][0] for name in names] == pytest.approx([sum(after), *after, *after], rel=1e-5)
    assert list(model.train_on_batch(X, TARGETS)) == pytest.approx([sum(after), *after, *after], rel=1e-5)


def test_a_single_loss_is_reported_once():
    assert list(figures(two_outputs(loss=["mse", None]))) == ["loss"]
    assert list(figures(two_outputs(loss={"a": "mse"}))) == ["loss"]
    assert list(figures(one_output("mse"))) == ["loss"]


@pytest.mark.parametrize("weights", [[2.0, 0.5], (2, 0.5), {"a": 2, "b": 0.5}, [np.float32(2), np.float64(0.5)]])
def test_loss_weights_weight_the_total_alone(weights):
    found = figures(two_outputs(loss_weights=weights))
    assert list(found.values()) == pytest.approx([2 * FIGURES[0] + 0.5 * FIGURES[1], *FIGURES], rel=1e-5)


def test_loss_weights_that_a_dict_leaves_out_are_one():
    found = figures(two_outputs(loss={"a": "mse", "b": "mae"}, loss_weights={"b": 3}))
    assert found["loss"] == pytest.approx(FIGURES[0] + 3 * FIGURES[1], rel=1e-5)


def test_loss_weights_weight_the_gradients():
    weighted, rate = two_outputs(loss_weights=[3.0, 0.0]), two_outputs(loss=["mse", None])
    rate.optimizer.learning_rate = 0.03
    for model in (weighted, rate):
        model.train_on_batch(X, TARGETS)
    for a, b in zip(weighted.get_weights(), rate.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_an_output_without_a_loss_is_not_trained():
    model = two_outputs(loss={"a": "mse"})
    before = model.get_layer("b").get_weights()
    model.fit(X, TARGETS, verbose=0)
    np.testing.assert_array_equal(model.get_layer("b").get_weights()[0], before[0])


def test_metrics_and_losses_by_output():
    for loss in (["mse", "mae"], {"b": "mae", "a": "mse"}):
        model = two_outputs(loss=loss, metrics={"b": ["mae"]})
        found = figures(model)
        a, b = model.predict(X)
        assert found["b_mae"] == pytest.approx(np.abs(b - TARGETS[1]).mean(), rel=1e-5)
        assert found["loss"] == pytest.approx(np.square(a - Y).mean() + np.abs(b - TARGETS[1]).mean(), rel=1e-5)
    with pytest.raises(ArgumentError, match="no output is named c"):
        two_outputs(loss={"c": "mse"}).fit(X, TARGETS, verbose=0)


def test_the_total_counts_samples_and_the_loss_of_each_output_batches():
    """As Keras 3.15 has it, where the last batch is smaller."""
    model = two_outputs()
    found, whole = figures(model, batch_size=3), figures(model)
    assert found["loss"] == pytest.approx(whole["loss"], rel=1e-6)
    parts = [slice(start, start + 3) for start in range(0, len(X), 3)]
    assert len(X) % 3
    each = [model.evaluate(X[part], [y[part] for y in TARGETS], return_dict=True) for part in parts]
    for name in ("a_loss", "b_loss"):
        assert found[name] == pytest.approx(np.mean([part[name] for part in each]), rel=1e-6)


@pytest.mark.parametrize("weights", [2.0, [2.0], {"a": 2.0}])
def test_loss_weights_of_one_output(weights):
    assert figures(one_output("mse", loss_weights=weights))["loss"] == pytest.approx(2 * FIGURES[0], rel=1e-5)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (2.0, r"loss_weights must be one number an output, of \['a', 'b'\]; it is 2.0"),
        ([1.0], "loss_weights must be one number an output"),
        ([1.0, 2.0, 3.0], "loss_weights must be one number an output"),
        ({"c": 1.0}, r"compile\(loss_weights=...\): no output is named c"),
        ([1.0, "x"], "compile: loss_weights must be a number .* it is 'x'"),
        ([1.0, float("nan")], "compile: loss_weights must be a number .* it is nan"),
        ([1.0, None], "loss_weights must be one number an output"),
    ],
)
def test_loss_weights_that_are_refused(weights, message):
    with pytest.raises(ArgumentError, match=message) as caught:
        figures(two_outputs(loss_weights=weights))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("loss", [["mse", "mae"], {"a": "mse", "b": "mae"}, "mse"])
def test_loss_weights_are_saved(loss, suffix, tmp_path):
    model = two_outputs(loss=loss, loss_weights={"b": 3.0})
    model.save(tmp_path / f"m{suffix}")
    back = load_model(tmp_path / f"m{suffix}")
    assert figures(back) == figures(model)
    assert back.choices.loss_weights == [1.0, 3.0]


FUNCTIONS = {
    "a sample": lambda y, p: ((y - p) ** 2).mean(axis=-1),
    "an element": lambda y, p: (y - p) ** 2,
    "a scalar": lambda y, p: ((y - p) ** 2).mean(),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_a_function_is_a_loss(function):
    own, named = one_output(function), one_output("mse")
    assert figures(own)["loss"] == pytest.approx(FIGURES[0], rel=1e-5)
    for model in (own, named):
        model.fit(X, Y.astype(np.int32), epochs=2, verbose=0, shuffle=False)
    for a, b in zip(own.get_weights(), named.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_sample_weights_of_a_function():
    weights = np.array([1.0, 2, 3, 4])
    expected = figures(one_output("mse"), sample_weight=weights)["loss"]
    for name in ("a sample", "an element"):
        assert figures(one_output(FUNCTIONS[name]), sample_weight=weights)["loss"] == pytest.approx(expected, rel=1e-5)
    whole = figures(one_output(FUNCTIONS["a scalar"]), sample_weight=weights)["loss"]
    assert whole == pytest.approx(2.5 * FIGURES[0], rel=1e-5)


def test_a_function_sees_targets_in_the_shape_of_one_column():
    shapes = []

    def loss(y, p):
        shapes.append((y.shape, p.shape, y.dtype))
        return ops.activation(y - p, "relu").mean(axis=-1)

    model = Sequential([L.Input((3,)), L.Dense(1)])
    model.compile("sgd", loss)
    model.evaluate(X, np.arange(4))
    assert shapes == [((4, 1), (4, 1), np.float32)]


def test_a_function_for_one_of_several_outputs():
    found = figures(two_outputs(loss={"a": FUNCTIONS["a sample"], "b": losses.MeanAbsoluteError}))
    assert list(found.values()) == pytest.approx([sum(FIGURES), *FIGURES], rel=1e-5)


def wrong_kind(y, p):
    return np.square(y.numpy() - p.numpy())


def wrong_shape(y, p):
    return (y - p).mean(axis=0)


@pytest.mark.parametrize(
    ("loss", "error", "message"),
    [
        (wrong_kind, ArgumentError, "the loss wrong_kind must return a Tensor.*; it returned ndarray"),
        (wrong_shape, ShapeError, r"the loss wrong_shape must give .* for 4 samples it has shape \(2,\)"),
        (int, ArgumentError, "unknown loss <class 'int'>"),
        (3, ArgumentError, "unknown loss 3"),
    ],
)
def test_what_is_no_loss(loss, error, message):
    with pytest.raises(error, match=message) as caught:
        figures(one_output(loss))
    assert isinstance(caught.value, MinicnnError)


def test_a_function_has_no_name_so_the_choices_are_not_saved(tmp_path):
    one_output(FUNCTIONS["a sample"]).save(tmp_path / "m.keras")
    with pytest.raises(GraphError, match=r"not compiled: call model\.compile"):
        figures(load_model(tmp_path / "m.keras"))


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 5), (4, 5, 1)])
def test_weights_of_samples_and_of_their_steps(shape):
    """As Keras 3.15, where it takes them: the mean over all steps of the weighted losses."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 5, 3)).astype(np.float32), rng.normal(size=(4, 5, 2)).astype(np.float32)
    weights = rng.uniform(size=shape).astype(np.float32)
    model = Sequential([L.Input((5, 3)), L.Dense(2)])
    model.compile(SGD(0.01), "mse")
    each = np.square(model.predict(x) - y).mean(-1)
    expected = (each * weights.reshape(4, -1)).mean()
    assert model.evaluate(x, y, sample_weight=weights) == pytest.approx(expected, rel=1e-5)
    history = model.fit(x, y, batch_size=4, sample_weight=weights, verbose=0).history
    assert history["loss"][0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("shape", [(4, 4), (4, 5, 2), (4, 2)])
def test_weights_that_fit_no_steps_are_refused_before_anything_changes(shape):
    model = Sequential([L.Input((5, 3)), L.Dense(2)])
    model.compile(SGD(0.01), "mse")
    before = model.get_weights()
    x, y, weights = np.ones((4, 5, 3), np.float32), np.ones((4, 5, 2), np.float32), np.ones(shape, np.float32)
    with pytest.raises(ShapeError, match=r"give one number a sample, \(N,\), or one a step, \(N,5\)"):
        model.fit(x, y, sample_weight=weights, verbose=0)
    with pytest.raises(ShapeError, match="weights of shape"):
        model.evaluate(x, y, sample_weight=weights)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


@pytest.mark.parametrize("kind", ["one-hot", "numbers", "numbers with an axis"])
@pytest.mark.parametrize("own", [None, (4,), (4, 1), (4, 5), (4, 5, 1)])
def test_classes_of_steps_have_weights(kind, own):
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(4, 5, 3)).astype(np.float32), rng.integers(0, 5, (4, 5))
    sample_weight = None if own is None else rng.uniform(size=own).astype(np.float32)
    y = {"one-hot": np.eye(5)[labels], "numbers": labels, "numbers with an axis": labels[..., None]}[kind]
    model = Sequential([L.Input((5, 3)), L.Dense(5, activation="softmax")])
    model.compile(SGD(0.01), f"{'' if kind == 'one-hot' else 'sparse_'}categorical_crossentropy")
    each = -np.log(np.take_along_axis(model.predict(x), labels[..., None], -1)[..., 0])
    weights = np.where(labels == 1, 3, 1) * (1 if sample_weight is None else sample_weight.reshape(4, -1))
    history = model.fit(x, y, sample_weight=sample_weight, class_weight={1: 3.0}, verbose=0).history
    assert history["loss"][0] == pytest.approx((each * weights).mean(), rel=1e-5)


def test_weights_of_steps_are_no_remedy_where_there_are_no_steps():
    with pytest.raises(ShapeError, match=r"an output \(4, 2\): give one number a sample, \(N,\)$"):
        one_output("mse").fit(X, Y, sample_weight=np.ones((4, 2)), verbose=0)
