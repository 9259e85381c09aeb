"""Figures of a training for TensorBoard, in bytes that TensorBoard's own writer gives, and for MLflow."""

import struct
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from minicnn.callbacks import BackupAndRestore, LambdaCallback, MLflow, TensorBoard
from minicnn.callbacks.event_file import VERSION, EventFile, _text, crc32c, event, masked, record, scalars
from minicnn.errors import ArgumentError, FileAccessError, MissingExtraError
from minicnn.layers import Dense, Input
from minicnn.models import Sequential

pytestmark = pytest.mark.numpy_only

# tensorboard 2.21's RecordWriter, for the same events
WRITTEN = {
    "scalars": (
        "3200000000000000241956ec09000000000000f83f10ac022a240a110a0a65706f63685f6c6f7373150000803e0a0f0a0865706f"
        "63685f663115000000c0a52945e0"
    ),
    "version": ("1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c"),
}


def fit(*callbacks, epochs=2):
    """Three batches an epoch, with validation."""
    model = Sequential([Input((2,)), Dense(1)])
    model.compile("sgd", "mse", ["mae"])
    x, y = np.ones((6, 2)), np.ones((6, 1))
    return model.fit(x, y, 2, epochs, verbose=0, callbacks=list(callbacks), validation_data=(x, y)).history


def read(folder):
    """{tag: [(step, value)]} of the one event file of a folder, every CRC checked."""
    (path,) = folder.iterdir()
    data, found = path.read_bytes(), {}
    while data:
        length = struct.unpack("<Q", data[:8])[0]
        body = data[12 : 12 + length]
        assert struct.unpack("<II", data[8:12] + data[12 + length : 16 + length]) == tuple(
            masked(crc32c(part)) for part in (data[:8], body)
        )
        fields = dict(parsed(body))
        for _, value in parsed(fields.get(5, b"")):
            named = dict(parsed(value))
            found.setdefault(named[1].decode(), []).append((fields[2], struct.unpack("<f", named[2])[0]))
        data = data[16 + length :]
    return found


def parsed(message):
    """(number, value) of the fields of a message in protocol buffers' wire format."""
    place = 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place, value, shift = place + 1, value | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                return value

    while place < len(message):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            yield number, varint()
            continue
        size = {1: 8, 5: 4}.get(kind) or varint()
        yield number, message[place : place + size]
        place += size


def test_records_are_those_of_tensorboard():
    assert record(event(1.5, *scalars({"epoch_loss": 0.25, "epoch_f1": -2.0}, 300))).hex() == WRITTEN["scalars"]
    assert record(event(1.5, _text(3, VERSION))).hex() == WRITTEN["version"]


def test_a_figure_that_32_bits_cannot_hold_is_infinite(tmp_path):
    EventFile(tmp_path).add({"large": 1e39, "low": -1e300}, 1)
    assert read(tmp_path) == {"large": [(1, np.inf)], "low": [(1, -np.inf)]}


def test_figures_of_epochs_lie_where_keras_puts_them(tmp_path):
    history = fit(TensorBoard(tmp_path / "logs"))
    trained, judged = read(tmp_path / "logs" / "train"), read(tmp_path / "logs" / "validation")
    assert set(trained) == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}
    assert set(judged) == {"epoch_loss", "epoch_mae"}
    assert trained["epoch_loss"] == [(i, pytest.approx(value, rel=1e-6)) for i, value in enumerate(history["loss"])]
    assert judged["epoch_mae"] == [(i, pytest.approx(value, rel=1e-6)) for i, value in enumerate(history["val_mae"])]


def test_figures_of_every_second_batch(tmp_path):
    fit(TensorBoard(tmp_path, update_freq=2))
    assert [step for step, _ in read(tmp_path / "train")["batch_loss"]] == [2, 4, 6]


def test_a_training_that_goes_on_counts_its_batches_on(tmp_path):
    first = TensorBoard(tmp_path / "first", update_freq=2)
    fit(first, epochs=1)
    second = TensorBoard(tmp_path / "second", update_freq=2)
    go_on = LambdaCallback(on_train_begin=lambda logs: second.load_state(first.state()))
    fit(second, go_on, epochs=1)
    assert [step for step, _ in read(tmp_path / "second" / "train")["batch_loss"]] == [4, 6]


