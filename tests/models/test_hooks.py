"""The hooks of callbacks in fit, evaluate and predict: their order and logs are those that Keras 3.15 gives."""

import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from minicnn import layers as L
from minicnn.callbacks import Callback, History, LambdaCallback
from minicnn.callbacks.callback import HOOKS
from minicnn.errors import ArgumentError
from minicnn.models import Model, Sequential

pytestmark = [pytest.mark.numpy_only, pytest.mark.no_jit]
X, Y = np.ones((4, 3), np.float32), np.zeros((4, 2), np.float32)
TRAINED, VALIDATED = "loss mae", "loss mae val_loss val_mae"
# What Keras records for fit(X, Y, epochs=2, batch_size=2, validation_data=(X, Y), validation_batch_size=3,
# validation_freq=2): each hook, its number, and the names in its logs.
FIT = [
    ("on_train_begin", ""),
    ("on_epoch_begin", 0, ""),
    ("on_train_batch_begin", 0, ""),
    ("on_train_batch_end", 0, TRAINED),
    ("on_train_batch_begin", 1, ""),
    ("on_train_batch_end", 1, TRAINED),
    ("on_epoch_end", 0, TRAINED),
    ("on_epoch_begin", 1, ""),
    ("on_train_batch_begin", 0, ""),
    ("on_train_batch_end", 0, TRAINED),
    ("on_train_batch_begin", 1, ""),
    ("on_train_batch_end", 1, TRAINED),
    ("on_test_begin", ""),
    ("on_test_batch_begin", 0, ""),
    ("on_test_batch_end", 0, TRAINED),
    ("on_test_batch_begin", 1, ""),
    ("on_test_batch_end", 1, TRAINED),
    ("on_test_end", TRAINED),
    ("on_epoch_end", 1, VALIDATED),
    ("on_train_end", VALIDATED),
]
# For evaluate and predict with batch_size=3.
EVALUATE = FIT[12:18]
PREDICT = [
    ("on_predict_begin", ""),
    ("on_predict_batch_begin", 0, ""),
    ("on_predict_batch_end", 0, "outputs"),
    ("on_predict_batch_begin", 1, ""),
    ("on_predict_batch_end", 1, "outputs"),
    ("on_predict_end", ""),
]


class Recorder(Callback):
    """Notes every hook, the number it is called with, and the names in its logs."""

    def __init__(self):
        super().__init__()
        self.calls, self.logs = [], []
        for hook in HOOKS:
            if hook not in ("on_batch_begin", "on_batch_end"):
                setattr(self, hook, lambda *arguments, hook=hook: self.note(hook, *arguments))

    def note(self, hook, *arguments):
        self.calls.append((hook, *arguments[:-1], " ".join(sorted(arguments[-1]))))
        self.logs.append(arguments[-1])


