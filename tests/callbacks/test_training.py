"""Callbacks that write a log, end a training gone wrong, or set the learning rate."""

import csv

import numpy as np
import pytest
from fake_model import FakeModel

from minicnn.callbacks import Callback, CSVLogger, LearningRateScheduler, TerminateOnNaN
from minicnn.errors import ArgumentError, FileAccessError, FileFormatError
from minicnn.schedules import ExponentialDecay

pytestmark = pytest.mark.numpy_only

# CSV log


def rows(path, separator=","):
    with path.open(newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def test_one_row_an_epoch(tmp_path):
    path = tmp_path / "log.csv"
    FakeModel().fit(CSVLogger(path), loss=[0.1, np.float32(0.5)], accuracy=[1, np.array([1, 2])])
    assert rows(path) == [["epoch", "accuracy", "loss"], ["0", "1", "0.1"], ["1", "[1, 2]", "0.5"]]


def test_every_row_is_on_disk_when_its_epoch_ends(tmp_path):
    path, lengths = tmp_path / "log.csv", []

    class Look(Callback):
        def on_epoch_end(self, epoch, logs=None):
            lengths.append(len(rows(path)))

    FakeModel().fit(CSVLogger(path), Look(), loss=[1.0, 1.0])
    assert lengths == [2, 3]
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_training_begins_a_new_file_unless_it_appends(tmp_path):
    path = tmp_path / "log.csv"
    for append, length in [(True, 3), (False, 3), (True, 5), (True, 7), (False, 3)]:
        FakeModel().fit(CSVLogger(path, append=append), loss=[1.0, 1.0])
        assert len(rows(path)) == length


def test_figures_may_come_and_go(tmp_path):
    path = tmp_path / "log.csv"
    callback = CSVLogger(path, ";")
    callback.on_train_begin()
    callback.on_epoch_end(0, {"loss": 1.0})
    callback.on_epoch_end(1, {"loss": 0.5, "val_loss": 2.0})
    assert rows(path, ";") == [["epoch", "loss", "val_loss"], ["0", "1.0", "NA"], ["1", "0.5", "2.0"]]
    FakeModel().fit(CSVLogger(path, ";", append=True), accuracy=[0.7])
    assert rows(path, ";")[0] == ["epoch", "loss", "val_loss", "accuracy"]
    assert rows(path, ";")[3] == ["0", "NA", "NA", "0.7"]


def test_a_file_that_cannot_be_written_is_refused_before_training(tmp_path):
    model = FakeModel()
    with pytest.raises(FileAccessError, match=r"log\.csv cannot be written"):
        model.fit(CSVLogger(tmp_path / "missing" / "log.csv"), loss=[1.0])
    assert model.weight[0] == 0


@pytest.mark.parametrize("content", ["name,size\ncat,3\n", "epoch,loss\n0,1,2,3\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_log_is_not_appended_to(tmp_path, content):
    path = tmp_path / "log.csv"
    content = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"CSVLogger: .*log\.csv is no log"):
        FakeModel().fit(CSVLogger(path, append=True), loss=[1.0])
    assert path.read_bytes() == content


# NaN


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), np.float32(-np.inf)])
def test_stops_at_the_first_loss_that_is_no_number(loss, capsys):
    history = FakeModel().fit(TerminateOnNaN(), batches=3, loss=[1.0, loss, 1.0])
    assert history.epoch == [0, 1]
    assert capsys.readouterr().out.startswith("Batch 0: the loss is")


# Learning rate


def test_the_schedule_sees_epoch_and_rate():
    callback = LearningRateScheduler(lambda epoch, rate: rate if epoch < 2 else rate / 2)
    assert FakeModel().fit(callback, loss=[1.0] * 4).history["learning_rate"] == [0.1, 0.1, 0.05, 0.025]


def test_the_schedule_may_depend_on_the_epoch_alone(capsys):
    for schedule in (lambda epoch: 0.4 * 0.5**epoch, ExponentialDecay(0.4, 1, 0.5)):
        history = FakeModel().fit(LearningRateScheduler(schedule, verbose=1), loss=[1.0] * 2)
        assert history.history["learning_rate"] == [0.4, 0.2]
        assert capsys.readouterr().out == "Epoch 1: learning rate 0.4\nEpoch 2: learning rate 0.2\n"


@pytest.mark.parametrize("rate", [None, "fast", -0.1, float("nan")])
def test_a_schedule_must_return_a_rate(rate):
    with pytest.raises(ArgumentError, match="the schedule's rate"):
        FakeModel().fit(LearningRateScheduler(lambda epoch: rate), loss=[1.0])
