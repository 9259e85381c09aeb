"""Save and load: every bit comes back, and a file that does not fit changes nothing."""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_cases import CASES, NUMBERED
from random_nets import images, nets, outputs, randomize

from minicnn import MinicnnError
from minicnn import layers as L
from minicnn.errors import ArgumentError, FileAccessError, FileFormatError, UnsupportedError, WeightsMismatchError
from minicnn.layers import CLASSES
from minicnn.layers.augmentation import KERAS2_ALONE
from minicnn.models import Model, Sequential, load_model, model_from_json

pytestmark = pytest.mark.numpy_only
SUFFIXES = (".keras", ".h5")


def assert_same(first: Model, second: Model, x) -> None:
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(outputs(first.predict(x)), outputs(second.predict(x)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert json.loads(first.to_json()) == json.loads(second.to_json())


@settings(max_examples=30)
@given(model=nets(), suffix=st.sampled_from(SUFFIXES))
def test_random_architectures_come_back(tmp_path_factory, model, suffix):
    path = tmp_path_factory.mktemp("model") / f"model{suffix}"
    model.save(path)
    assert_same(load_model(path), model, images())


@settings(max_examples=15)
@given(model=nets(), name=st.sampled_from(["w.weights.h5", "w.h5"]), seed=st.integers(1, 9))
def test_weights_of_random_architectures_come_back(tmp_path_factory, model, name, seed):
    path = tmp_path_factory.mktemp("weights") / name
    model.save_weights(path)
    twin = model_from_json(model.to_json())
    randomize(twin, 1000 + seed)
    report = twin.load_weights(path)
    assert [*report.missing, *report.unexpected, *report.mismatched] == []
    assert_same(twin, model, images())


def test_the_config_says_the_calls_of_this_model_alone():
    shared = L.Conv2D(2, 1, name="c")
    for size in (5, 7):
        x = L.Input((size, size, 3), name="x")
        for model in (Model(x, shared(x), name="m"), Sequential([L.Input((size, size, 3)), shared], name="m")):
            assert f"[null, {size}, {size}, 3]" in model.to_json()
            assert f"[null, {12 - size}, {12 - size}, 3]" not in model.to_json()


@pytest.mark.parametrize(("name", "index"), [case for case in NUMBERED if case[0] not in ("InputLayer", *KERAS2_ALONE)])
def test_every_layer_comes_back(name, index, tmp_path):
    arguments, shape = CASES[name][index]
    inputs = [L.Input(s) for s in shape] if isinstance(shape, list) else L.Input(shape)
    model = Model(inputs, CLASSES[name](**arguments)(inputs))
    randomize(model, 0)
    x = [np.ones((2, *t.shape[1:]), np.float32) for t in model.inputs]
    for suffix in SUFFIXES:
        model.save(tmp_path / f"model{suffix}")
        assert_same(load_model(tmp_path / f"model{suffix}"), model, x)


def graph() -> Model:
    """Shared layers and models, operations with constants, modes given for good, several outputs."""
    base = Sequential([L.Input((4,)), L.Dense(4, name="d"), L.BatchNormalization(name="n")], name="base")
    x, y = L.Input((4,), name="x"), L.Input((4,), name="y")
    shared = L.Dense(4, name="shared")
    a, b = shared(base(x, training=False)), shared(shared(base(y)))
    inner = L.Input((4,))
    pair = Model(inner, [L.ReLU()(inner), L.Softmax()(inner)], name="pair")
    c, d = pair(1 - a * 0.5 + b / np.array([1, 2, 4, 8], np.float32))
    e, _ = pair(L.Dropout(0.5)(d, training=True))
    model = Model([x, y], [L.Concatenate()([c, -d]), e, pair(a)[1]])
    randomize(model, 0)
    return model


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_graphs_come_back(suffix, tmp_path):
    model = graph()
    model.save(tmp_path / f"m{suffix}")
    again = load_model(tmp_path / f"m{suffix}")
    assert json.loads(again.to_json()) == json.loads(model.to_json())
    x = [np.random.default_rng(i).standard_normal((3, 4)).astype(np.float32) for i in range(2)]
    first, second = model.predict(x), again.predict(x)
    for i in (0, 2):  # 1 is random for good
        np.testing.assert_array_equal(first[i], second[i])
    modes = [call.training for call in again.program.calls if call.layer.name == "n"]
    assert modes == [call.training for call in model.program.calls if call.layer.name == "n"] == [False, None]


def test_flags_and_metadata_come_back(tmp_path):
    base = Sequential([L.Input((4,)), L.Dense(3, name="d"), L.BatchNormalization(name="n")], name="base")
    base.trainable = False
    model = Sequential([base, L.Dense(2, name="end")])
    model.metadata = {"class_names": ["cat", "Löwe"], "input_size": [4], "preprocessing": "tf", "scale": 0.5}
    for suffix in SUFFIXES:
        model.save(tmp_path / f"m{suffix}")
        again = load_model(tmp_path / f"m{suffix}")
        assert model.metadata.items() <= again.metadata.items()
        assert [weight.trainable for weight in again.weights] == [weight.trainable for weight in model.weights]
        assert not again.get_layer("base").get_layer("n").trainable


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_layer_that_is_trained_in_a_frozen_model_comes_back_trained(suffix, tmp_path):
    base = Sequential([L.Input((4,)), L.Dense(3, name="d"), L.BatchNormalization(name="n")], name="base")
    base.trainable = False
    base.get_layer("n").trainable = True
    model = Sequential([base, L.Dense(2, name="end")])
    model.save(tmp_path / f"m{suffix}")
    again = load_model(tmp_path / f"m{suffix}")
    assert [weight.trainable for weight in again.weights] == [weight.trainable for weight in model.weights]


def test_the_optimizer_and_random_draws_are_not_needed_to_load(tmp_path, monkeypatch):
    model = Sequential([L.Input((4,)), L.Dense(3)])
    model.compile("adam", "mse")
    model.fit(np.ones((4, 4)), np.ones((4, 3)), verbose=0)
    model.save(tmp_path / "m.keras")

    def draw(*_):
        raise AssertionError("weights were drawn although the file has them")

    monkeypatch.setattr("minicnn.layers.initializers.VarianceScaling.__call__", draw)
    assert load_model(tmp_path / "m.keras").predict(np.ones((1, 4))).shape == (1, 3)


def named(*names: str, units: int = 3) -> Sequential:
    model = Sequential([L.Input((3,)), *(L.Dense(units if i else 3, name=n) for i, n in enumerate(names))])
    randomize(model, len(names))
    return model


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "abc.h5"
    named("a", "b", "c").save_weights(path)
    return path


def unchanged(model: Model, call) -> pytest.ExceptionInfo:
    before, versions = model.get_weights(), [weight.version for weight in model.weights]
    with pytest.raises(WeightsMismatchError) as caught:
        call()
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)
    assert [weight.version for weight in model.weights] == versions
    return caught


@pytest.mark.parametrize("model", [named("a", "b"), named("a", "b", "c", "d"), named("a", "b", "c", units=4)])
def test_a_file_that_does_not_fit_changes_nothing(model, file):
    caught = unchanged(model, lambda: model.load_weights(file))
    assert file.name in str(caught.value)


def test_by_name_takes_what_has_the_name(file):
    model = named("b", "x", "a")
    before, source = model.get_weights(), named("a", "b", "c").get_weights()
    report = model.load_weights(file, by_name=True, strict=False)
    found = model.get_weights()
    for position, expected in enumerate([source[2], source[3], before[2], before[3], source[0], source[1]]):
        np.testing.assert_array_equal(found[position], expected)
    assert (report.loaded, report.unexpected, report.missing) == (["b", "a"], ["c"], ["x"])
    other = named("p", "q")
    unchanged(other, lambda: other.load_weights(file, by_name=True, strict=False))  # not one match


@pytest.mark.parametrize("how", ["skip", "reinit"])
def test_on_mismatch(how, file):
    model = named("a", "b", "c", units=5)
    before = model.get_weights()
    unchanged(model, lambda: model.load_weights(file, by_name=True))
    report = model.load_weights(file, by_name=True, on_mismatch=how)
    assert report.mismatched == ["b", "c"]
    np.testing.assert_array_equal(model.get_weights()[0], named("a", "b", "c").get_weights()[0])
    same = np.array_equal(model.get_weights()[2], before[2])
    assert same == (how == "skip")


def test_names_of_files():
    model = named("a")
    for call in (model.save, model.save_weights):
        with pytest.raises(ArgumentError, match=r"must end in|\.h5"):
            call("model.pt")
    with pytest.raises(ArgumentError, match="must end in"):
        model.save("model.weights.h5")


def test_a_file_of_weights_is_no_model(file):
    with pytest.raises(FileFormatError, match=r"holds weights but no architecture; build the model, .*inspect FILE"):
        load_model(file)


def test_what_keras_cannot_say_is_refused_and_leaves_no_file(tmp_path):
    model = Sequential([L.Input((3,)), L.Activation("hard_sigmoid_keras2", name="gate")])
    with pytest.raises(UnsupportedError, match="layer gate: its hard_sigmoid is Keras 2's"):
        model.save(tmp_path / "m.keras")
    assert list(tmp_path.iterdir()) == []


def test_loading_makes_no_warning_and_saving_twice_replaces(tmp_path):
    path, first, second = tmp_path / "m.keras", named("a"), named("a", "b")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first.save(path)
        second.save(path)
        assert len(load_model(path).layers) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_doubtful_weights_are_said(golden):
    config = (golden / "files" / "tiny_legacy_weights.h5.config.json").read_text()
    path = golden / "files" / "bad_nan_weights.h5"
    with pytest.warns(UserWarning, match=rf"^{path}: \w+/kernel has \d+ values of \d+ that are NaN") as caught:
        report = model_from_json(config).load_weights(path)
    assert "NaN" in str(report.warnings)
    assert [warning.filename for warning in caught] == [__file__]


def test_many_doubtful_weights_are_counted(tmp_path):
    model = Sequential([L.Input((3,)), *(L.Dense(3) for _ in range(4))])
    model.set_weights([np.full_like(array, np.nan) for array in model.get_weights()])
    model.save_weights(tmp_path / "m.h5")
    with pytest.warns(UserWarning, match="m.h5: ") as caught:
        model.load_weights(tmp_path / "m.h5")
    assert [str(warning.message).partition(": ")[2] for warning in caught][3:] == ["so have 5 more weights"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("index", "value", "said"), [(0, np.nan, "NaN"), (5, -1, "negative")])
def test_doubtful_weights_of_a_whole_model_are_a_python_warning_each(suffix, index, value, said, tmp_path):
    model = Sequential([L.Input((3,)), L.Dense(2, name="d"), L.BatchNormalization(name="n")])
    arrays = model.get_weights()
    arrays[index][...] = value
    model.set_weights(arrays)
    path = tmp_path / f"m{suffix}"
    model.save(path)
    with pytest.warns(UserWarning, match=rf"^{re.escape(str(path))}: .*{said}") as caught:
        load_model(path)
    assert [warning.filename for warning in caught] == [__file__]


def test_the_path_of_a_config_is_not_its_text(tmp_path):
    (tmp_path / "net").write_text("{}")
    for wrong in (str(tmp_path / "net"), "missing.json", tmp_path / "net", None):
        with pytest.raises(ArgumentError, match="takes the text of a config, as read from its file; got "):
            model_from_json(wrong)


@pytest.mark.parametrize("name", ["bad_truncated_50_tiny_keras3.keras", "bad_not_hdf5.h5", "bad_unknown_layer.keras"])
def test_bad_model_files(golden, name):
    with pytest.raises(MinicnnError, match=name.partition(".")[0] if "unknown" not in name else "layer") as caught:
        load_model(golden / "files" / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_model_cut_from_another_is_a_model_of_its_own(suffix, tmp_path):
    inputs = L.Input((8, 8, 3))
    cut = L.Conv2D(4, 3, name="c")(inputs)
    end = L.Add()([L.Conv2D(5, 3, name="c_input")(cut), L.Conv2D(5, 3, name="f")(cut)])
    part = Model(cut, [end, cut])
    assert [layer.name for layer in part.layers if layer.weights] == ["c_input", "f"]
    assert part.count_params() == 2 * (4 * 9 * 5 + 5)
    part.save(tmp_path / f"part{suffix}")
    back = load_model(tmp_path / f"part{suffix}")
    x = np.random.default_rng(0).random((2, 6, 6, 4), np.float32)
    for a, b in zip(part.predict(x), back.predict(x), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_float64_weights_come_back_bit_for_bit(suffix, tmp_path):
    def net() -> Sequential:
        layers = [L.Conv2D(4, 3, dtype="float64"), L.BatchNormalization(dtype="float64"), L.Flatten(dtype="float64")]
        return Sequential([L.Input((5, 5, 2), dtype="float64"), *layers, L.Dense(3, dtype="float64")])

    model, path = net(), tmp_path / f"m{suffix}"
    if suffix == ".weights.h5":
        model.save_weights(path)
        back = net()
        back.load_weights(path)
    else:
        model.save(path)
        back = load_model(path)
    for a, b in zip(model.get_weights(), back.get_weights(), strict=True):
        assert b.dtype == np.float64
        np.testing.assert_array_equal(a, b)


def test_what_is_wrong_with_a_config_is_said_with_the_file_and_its_writer(golden):
    path = golden / "files" / "bad_unknown_layer.keras"
    with pytest.raises(
        UnsupportedError, match=rf"^{re.escape(str(path))} \(written by Keras 3\.15\.1\): layer .* is code of the file"
    ):
        load_model(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_names_that_keras_does_not_open_are_said(suffix, tmp_path):
    model = Sequential([L.Input((2,)), L.Dense(3, name="fire/squeeze")])
    with pytest.warns(UserWarning, match=r"does not open .* as in fire/squeeze"):
        model.save(tmp_path / f"m{suffix}")
    np.testing.assert_array_equal(load_model(tmp_path / f"m{suffix}").get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_layers_that_nested_models_share_are_said(suffix, tmp_path):
    x, y, shared = L.Input((3,)), L.Input((3,)), L.Dense(3, name="shared")
    inner = Model(x, L.ReLU()(shared(x)), name="inner")
    with pytest.warns(
        UserWarning, match="model outer and models in it share shared, which the file holds once for each"
    ):
        Model(y, inner(shared(y)), name="outer").save(tmp_path / f"m{suffix}")
    Model(y, inner(inner(y))).save(tmp_path / f"n{suffix}")  # one holder, called twice, stays one
    middle = Model(y, inner(y), name="middle")
    with pytest.warns(UserWarning, match="share inner, which"):
        Model(y, middle(inner(y))).save(tmp_path / f"o{suffix}")


def test_a_rescaling_by_an_array_is_saved(tmp_path):
    model = Sequential([L.Input((3,)), L.Rescaling(np.float32([1, 2, 4]), offset=np.ones(3))])
    model.save(tmp_path / "m.keras")
    x = np.ones((1, 3))
    np.testing.assert_array_equal(load_model(tmp_path / "m.keras").predict(x), [[2, 3, 5]])
    np.testing.assert_array_equal(model.predict(x), [[2, 3, 5]])


@pytest.mark.parametrize("ending", ["keras", "h5", "weights.h5"])
def test_names_that_files_cannot_have(tmp_path, ending):
    write = Model.save_weights if ending == "weights.h5" else Model.save
    with pytest.raises(FileAccessError, match=r"'\\x00.* cannot be the name of a file"):
        write(Sequential([L.Input((3,)), L.Dense(1)]), f"\0.{ending}")
    with pytest.raises(ArgumentError, match=r"the name 'a\\ud800' is no text: rename"):
        write(Sequential([L.Input((3,)), L.Dense(1, name="a\ud800")]), tmp_path / f"m.{ending}")
    assert list(tmp_path.iterdir()) == []
