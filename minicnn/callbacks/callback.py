"""Callback: what training, evaluation and prediction call at their turning points."""

from collections.abc import Callable
from typing import Any, ClassVar

from minicnn.errors import ArgumentError

Logs = dict[str, Any]


class Callback:
    """Base class with Keras' hooks, which do nothing; a subclass overrides those that it wants.

    `model` and `params` ({"epochs", "steps", "verbose"}) are set before the first hook.  Setting
    `self.model.stop_training = True` ends `fit` after the batch or epoch; `stop_evaluating` and `stop_predicting` end
    `evaluate` and `predict` after the batch.  `logs` holds the figures so far; figures of the validation data begin
    with "val_".

    Examples
    --------
    >>> from minicnn.callbacks import Callback
    >>> class Announce(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"epoch {epoch + 1}: loss {logs['loss']:.2f}")
    >>> Announce().on_epoch_end(0, {"loss": 0.5})
    epoch 1: loss 0.50
    """

    only_tells: ClassVar[bool] = False  # it changes nothing: a training may go on with it or without it

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_model(self, model: Any) -> None:
        """Called once, before training."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called once, before training."""
        self.params = params

    def state(self) -> dict[str, Any]:
        """What this callback remembers from one hook to the next, as plain data: numbers, texts, lists, dicts, arrays.

        `BackupAndRestore` keeps it.  A callback that has this method also has `load_state`, and is not told again that
        an epoch begins when a training goes on in the middle of it.
        """
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on with what `state` returned; called after `on_train_begin`."""

    def abandon(self) -> None:
        """Training ends by an error: let go of what is held open.  Keras has no such method."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch; `logs` are those of its end."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch; they count from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation.  What is added to `logs` is seen by the callbacks after this one."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of on_train_batch_begin."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of on_train_batch_end."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a training step; batches count from 0 in each epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a training step; `logs` are the means over the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before an evaluation, that of validation data too."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After an evaluation; `logs` are those of its last batch."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of an evaluation; `logs` are the means so far."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of a prediction; `logs` are {"outputs": the array, or the list of arrays, of this batch}."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class LambdaCallback(Callback):
    """A callback made of functions: LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs)).

    Raises
    ------
    ArgumentError
        There is no such hook.
    """

    def __init__(self, **functions: Callable[..., Any] | None):
        super().__init__()
        for hook, function in functions.items():
            if hook not in HOOKS:
                raise ArgumentError(f"LambdaCallback: there is no hook {hook!r}; there are {', '.join(HOOKS)}")
            if function is not None:
                setattr(self, hook, function)
