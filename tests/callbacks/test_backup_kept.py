"""What a training that is taken up again remembers: callbacks, the best, the last, its end."""

import re

import numpy as np
import pytest
from training_cases import OPTIONS, STEPS, X, Y, files, fit, make, same

from minicnn import callbacks, training
from minicnn.callbacks import BackupAndRestore, Callback, CSVLogger, EarlyStopping, LambdaCallback, TensorBoard
from minicnn.errors import ArgumentError, FileAccessError, GraphError, WeightsMismatchError
from minicnn.layers import Dense, Input
from minicnn.metrics import Metric
from minicnn.models import Sequential
from minicnn.optimizers import SGD
from minicnn.training import folder as folder_module

pytestmark = pytest.mark.numpy_only


def test_callbacks_go_on_with_what_they_remember(tmp_path):
    def run(folder, stop=None):
        others = [
            EarlyStopping("val_loss", patience=1, restore_best_weights=True),
            callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1.0),
            CSVLogger(tmp_path / "log.csv"),
            callbacks.ModelCheckpoint(tmp_path / "best.weights.h5", save_best_only=True, save_weights_only=True),
        ]
        model = make(SGD(0.5))
        return model, fit(model, folder, *others, stop=stop, epochs=8)

    expected, history = run(tmp_path / "whole")
    assert 1 < len(history.epoch) < 8
    log, best = (tmp_path / "log.csv").read_text(), make()
    best.load_weights(tmp_path / "best.weights.h5")
    for stop in (STEPS + 2, len(history.epoch) * STEPS):
        folder = tmp_path / str(stop)
        run(folder, (stop,))
        model, again = run(folder)
        assert again.history == history.history
        assert same(model, expected)
        assert (tmp_path / "log.csv").read_text() == log
        model.load_weights(tmp_path / "best.weights.h5")
        assert same(model, best)


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1), (0, 1)])
def test_who_only_tells_may_come_and_go(tmp_path, whole, first, second):
    def logs(count):
        return [TensorBoard(tmp_path / f"logs{i}", update_freq=1) for i in range(count)]

    fit(make(), tmp_path / "kept", *logs(first), stop=(STEPS + 2,))
    model = make()
    fit(model, tmp_path / "kept", *logs(second))
    assert same(model, whole[0])


def test_a_callback_of_a_user_may_have_a_state(tmp_path):
    class Count(Callback):
        count = 0

        def on_train_begin(self, logs=None):
            self.count = 0

        def on_train_batch_end(self, batch, logs=None):
            self.count += 1

        def state(self):
            return {"count": self.count}

        def load_state(self, state):
            self.count = state["count"]

    fit(make(), tmp_path, Count(), stop=(7,))
    count = Count()
    fit(make(), tmp_path, count)
    assert count.count == 3 * STEPS


def test_an_epoch_that_goes_on_is_told_to_those_without_a_state(tmp_path, capsys):
    def run(stop=None):
        told = LambdaCallback(on_epoch_begin=lambda epoch, logs: epochs.append(epoch))
        rate = callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5, verbose=1)
        fit(make(SGD(0.8)), tmp_path, told, rate, stop=stop)

    epochs = []
    run((STEPS + 3,))
    run()
    assert epochs == [0, 1, 1, 2]
    assert capsys.readouterr().out == "".join(f"Epoch {n}: learning rate {0.8 / 2**n:g}\n" for n in (1, 2, 3))


def test_an_attribute_named_state_is_no_state(tmp_path):
    class Busy(Callback):
        state = "busy"

    callback, stop = LambdaCallback(), EarlyStopping("loss", patience=9)
    callback.state = stop.state = "busy"
    assert len(fit(make(), tmp_path, callback, stop, Busy()).epoch) == 3


def test_what_cannot_be_kept_is_refused_before_training(tmp_path):
    class Odd(Callback):
        def state(self):
            return {"seen": {1, 2}}

    class OddMetric(Metric):
        def reset_state(self):
            self.seen = set()

    model = make()
    before = model.get_weights()[0]
    with pytest.raises(ArgumentError, match=r"fit\.callbacks\[\d\]\[1\]\.seen is set, which cannot be kept"):
        fit(model, tmp_path, Odd())
    with pytest.raises(ArgumentError, match=r"fit\.metrics\[0\]\.seen is set"):
        fit(make(metrics=[OddMetric("odd")]), tmp_path)
    other = Sequential([Input((2,)), Dense(1)])
    model.optimizer.build(other.weights)
    with pytest.raises(GraphError, match="has state of weights of another model"):
        fit(model, tmp_path)
    assert (model.get_weights()[0] == before).all()
    with pytest.raises(ArgumentError, match="one BackupAndRestore keeps all there is; there are 2"):
        fit(make(), tmp_path, BackupAndRestore(tmp_path / "other"))


