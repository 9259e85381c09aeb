"""Callbacks that watch a figure: early stopping, checkpoints, plateaus."""

import numpy as np
import pytest
from fake_model import FakeModel

from minicnn.callbacks import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from minicnn.errors import ArgumentError

pytestmark = pytest.mark.numpy_only

NAN = float("nan")


def epochs_run(callback, *metrics, **figures):
    """(number of epochs, the weight at the end) of a training with one callback."""
    model = FakeModel(*metrics)
    history = model.fit(callback, **figures)
    return len(history.epoch), model.weight[0]


# Early stopping


@pytest.mark.parametrize(("patience", "epochs"), [(0, 3), (1, 3), (2, 4), (3, 5), (9, 6)])
def test_stops_after_patience_epochs_without_improvement(patience, epochs):
    losses = [3.0, 2.0, 2.0, 2.5, 2.1, 2.2]
    assert epochs_run(EarlyStopping(patience=patience), val_loss=losses) == (epochs, epochs)


def test_restores_a_copy_of_the_best_weights():
    callback = EarlyStopping("loss", patience=2, restore_best_weights=True)
    assert epochs_run(callback, loss=[3.0, 1.0, 2.0, 2.0, 2.0]) == (4, 2.0)
    assert (callback.stopped_epoch, callback.best_epoch, callback.best) == (3, 1, 1.0)


def test_restores_the_best_weights_when_training_ends_by_itself():
    callback = EarlyStopping("loss", patience=9, restore_best_weights=True)
    assert epochs_run(callback, loss=[3.0, 1.0, 2.0]) == (3, 2.0)


def test_smaller_changes_than_min_delta_are_none():
    assert epochs_run(EarlyStopping("loss", min_delta=0.5, patience=1), loss=[3.0, 2.6, 2.2, 1.0]) == (2, 2)
    assert epochs_run(EarlyStopping("accuracy", min_delta=-0.1, patience=1), "accuracy", accuracy=[0.5, 0.55, 0.9]) == (
        2,
        2,
    )


def test_a_baseline_must_be_beaten():
    losses = [3.0, 2.5, 2.0, 1.9]
    assert epochs_run(EarlyStopping("loss", baseline=1.0, patience=2), loss=[*losses, 2.0])[0] == 5
    assert epochs_run(EarlyStopping("loss", baseline=1.0, patience=2), loss=[3.0, 3.5, 0.5])[0] == 2
    callback = EarlyStopping("loss", baseline=1.0, patience=2, restore_best_weights=True)
    assert epochs_run(callback, loss=[3.0, 3.5, 3.5]) == (2, 1.0)


def test_the_first_epochs_are_not_looked_at():
    callback = EarlyStopping("loss", patience=1, start_from_epoch=3, restore_best_weights=True)
    assert epochs_run(callback, loss=[1.0, 2.0, 3.0, 2.5, 2.6, 2.7]) == (5, 4.0)


def test_nan_is_no_improvement_and_no_best():
    callback = EarlyStopping("loss", patience=2, restore_best_weights=True)
    assert epochs_run(callback, loss=[NAN, 2.0, NAN, NAN, 1.0]) == (4, 2.0)


@pytest.mark.parametrize("patience", [0, 1])
def test_the_first_epoch_never_stops(patience):
    assert epochs_run(EarlyStopping("loss", patience=patience), loss=[NAN, NAN, 1.0])[0] == 2


def test_a_second_training_starts_anew():
    callback, model = EarlyStopping("loss", patience=1, restore_best_weights=True), FakeModel()
    model.fit(callback, loss=[1.0, 2.0])
    model.stop_training = False
    assert len(model.fit(callback, loss=[5.0, 4.0, 6.0, 7.0]).epoch) == 3


@pytest.mark.parametrize(
    ("monitor", "mode", "figures", "epochs"),
    [
        ("val_loss", "auto", [3, 2, 1, 2], 4),
        ("head_loss", "auto", [3, 2, 1, 2], 4),
        ("val_accuracy", "auto", [1, 2, 3, 2], 4),
        ("head_precision", "auto", [1, 2, 3, 2], 4),
        ("val_mse", "auto", [3, 2, 1, 2], 4),
        ("anything", "max", [1, 2, 3, 2], 4),
        ("val_accuracy", "min", [1, 2, 3, 2], 2),
    ],
)
def test_the_direction_follows_the_mode_or_the_figure(monitor, mode, figures, epochs):
    assert epochs_run(EarlyStopping(monitor, mode=mode), **{monitor: figures})[0] == epochs


def test_the_direction_of_the_models_own_metrics():
    model = FakeModel("mse")
    model.metrics[0].name = "badness"
    assert len(model.fit(EarlyStopping("val_badness"), val_badness=[3.0, 2.0, 1.0, 2.0]).epoch) == 4
    with pytest.raises(ArgumentError, match="mode='max'"):
        FakeModel().fit(EarlyStopping("val_badness"), val_badness=[3.0, 2.0])


