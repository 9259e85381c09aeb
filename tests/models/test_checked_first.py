"""fit refuses what does not fit before it changes anything, and passes over epochs without validation."""

from typing import Any

import numpy as np
import pytest

from minicnn import layers as L
from minicnn.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint, ReduceLROnPlateau
from minicnn.data import ArrayDataset
from minicnn.errors import ArgumentError, DataError, MinicnnError, ShapeError
from minicnn.models import Model, Sequential

pytestmark = pytest.mark.numpy_only
X = np.random.default_rng(0).standard_normal((12, 3)).astype(np.float32)
LABELS = np.arange(12) % 2
ONE_WRONG = np.where(np.arange(12) == 11, 7, LABELS)
WIDE = np.zeros((12, 5), np.float32)


def classifier(loss: str = "sparse_categorical_crossentropy") -> Sequential:
    model = Sequential([L.Input((3,)), L.Dense(4), L.BatchNormalization(), L.Dense(2, activation="softmax")])
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def refused(model: Model, *data: Any, **options: Any) -> str:
    """What fit says; not a weight, and no callback, has seen a thing."""
    before, seen = model.get_weights(), []
    watch = [LambdaCallback(on_train_begin=seen.append)] if "callbacks" not in options else options.pop("callbacks")
    with pytest.raises(MinicnnError) as caught:
        model.fit(*data, batch_size=4, verbose=0, callbacks=watch, **options)
    assert "\n" not in str(caught.value)
    assert not seen
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.optimizer.iterations == 0
    return str(caught.value)


@pytest.mark.parametrize(
    ("loss", "y", "said"),
    [
        ("sparse_categorical_crossentropy", ONE_WRONG, "labels run from 0 to 7, the model has classes 0..1"),
        ("sparse_categorical_crossentropy", ONE_WRONG[:, None], "labels run from 0 to 7"),
        ("sparse_categorical_crossentropy", LABELS + 0.5, "labels must be whole numbers"),
        ("sparse_categorical_crossentropy", WIDE, "class numbers of shape (12, 5)"),
        ("categorical_crossentropy", WIDE, "targets of shape (12, 5) for predictions of shape (None, 2)"),
        ("binary_crossentropy", WIDE, "binary_crossentropy: targets of shape (12, 5)"),
        ("mse", WIDE, "mean_squared_error: targets of shape (12, 5)"),
        ("mae", LABELS, "mean_absolute_error: targets of shape (12,)"),
    ],
)
def test_targets(loss, y, said):
    good = LABELS if loss.startswith("sparse") else np.eye(2)[LABELS]
    for data, options in [
        ((X, y), {}),
        ((X, good), {"validation_data": (X, y)}),
        (([(X, y)],), {}),
        ((X, good), {"validation_data": iter([(X, y)]), "validation_steps": 1}),
    ]:
        assert said in refused(classifier(loss), *data, **options)


def test_a_dataset_is_asked_for_its_first_sample():
    assert "class numbers of shape (1, 5)" in refused(classifier(), ArrayDataset(X, WIDE))
    assert "class numbers of shape (1, 5)" in refused(classifier(), X, LABELS, validation_data=ArrayDataset(X, WIDE))


def test_a_bad_batch_amid_good_ones_moves_no_statistics():
    model = classifier()
    batches = [(X, LABELS), (X + 9, ONE_WRONG)]
    with pytest.raises(DataError, match="labels run from 0 to 7"):
        model.fit(batches, verbose=0)
    moved = model.layers[1].get_weights()
    with pytest.raises(DataError, match="labels run from 0 to 7"):
        model.train_on_batch(X + 9, ONE_WRONG)
    for a, b in zip(model.layers[1].get_weights(), moved, strict=True):
        np.testing.assert_array_equal(a, b)


def test_validation_inputs():
    assert "takes samples of shape (3,)" in refused(classifier(), X, LABELS, validation_data=(X[:, :2], LABELS))


