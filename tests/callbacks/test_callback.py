"""Hooks, the list that passes them on, and callbacks made of functions."""

from typing import Any, cast

import pytest

from minicnn.callbacks import Callback, CallbackList, History, LambdaCallback
from minicnn.callbacks.callback import HOOKS
from minicnn.errors import ArgumentError

pytestmark = pytest.mark.numpy_only


class Recorder(Callback):
    """Notes the hooks that are called, with their arguments."""

    def __init__(self, calls: list[Any]):
        super().__init__()
        for hook in HOOKS:
            setattr(self, hook, lambda *arguments, hook=hook: calls.append((hook, *arguments)))


def test_the_hooks_are_those_of_keras():
    moments = ["on_train", "on_test", "on_predict", "on_train_batch", "on_test_batch", "on_predict_batch"]
    expected = [f"{moment}_{end}" for moment in [*moments, "on_epoch", "on_batch"] for end in ("begin", "end")]
    assert sorted(HOOKS) == sorted(expected)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_list_passes_every_hook_on_in_order(hook):
    calls: list[Any] = []
    callbacks = CallbackList([Recorder(calls), Callback(), Recorder(calls)])
    logs = {"loss": 1.0}
    arguments = (
        (logs,) if hook.removesuffix("_begin").removesuffix("_end")[3:] in ("train", "test", "predict") else (3, logs)
    )
    getattr(callbacks, hook)(*arguments)
    assert calls == [(hook, *arguments)] * 2
    assert calls[0][-1] is logs


def test_batch_hooks_have_a_second_name():
    class Old(Callback):
        seen: tuple = ()

        def on_batch_begin(self, batch, logs=None):
            self.seen += ("begin", batch)

        def on_batch_end(self, batch, logs=None):
            self.seen += ("end", batch, logs)

    old = Old()
    callbacks = CallbackList(old)
    callbacks.on_train_batch_begin(4, {})
    callbacks.on_train_batch_end(4, logs={"loss": 2})
    assert old.seen == ("begin", 4, "end", 4, {"loss": 2})


def test_model_and_params_reach_every_callback():
    one, two = Callback(), Callback()
    CallbackList([one, two], model="model", epochs=3, steps=5)
    assert one.model == two.model == "model"
    assert one.params == {"epochs": 3, "steps": 5}


def test_the_history_comes_last_and_is_found():
    def add(epoch, logs):
        logs["extra"] = epoch

    callbacks = CallbackList([LambdaCallback(on_epoch_end=add)], add_history=True)
    callbacks.on_train_begin()
    for epoch in range(2):
        callbacks.on_epoch_end(epoch, {"loss": 1.0})
    assert callbacks.history is callbacks.callbacks[-1]
    assert cast(History, callbacks.history).history == {"loss": [1.0, 1.0], "extra": [0, 1]}

    own = History()
    assert CallbackList(own, add_history=True).history is own
    assert CallbackList().history is None


def test_history_goes_on_over_a_second_training():
    history = History()
    for _ in range(2):
        history.on_train_begin()
        history.on_epoch_end(0, {"loss": 1.0})
    assert (history.epoch, history.history) == ([0], {"loss": [1.0, 1.0]})


@pytest.mark.parametrize("wrong", [print, Callback, "csv"])
def test_what_is_no_callback_is_refused(wrong):
    with pytest.raises(ArgumentError, match="derived from Callback"):
        CallbackList([wrong])


def test_lambda_callback_knows_its_hooks():
    seen = []
    LambdaCallback(on_train_end=seen.append, on_train_begin=None).on_train_end({"loss": 1})
    assert seen == [{"loss": 1}]
    with pytest.raises(ArgumentError, match=r"no hook 'on_epoch_finish'.*on_epoch_end"):
        LambdaCallback(on_epoch_finish=print)