@pytest.mark.parametrize(
    "callback",
    [EarlyStopping(), ModelCheckpoint("x.keras", save_best_only=True), ReduceLROnPlateau()],
    ids=lambda callback: type(callback).__name__,
)
def test_a_missing_figure_is_one_error_that_names_those_there_are(callback, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match="'val_loss' to monitor; there are loss, accuracy; pass validation data"):
        FakeModel().fit(callback, loss=[1.0], accuracy=[0.5])
    assert not list(tmp_path.iterdir())


def test_an_unknown_mode_is_refused():
    with pytest.raises(ArgumentError, match="EarlyStopping: mode must be one of 'auto', 'min', 'max'"):
        EarlyStopping(mode="best")


def test_verbose_says_what_is_done(capsys):
    model = FakeModel()
    model.fit(EarlyStopping("loss", verbose=1, restore_best_weights=True), loss=[1.0, 2.0, 3.0])
    assert capsys.readouterr().out == "Epoch 2: early stopping\nRestoring the weights of epoch 1\n"


# Checkpoints


def test_saves_every_epoch_under_a_name_made_of_its_figures(tmp_path):
    model = FakeModel()
    model.fit(ModelCheckpoint(tmp_path / "new" / "{epoch:02d}-{val_loss:.2f}.keras"), val_loss=[2.345, 3.0])
    assert model.saved == ["01-2.35.keras", "02-3.00.keras"]
    assert (tmp_path / "new" / "02-3.00.keras").read_text() == "model 2"


def test_saves_only_the_best(tmp_path):
    model, path = FakeModel(), tmp_path / "best.h5"
    callback = ModelCheckpoint(path, monitor="accuracy", save_best_only=True)
    model.fit(callback, accuracy=[NAN, 0.5, 0.4, 0.7, 0.7])
    assert (len(model.saved), path.read_text(), callback.best) == (2, "model 4", 0.7)


def test_the_first_save_has_to_beat_the_threshold(tmp_path):
    model = FakeModel()
    path = tmp_path / "{epoch}.keras"
    model.fit(ModelCheckpoint(path, "loss", save_best_only=True, initial_value_threshold=1.0), loss=[2.0, 0.5, 0.7])
    assert model.saved == ["2.keras"]


def test_saves_weights_alone(tmp_path):
    path = tmp_path / "best.weights.h5"
    FakeModel().fit(ModelCheckpoint(path, save_weights_only=True), loss=[1.0])
    assert path.read_text() == "weights 1"


def test_saves_after_a_number_of_batches(tmp_path):
    model = FakeModel()
    model.fit(ModelCheckpoint(tmp_path / "{epoch}.keras", save_freq=4), batches=3, loss=[1.0, 1.0, 1.0])
    assert model.saved == ["2.keras", "3.keras"]


@pytest.mark.parametrize(
    ("path", "weights_only", "ending"),
    [
        ("best.h5", True, ".weights.h5"),
        ("best.weights.h5", False, ".keras or .h5"),
        ("best.pt", False, ".keras or .h5"),
    ],
)
def test_endings_that_the_writer_does_not_know_are_refused(path, weights_only, ending):
    with pytest.raises(ArgumentError, match=f"must end in {ending}; it is {path}"):
        ModelCheckpoint(path, save_weights_only=weights_only)


@pytest.mark.parametrize("field", ["{val_loss:.2f}", "{}", "{loss:d}", "{loss.foo}", "{loss[0]}"])
def test_a_field_that_cannot_be_filled_in_is_named(tmp_path, field):
    with pytest.raises(ArgumentError, match=r"cannot be filled in.*there are epoch, loss"):
        FakeModel().fit(ModelCheckpoint(tmp_path / f"{field}.keras"), loss=[1.0])
    assert not list(tmp_path.iterdir())


# Plateaus


def rates(callback, **figures):
    """The learning rate of every epoch."""
    return FakeModel().fit(callback, **figures).history["learning_rate"]


def test_the_rate_falls_after_patience_epochs_without_improvement():
    callback = ReduceLROnPlateau("loss", factor=0.5, patience=2)
    assert rates(callback, loss=[2, 1, 1, 1, 1, 1, 1]) == [0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.025]


def test_after_a_fall_the_cooldown_is_waited_for():
    callback = ReduceLROnPlateau("loss", factor=0.5, patience=1, cooldown=2)
    assert rates(callback, loss=[1, 1, 1, 1, 1]) == [0.1, 0.1, 0.05, 0.05, 0.025]


def test_the_rate_does_not_fall_below_its_least():
    callback = ReduceLROnPlateau("loss", factor=0.1, patience=1, min_lr=0.05)
    assert rates(callback, loss=[1, 1, 1, 1]) == [0.1, 0.1, 0.05, 0.05]


def test_a_factor_that_would_not_lower_the_rate_is_refused():
    with pytest.raises(ArgumentError, match="factor"):
        ReduceLROnPlateau(factor=1.0)


def test_weights_that_are_restored_do_not_share_memory():
    model = FakeModel()
    callback = EarlyStopping("loss", restore_best_weights=True)
    model.fit(callback, loss=[1.0])
    model.weight += 10
    np.testing.assert_array_equal(callback.best_weights, [[1.0]])
