"""Ctrl-C during fit: the step is finished, the model stays usable, and it is said."""

import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from minicnn.callbacks import LambdaCallback
from minicnn.layers import Dense, Input
from minicnn.models import Sequential

PROGRAM = """
import signal
import time
import numpy as np
from minicnn.callbacks import Callback
from minicnn.layers import Dense, Input
from minicnn.models import Sequential

class Slow(Callback):
    def on_train_batch_end(self, batch, logs=None):
        print("step", batch, flush=True)
        time.sleep(0.02)

    def on_train_end(self, logs=None):
        print("train end", flush=True)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
model = Sequential([Input((3,)), Dense(2)])
model.compile("sgd", "mse")
before = model.get_weights()[0]
try:
    model.fit(np.ones((100_000, 3)), np.ones((100_000, 2)), batch_size=1, verbose=2, callbacks=[Slow()])
except KeyboardInterrupt:
    assert np.isfinite(model.predict(np.ones((2, 3)))).all()
    assert (model.get_weights()[0] != before).any()
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 2)))
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
try:
    print("usable", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("handler restored", flush=True)
"""


@pytest.mark.numpy_only
def test_ctrl_c():
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "step 0\n"
        process.send_signal(signal.SIGINT)
        lines = []
        while (line := process.stdout.readline()) and line != "usable\n":
            lines.append(line)
        assert lines[-1] == "train end\n"
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert out == "handler restored\n"
    assert error == "interrupted in epoch 1: the model keeps what it has learned\n"
    assert process.returncode == 0


@pytest.mark.parametrize("hook", ["on_test_batch_begin", "on_epoch_end", "on_train_end", "on_train_batch_end"])
@pytest.mark.parametrize("epochs", [1, 5])
def test_wherever_it_comes_it_ends_training_and_is_told(hook, epochs, capsys):
    calls = []

    def press(*_):
        if not calls:
            signal.raise_signal(signal.SIGINT)
        calls.append(hook)

    model = Sequential([Input((3,)), Dense(2)])
    model.compile("sgd", "mse")
    ends = []
    watch = [LambdaCallback(on_train_end=ends.append), LambdaCallback(**{hook: press})]
    x, y = np.ones((12, 3)), np.ones((12, 2))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, y, epochs=epochs, batch_size=4, verbose=2, validation_data=(x, y), callbacks=watch)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert (len(calls), len(ends)) == (1, 1)
    said = capsys.readouterr().err
    assert said == ("" if hook == "on_train_end" else "interrupted in epoch 1: the model keeps what it has learned\n")


def test_fit_in_another_thread_leaves_signals_alone():
    model = Sequential([Input((3,)), Dense(2)])
    model.compile("sgd", "mse")
    found, before = [], signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=lambda: found.append(model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)))
    thread.start()
    thread.join()
    assert len(found[0].history["loss"]) == 1
    assert signal.getsignal(signal.SIGINT) is before