def test_tensorboard_reads_it(tmp_path):
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    history = fit(TensorBoard(tmp_path, update_freq="batch"))
    found = loader.EventAccumulator(str(tmp_path / "train")).Reload()
    assert [scalar.value for scalar in found.Scalars("epoch_loss")] == pytest.approx(history["loss"], rel=1e-6)
    assert len(found.Scalars("batch_loss")) == 6


def test_what_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileAccessError, match=r"TensorBoard: .* cannot be written"):
        fit(TensorBoard(tmp_path / "file"))
    with pytest.raises(ArgumentError, match="update_freq must be a whole number of at least 1; it is 'step'"):
        TensorBoard(update_freq="step")


def test_a_disk_that_is_full_ends_the_figures_and_not_the_training(tmp_path, monkeypatch):
    full = LambdaCallback(
        on_epoch_end=lambda epoch, logs: epoch == 1 and monkeypatch.setattr(EventFile, "_add", refuse)
    )

    def refuse(self, data):
        raise FileAccessError(f"TensorBoard: {self.path} cannot be written (No space left on device)")

    with pytest.warns(UserWarning, match=r"No space left on device\): training goes on without") as warned:
        history = fit(full, TensorBoard(tmp_path), epochs=4)
    assert (len(history["loss"]), len(warned)) == (4, 1)
    assert len(read(tmp_path / "train")["epoch_loss"]) == 1


class FakeMLflow(SimpleNamespace):
    """What of MLflow is called, and with what."""

    def __getattr__(self, name):
        return lambda *arguments, **options: self.calls.append((name, arguments, options))


@pytest.fixture
def fake_mlflow(monkeypatch):
    fake = FakeMLflow(calls=[])
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    return fake


def test_mlflow_gets_choices_and_figures_in_a_run_of_the_training(fake_mlflow):
    history = fit(MLflow("first", params={"base": "net"}))
    begin, logged, _, last, end = fake_mlflow.calls
    assert begin == ("start_run", (), {"run_name": "first", "nested": True})
    params = logged[1][0]
    assert (params["base"], params["epochs"], params["optimizer"], params["weights"]) == ("net", 2, "SGD", 3)
    assert last[1][0]["val_mae"] == history["val_mae"][1]
    assert (last[0], last[2]) == ("log_metrics", {"step": 1})
    assert end == ("end_run", ("FINISHED",), {})


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_run_of_a_training_that_fails_ends_as_failed(fake_mlflow, error):
    def fail(epoch, logs):
        raise error

    callback = MLflow()
    with pytest.raises(error):
        fit(callback, LambdaCallback(on_epoch_end=fail))
    assert [call[:2] for call in fake_mlflow.calls[::3]] == [("start_run", ()), ("end_run", ("FAILED",))]
    fit(callback)
    assert [name for name, _, _ in fake_mlflow.calls[4:]] == [name for name, _, _ in fake_mlflow.calls[:3]] + [
        "log_metrics",
        "end_run",
    ]


def test_a_training_that_is_read_from_its_checkpoint_has_no_run(fake_mlflow, tmp_path):
    for calls in (5, 5):
        fit(MLflow(), BackupAndRestore(tmp_path, delete_checkpoint=False))
        assert len(fake_mlflow.calls) == calls


def test_mlflow_itself_keeps_them(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # its other store needs more packages
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    history = fit(MLflow("first"))
    (run,) = mlflow.search_runs(output_format="list")
    assert run.data.metrics["loss"] == pytest.approx(history["loss"][-1])
    assert run.info.status == "FINISHED"


def test_mlflow_takes_the_stages_of_a_training_within_one_run(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    with mlflow.start_run(run_name="both") as both:
        for stage, epochs in (("head", 1), ("fine-tuning", 3)):
            fit(MLflow(stage), epochs=epochs)
        with pytest.raises(ZeroDivisionError):
            fit(MLflow("third"), LambdaCallback(on_epoch_end=lambda epoch, logs: 1 // 0))
        assert mlflow.active_run().info.run_id == both.info.run_id
    runs = {run.info.run_name: run for run in mlflow.search_runs(output_format="list")}
    assert {name: (run.data.params.get("epochs"), run.info.status) for name, run in runs.items()} == {
        "both": (None, "FINISHED"),
        "head": ("1", "FINISHED"),
        "fine-tuning": ("3", "FINISHED"),
        "third": ("2", "FAILED"),
    }
    assert runs["head"].data.tags["mlflow.parentRunId"] == both.info.run_id


def test_without_mlflow_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r"needs mlflow-skinny, .* pip install mlflow-skinny"):
        MLflow()