# The end of a training


def test_a_training_that_is_over_is_read_when_it_is_kept(tmp_path, whole, capsys):
    def run(**options):
        model = make()
        return model, fit(model, tmp_path, backup=BackupAndRestore(tmp_path, delete_checkpoint=False), **options)

    run()
    assert files(tmp_path) == ["epoch00002-step000000.safetensors", "epoch00003-step000000.safetensors", "lock"]
    begun = LambdaCallback(on_train_batch_begin=pytest.fail)
    model = make()
    history = fit(model, tmp_path, begun, backup=BackupAndRestore(tmp_path, delete_checkpoint=False), verbose=2)
    assert re.fullmatch(
        r"nothing is left to train after 3 epochs \(.*3-step000000\.safetensors\)\n", capsys.readouterr().out
    )
    assert same(model, whole[0])
    assert history.history == whole[1].history
    longer, expected = run(epochs=5)[0], make()
    expected.fit(X, Y, **{**OPTIONS, "epochs": 5})
    assert same(longer, expected), "more epochs go on from there"


def test_a_training_that_a_callback_ended_stays_so(tmp_path):
    def run(**options):
        model, stop = make(), EarlyStopping("loss", patience=0, min_delta=9.0, restore_best_weights=True)
        return model, fit(model, tmp_path, stop, backup=BackupAndRestore(tmp_path, delete_checkpoint=False), **options)

    expected, history = run()
    assert history.epoch == [0, 1]
    again, longer = run(epochs=9)
    assert longer.history == history.history
    assert same(again, expected)


def test_stages_follow_each_other_with_a_folder_for_each(tmp_path):
    def run(folder, stop=None):
        model = make()
        backup = BackupAndRestore(folder / "1", delete_checkpoint=False)
        fit(model, folder, backup=backup, stop=stop if stop and stop[0] < 100 else None)
        model.layers[0].trainable = False
        model.compile(SGD(0.01), "sparse_categorical_crossentropy")
        fit(model, folder, backup=BackupAndRestore(folder / "2", 1, delete_checkpoint=False),
            stop=(stop[0] - 100,) if stop else None)  # fmt: skip
        return model

    expected = run(tmp_path / "whole")
    run(tmp_path / "kept", (107,))
    assert same(run(tmp_path / "kept"), expected)


# What is kept


def test_the_last_ones_and_the_best_are_kept(tmp_path):
    values = iter([3.0, 1.0, 2.0, 2.5, 2.6])
    figure = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(figure=next(values)))
    weights = {}
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: weights.update({epoch: model.get_weights()}))
    backup = BackupAndRestore(tmp_path, "epoch", delete_checkpoint=False, keep=2, monitor="figure", mode="min")
    model = make()
    fit(model, tmp_path, figure, note, backup=backup, epochs=5)
    assert files(tmp_path)[:-1] == [f"epoch0000{n}-step000000.safetensors" for n in (2, 4, 5)]
    other = make()
    assert training.load_weights(other, tmp_path, best=True).name == "epoch00002-step000000.safetensors"
    assert all((a == b).all() for a, b in zip(other.get_weights(), weights[1]))
    assert training.load_weights(other, tmp_path).name == "epoch00005-step000000.safetensors"
    assert same(other, model)
    assert other.optimizer.iterations == 0


def test_with_a_number_of_steps_the_best_epoch_is_kept_too(tmp_path):
    backup = BackupAndRestore(tmp_path, 1000, delete_checkpoint=False, monitor="val_loss")
    history = fit(make(), tmp_path, backup=backup)
    best = int(np.argmin(history.history["val_loss"])) + 1
    assert {f"epoch0000{n}-step000000.safetensors" for n in (best, 3)} < set(files(tmp_path))
    with pytest.raises(ArgumentError, match="BackupAndRestore: there is no figure 'val_los' to monitor"):
        fit(make(), tmp_path, backup=BackupAndRestore(tmp_path / "other", monitor="val_los"))


