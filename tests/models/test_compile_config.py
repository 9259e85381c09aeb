"""A saved model knows how it was compiled, in Keras' words; with an unknown name in the file it stays uncompiled."""

import json
import zipfile

import numpy as np
import pytest

from minicnn import losses, optimizers, schedules
from minicnn.errors import GraphError, UnsupportedError
from minicnn.layers import Dense, Flatten, Input
from minicnn.metrics import AUC
from minicnn.models import Model, load_model

X = np.random.default_rng(0).random((12, 4, 4, 1), np.float32)
Y = np.eye(3, dtype=np.float32)[np.arange(12) % 3]
CHOICES = {
    "names": lambda: ("adam", "categorical_crossentropy", ["accuracy"]),
    "objects": lambda: (
        optimizers.SGD(schedules.CosineDecay(0.1, 100), momentum=0.9, nesterov=True),
        losses.CategoricalCrossentropy(label_smoothing=0.1),
        ["accuracy", "mse"],
    ),
    "no metrics": lambda: (optimizers.AdamW(1e-3, weight_decay=1e-2, clipnorm=1.0), "mse", None),
    "by output": lambda: ("rmsprop", {"out": "mae"}, {"out": ["mse"]}),
}


def compiled(choices: tuple) -> Model:
    inputs = Input((4, 4, 1))
    model = Model(inputs, Dense(3, activation="softmax", name="out")(Flatten()(inputs)))
    model.compile(*choices)
    return model


@pytest.mark.numpy_only
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("choices", CHOICES.values(), ids=list(CHOICES))
def test_the_choices_come_back(choices, suffix, tmp_path):
    model = compiled(choices())
    model.save(tmp_path / f"m{suffix}")
    back = load_model(tmp_path / f"m{suffix}")
    assert type(back.optimizer) is type(model.optimizer)
    assert back.optimizer.get_config() == model.optimizer.get_config()
    assert back.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    for each in (model, back):
        each.fit(X, Y, epochs=1, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), back.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_is_left_uncompiled_when_asked_and_custom_objects_are_refused(tmp_path):
    path = tmp_path / "m.keras"
    compiled(CHOICES["names"]()).save(path)
    assert not load_model(path, compile=False).compiled
    assert load_model(path, custom_objects={}, safe_mode=True).optimizer is not None
    for options in ({"custom_objects": {"Mine": Dense}}, {"safe_mode": False}):
        with pytest.raises(UnsupportedError, match="runs no code for a file"):
            load_model(path, **options)


def test_a_rate_that_was_changed_is_kept(tmp_path):
    model = compiled(CHOICES["names"]())
    model.optimizer.learning_rate = 0.25
    model.save(tmp_path / "m.keras")
    assert load_model(tmp_path / "m.keras").optimizer.learning_rate == 0.25


def test_the_files_of_keras(test_data, golden):
    model = load_model(test_data / "models" / "onepixel_resnet.h5")  # Keras 2.1
    assert isinstance(model.optimizer, optimizers.SGD)
    assert model.optimizer.nesterov
    assert model.choices[1:] == ("categorical_crossentropy", ["accuracy"], None)
    for name in ("tiny_legacy_full.h5", "tiny_keras3.keras", "tiny_legacy_full_by_keras3.h5"):
        model = load_model(golden / "files" / name)
        assert isinstance(model.optimizer, optimizers.Adam)
        assert model.choices[1:] == ("categorical_crossentropy", ["accuracy"], None)


def test_choices_without_a_name_are_not_saved(tmp_path):
    for metrics in ([AUC()], [lambda y, p: (y - p) ** 2]):
        model = compiled(("adam", "mse", metrics))
        model.save(tmp_path / "m.keras")
        back = load_model(tmp_path / "m.keras")
        with pytest.raises(GraphError, match=r"not compiled: call model\.compile"):
            back.evaluate(X, Y)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("loss", "my_loss", "my_loss"),
        ("loss", {"class_name": "Huber", "config": {"delta": 1.0}}, "Huber"),
        ("loss", {"class_name": "MeanSquaredError", "config": {"reduction": "sum"}}, "reduction"),
        ("loss", {"class_name": "CategoricalCrossentropy", "config": {"os": "rm"}}, "os"),
        ("metrics", [{"class_name": "AUC", "config": {"num_thresholds": 3}}], "num_thresholds"),
        ("metrics", [3], "int"),
        ("loss_weights", ["heavy"], "heavy"),
        ("optimizer", {"class_name": "Lion", "config": {}}, "Lion"),
        ("optimizer", {"class_name": "Adam", "config": {"learning_rate": "fast"}}, "fast"),
        ("optimizer", {"class_name": "Adam", "config": ["x"]}, "list"),
        ("optimizer", None, "None"),
    ],
)
def test_what_is_not_known_leaves_the_model_uncompiled_and_says_why(key, value, why, tmp_path):
    compiled(CHOICES["names"]()).save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["compile_config"][key] = value
    with zipfile.ZipFile(tmp_path / "n.keras", "w") as archive:
        for name, content in {**members, "config.json": json.dumps(config)}.items():
            archive.writestr(name, content)
    model = load_model(tmp_path / "n.keras")
    assert model.predict(X).shape == (12, 3)
    with pytest.raises(GraphError, match=why):
        model.evaluate(X, Y)
    model.compile(*CHOICES["names"]())
    model.evaluate(X, Y, verbose=0)