def small() -> Sequential:
    model = Sequential([L.Input((3,)), L.Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_fit_calls_the_hooks_as_keras_does():
    recorder, model = Recorder(), small()
    model.fit(X, Y, epochs=2, batch_size=2, verbose=0, callbacks=recorder, validation_data=(X, Y),
              validation_batch_size=3, validation_freq=2)  # fmt: skip
    assert recorder.calls == FIT
    assert recorder.params == {"verbose": 0, "epochs": 2, "steps": 2}
    tested, ended = recorder.logs[17], recorder.logs[19]
    assert (ended["val_loss"], ended["val_mae"]) == (tested["loss"], tested["mae"])
    assert model.evaluate(X, Y) == pytest.approx(list(tested.values()))


def test_evaluate_calls_the_hooks_as_keras_does():
    recorder, model = Recorder(), small()
    figures = model.evaluate(X, Y, batch_size=3, callbacks=[recorder], return_dict=True)
    assert recorder.calls == EVALUATE
    assert recorder.model is model
    assert recorder.params == {"verbose": 0, "epochs": 1, "steps": 2}
    assert recorder.logs[2] == pytest.approx(model.evaluate(X[:3], Y[:3], return_dict=True))
    assert recorder.logs[-1] == figures


def test_predict_calls_the_hooks_as_keras_does():
    recorder, model = Recorder(), small()
    y = model.predict(X, batch_size=3, callbacks=recorder)
    assert recorder.calls == PREDICT
    assert recorder.params == {"verbose": 0, "epochs": 1, "steps": 2}
    np.testing.assert_array_equal(np.concatenate([recorder.logs[2]["outputs"], recorder.logs[4]["outputs"]]), y)


def test_several_outputs_reach_the_hook_as_a_list():
    x, recorder = L.Input((3,)), Recorder()
    Model(x, [L.Dense(2)(x), L.Dense(1)(x)]).predict(X, batch_size=3, callbacks=recorder)
    assert [array.shape for array in recorder.logs[4]["outputs"]] == [(1, 2), (1, 1)]


def test_a_callback_may_stop_an_evaluation_and_a_prediction():
    class Stop(Callback):
        def on_test_batch_end(self, batch, logs=None):
            self.model.stop_evaluating = True

        def on_predict_batch_end(self, batch, logs=None):
            self.model.stop_predicting = True

    recorder, model = Recorder(), small()
    model.evaluate(X, Y, batch_size=1, callbacks=[Stop(), recorder])
    assert model.predict(X, batch_size=1, callbacks=[Stop(), recorder]).shape == (1, 2)
    assert [call[0] for call in recorder.calls] == [
        *("on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end"),
        *("on_predict_begin", "on_predict_batch_begin", "on_predict_batch_end", "on_predict_end"),
    ]
    assert model.predict(X, batch_size=1).shape == (4, 2)


def test_every_hook_gets_logs():
    """A hook may be written without a default, as Keras always passes logs."""
    seen = []
    hooks = LambdaCallback(
        on_train_begin=lambda logs: seen.append(logs), on_epoch_begin=lambda epoch, logs: seen.append(logs)
    )
    small().fit(X, Y, verbose=0, callbacks=hooks)
    assert seen == [{}, {}]


@pytest.mark.parametrize("run", ["evaluate", "predict"])
def test_what_is_no_callback_is_refused(run):
    with pytest.raises(ArgumentError, match="callbacks: each must be an object"):
        getattr(small(), run)(X, **({"y": Y} if run == "evaluate" else {}), callbacks="History")


def test_a_history_is_of_use_to_fit_alone():
    history = History()
    small().evaluate(X, Y, callbacks=history)
    assert history.history == {}


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_progress_of_predict_and_evaluate(verbose, capsys):
    small().predict(X, batch_size=3, verbose=verbose)
    assert re.fullmatch(r"predict  \d+\.\d s  4 samples\n", capsys.readouterr().out)
    small().evaluate(X, Y, verbose=verbose)
    assert re.fullmatch(r"evaluate  \d+\.\d s  loss [\d.]+  mae [\d.]+\n", capsys.readouterr().out)


class Bar:
    """Stands for tqdm."""

    made: list["Bar"] = []  # noqa: RUF012

    def __init__(self, total, desc, **options):
        self.total, self.title, self.count, self.closed = total, desc, 0, False
        self.options, self.figures = options, {}
        self.made.append(self)

    def set_postfix(self, figures, refresh):
        self.figures = figures

    def update(self):
        self.count += 1

    def close(self):
        self.closed = True


def pretend_a_terminal(monkeypatch, tqdm):
    """Standard output is a terminal, for which tqdm is this module."""
    monkeypatch.setitem(sys.modules, "tqdm", tqdm)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(Bar, "made", [])


@pytest.mark.parametrize(("verbose", "bars"), [(1, 3), ("auto", 3), (2, 0), (0, 0)])
def test_a_bar_on_a_terminal(verbose, bars, monkeypatch, capsys):
    pretend_a_terminal(monkeypatch, SimpleNamespace(tqdm=Bar))
    small().fit(X, Y, batch_size=3, verbose=verbose)
    small().evaluate(X, Y, batch_size=3, verbose=verbose)
    small().predict(X, batch_size=3, verbose=verbose)
    found = [(bar.title, bar.total, bar.count, bar.closed) for bar in Bar.made]
    assert found == [(title, 2, 2, True) for title in ("epoch 1/1", "evaluate", "predict")][:bars]
    assert len(capsys.readouterr().out.splitlines()) == (0 if verbose == 0 else 3)


def test_a_bar_shows_the_figures_so_far_and_leaves_its_line_to_the_result(monkeypatch):
    pretend_a_terminal(monkeypatch, SimpleNamespace(tqdm=Bar))
    history = small().fit(X, Y, batch_size=3, verbose=1).history
    (bar,) = Bar.made
    assert bar.figures == {name: f"{history[name][0]:.4f}" for name in ("loss", "mae")}
    assert (bar.options["file"], bar.options["leave"]) == (sys.stdout, False)


def test_a_terminal_without_tqdm_gets_plain_lines(monkeypatch, capsys):
    pretend_a_terminal(monkeypatch, None)
    small().predict(X, batch_size=3, verbose=1)
    assert re.fullmatch(r"predict  \d+\.\d s  4 samples\n", capsys.readouterr().out)


@pytest.mark.parametrize("run", ["fit", "evaluate", "predict"])
def test_an_unknown_verbose_is_refused(run):
    with pytest.raises(ArgumentError, match=rf"{run}: verbose must be one of 'auto', 0, 1, 2; it is 'loud'"):
        getattr(small(), run)(X, **({} if run == "predict" else {"y": Y}), verbose="loud")