def test_targets_of_several_outputs_and_free_sizes():
    x = L.Input((None, None, 1))
    maps = L.Conv2D(2, 3, name="maps")(x)
    model = Model(x, [maps, L.GlobalAveragePooling2D()(maps)])
    model.compile("sgd", ["mse", None])
    images = np.ones((4, 7, 5, 1), np.float32)
    good = [np.zeros((4, 5, 3, 2)), np.zeros(4)]
    assert "(4, 7, 5, 2) for predictions of shape (None, 5, 3, 2)" in refused(
        model, images, [np.zeros((4, 7, 5, 2)), good[1]]
    )
    assert "the model has 2 outputs, targets were given for 1" in refused(model, images, good[0])
    assert model.fit(images, good, verbose=0).history["loss"]


@pytest.mark.parametrize(
    ("callback", "said"),
    [
        (EarlyStopping("val_loss"), "no figure 'val_loss' to monitor; there are loss, accuracy; pass validation data"),
        (ReduceLROnPlateau("acuracy"), "ReduceLROnPlateau: there is no figure 'acuracy' to monitor"),
        (ModelCheckpoint("x.keras", save_best_only=True), "ModelCheckpoint: there is no figure 'val_loss'"),
    ],
)
def test_figures_that_never_come(callback, said):
    assert said in refused(classifier(), X, LABELS, callbacks=[callback])


def test_figures_of_other_callbacks_are_waited_for():
    class Judge(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_judged"] = float(epoch)

    watch = EarlyStopping("val_judged", mode="min", patience=1)
    assert len(classifier().fit(X, LABELS, epochs=5, verbose=0, callbacks=[Judge(), watch]).epoch) == 2
    with pytest.raises(ArgumentError, match="no figure 'val_judged'"):
        classifier().fit(X, LABELS, verbose=0, callbacks=[watch])
    rate = [ReduceLROnPlateau("loss"), EarlyStopping("learning_rate", mode="min")]
    assert "learning_rate" in classifier().fit(X, LABELS, verbose=0, callbacks=rate).history
    classifier().fit(X, LABELS, verbose=0, callbacks=ModelCheckpoint("never/x.keras", save_freq=99))


def test_epochs_without_validation_are_passed_over(tmp_path):
    saved = []
    checkpoint = ModelCheckpoint(tmp_path / "{epoch}.keras", save_best_only=True, mode="max")
    checkpoint.improves = lambda value, best: saved.append(value) is None
    stopping, plateau = EarlyStopping("val_loss", mode="max", patience=1), ReduceLROnPlateau(mode="max", patience=1)
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(
        X, LABELS, epochs=9, verbose=0, validation_data=(X, LABELS), validation_freq=2,
        callbacks=[checkpoint, plateau, stopping],
    ).history  # fmt: skip
    assert len(history["loss"]) == 4
    assert len(history["val_loss"]) == 2
    assert saved == history["val_loss"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.keras", "4.keras"]
    assert plateau.wait == 0
    assert model.optimizer.learning_rate == pytest.approx(history["learning_rate"][0] / 10)


def test_no_best_model_by_a_figure_of_epochs_after_batches():
    with pytest.raises(ArgumentError, match="'val_loss' is known at the end of an epoch, not after 5 batches"):
        ModelCheckpoint("x.keras", save_best_only=True, save_freq=5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"validation_split": "a"}, "fit: validation_split must be a number in [0, 1]; it is 'a'"),
        ({"validation_split": np.nan}, "fit: validation_split must be a number in [0, 1]; it is nan"),
        ({"initial_epoch": "a"}, "fit: initial_epoch must be a whole number of at least 0; it is 'a'"),
        ({"initial_epoch": -1}, "fit: initial_epoch must be a whole number of at least 0; it is -1"),
        ({"sample_weight": {0: 1}}, "sample_weight must be an array of one number for each sample; it is a dict"),
        ({"sample_weight": ["a"] * 12}, "sample_weight must be an array of numbers"),
        ({"validation_data": (X, LABELS, {0: 1})}, "class_weight takes weights of classes"),
    ],
)
def test_arguments(options, said):
    assert said in refused(classifier(), X, LABELS, **options)


def test_the_losses_check_by_themselves():
    with pytest.raises(ShapeError, match=r"targets of shape \(12, 5\) for predictions of shape \(12, 2\)"):
        classifier("mse").evaluate(X, WIDE)