def test_one_checkpoint_alone_where_it_is_asked_for(tmp_path):
    fit(make(), tmp_path, backup=BackupAndRestore(tmp_path, 1, double_checkpoint=False, delete_checkpoint=False))
    assert files(tmp_path) == ["epoch00003-step000000.safetensors", "lock"]


def watching(values):
    """A figure with these values, after each epoch."""
    return LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(figure=values[epoch]))


def keep_best(folder, save_freq):
    return BackupAndRestore(folder, save_freq, delete_checkpoint=False, monitor="figure", mode="min")


def best_in(folder):
    return training.load_weights(make(), folder, best=True).name


def test_the_best_is_right_when_training_goes_on(tmp_path):
    figure = watching([3.0, 1.0, 2.0, 2.5, 2.6])
    fit(make(), tmp_path, figure, backup=keep_best(tmp_path, "epoch"), epochs=5, stop=(3 * STEPS + 2,))
    assert best_in(tmp_path) == "epoch00002-step000000.safetensors"
    fit(make(), tmp_path, figure, backup=keep_best(tmp_path, "epoch"), epochs=5)
    assert files(tmp_path)[:-1] == [f"epoch0000{n}-step000000.safetensors" for n in (2, 4, 5)]
    assert best_in(tmp_path) == "epoch00002-step000000.safetensors"


def test_the_best_of_one_figure_is_not_that_of_another(tmp_path):
    fit(make(), tmp_path, watching([1.0, 2.0]), backup=keep_best(tmp_path, "epoch"), epochs=2)
    unwatched = BackupAndRestore(tmp_path, delete_checkpoint=False)
    fit(make(), tmp_path, watching([None, None, 3.0]), backup=unwatched, epochs=3)
    assert best_in(tmp_path) == "epoch00001-step000000.safetensors"
    other = BackupAndRestore(tmp_path, delete_checkpoint=False, monitor="figure", mode="max")
    fit(make(), tmp_path, watching([None] * 3 + [0.5, 0.4, 0.3]), backup=other, epochs=6)
    assert best_in(tmp_path) == "epoch00004-step000000.safetensors"


def test_a_best_that_is_no_longer_there_is_beaten_by_the_next(tmp_path):
    fit(make(), tmp_path, watching([3.0, 1.0]), backup=keep_best(tmp_path, 2), stop=(2 * STEPS + 1,))
    assert files(tmp_path)[:-1] == ["epoch00001-step000005.safetensors", "epoch00002-step000000.safetensors"]
    (tmp_path / "epoch00002-step000000.safetensors").write_bytes(b"")  # the one before it knows of one that is removed
    with pytest.warns(UserWarning, match="the one before it is taken"):
        fit(make(), tmp_path, watching([None, 3.5, 4.0]), backup=keep_best(tmp_path, 2))
    assert best_in(tmp_path) == "epoch00002-step000000.safetensors"


def test_a_best_that_could_not_be_written_is_none(tmp_path, monkeypatch):
    write = folder_module.write_state

    def full(path, state):
        if "epoch00002" in path.name:
            raise FileAccessError(f"{path} cannot be written (No space left on device)")
        write(path, state)

    monkeypatch.setattr(folder_module, "write_state", full)
    with pytest.warns(UserWarning, match="no checkpoint: .*No space left"):
        fit(make(), tmp_path, watching([3.0, 1.0, 2.0, 2.5, 2.6]), backup=keep_best(tmp_path, "epoch"), epochs=5)
    assert files(tmp_path)[:-1] == [f"epoch0000{n}-step000000.safetensors" for n in (3, 4, 5)]
    assert best_in(tmp_path) == "epoch00003-step000000.safetensors"


def test_callbacks_that_only_tell_may_come_and_go(tmp_path, whole):
    def tellers(*names):
        made = {"board": callbacks.TensorBoard(tmp_path / "logs"), "table": CSVLogger(tmp_path / "log.csv")}
        return [made[name] for name in names]

    fit(make(), tmp_path / "run", *tellers("board"), stop=(7,))
    fit(make(), tmp_path / "run", *tellers("table"), stop=(2,))
    model = make()
    fit(model, tmp_path / "run", *tellers("table", "board"))
    assert same(model, whole[0])
    assert [row.split(",")[0] for row in (tmp_path / "log.csv").read_text().split()] == ["epoch", "1", "2"]
    fit(make(), tmp_path / "other", *tellers("board"), stop=(7,))
    with pytest.raises(WeightsMismatchError, match="with callbacks "):
        fit(make(), tmp_path / "other", EarlyStopping("loss", patience=9))
