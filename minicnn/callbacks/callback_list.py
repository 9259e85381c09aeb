"""CallbackList: many callbacks behind one."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from minicnn.callbacks.backup import BackupAndRestore, NoBackup
from minicnn.callbacks.callback import HOOKS, Callback, LambdaCallback, Logs
from minicnn.callbacks.history import History
from minicnn.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from minicnn.callbacks.monitor import MonitorCallback
from minicnn.errors import ArgumentError


class CallbackList(Callback):
    """A callback that passes every hook on to others, in order, with empty logs where none are given.

    With `add_history` a History that is not in the list yet is put at its end, where it sees what the others wrote
    into the logs.  `history` is the list's History, or None, and `backup` its BackupAndRestore or what
    stands for none.

    Raises
    ------
    ArgumentError
        Something in the list is not a Callback, or it has two BackupAndRestore.

    Examples
    --------
    >>> from minicnn.callbacks import CallbackList
    >>> callbacks = CallbackList(add_history=True, epochs=1)
    >>> callbacks.on_train_begin()
    >>> callbacks.on_epoch_end(0, {"loss": 0.5})
    >>> callbacks.history.history
    {'loss': [0.5]}
    """

    def __init__(
        self,
        callbacks: Iterable[Callback] | Callback | None = None,
        add_history: bool = False,
        model: Any = None,
        **params: Any,
    ):
        super().__init__()
        if isinstance(callbacks, CallbackList):
            callbacks = callbacks.callbacks
        self.callbacks = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise ArgumentError(
                    f"callbacks: each must be an object of a class derived from Callback; one is {callback!r}"
                )
        self.history = next((c for c in self.callbacks if isinstance(c, History)), None)
        backups = [c for c in self.callbacks if isinstance(c, BackupAndRestore)]
        if len(backups) > 1:
            raise ArgumentError(f"callbacks: one BackupAndRestore keeps all there is; there are {len(backups)}")
        self.backup = backups[0] if backups else NoBackup()
        if add_history and self.history is None:
            self.history = History()
            self.callbacks.append(self.history)
        self.set_model(model)
        self.set_params(params)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)

    def state(self) -> list[tuple[str, dict[str, Any]]]:  # type: ignore[override]
        """(name of the class, state) of each callback that has a state."""
        return [(type(callback).__name__, type(callback).state(callback)) for callback in self._with_state()]

    def load_state(self, state: list[tuple[str, dict[str, Any]]]) -> None:  # type: ignore[override]
        """Give each its state; one that only tells may have none, and states of such as are gone are left."""
        kept: dict[str, list[dict[str, Any]]] = {}
        for name, part in state:
            kept.setdefault(name, []).append(part)
        for callback in self._with_state():
            found = kept.get(type(callback).__name__, [])
            if found or not callback.only_tells:
                callback.load_state(found.pop(0))

    @property
    def deciding(self) -> list[str]:
        """Classes of those with a state that have a say in the training."""
        return [type(callback).__name__ for callback in self._with_state() if not callback.only_tells]

    def abandon(self) -> None:
        for callback in self.callbacks:
            callback.abandon()

    def begin_epoch_again(self, epoch: int) -> None:
        """Tell those that remember nothing of an epoch in which training goes on."""
        for callback in self.callbacks:
            if not _has_state(callback):
                callback.on_epoch_begin(epoch, {})

    def _with_state(self) -> list[Callback]:
        return [callback for callback in self.callbacks if _has_state(callback)]

    def expect(self, figures: Collection[str]) -> None:
        """Tell those that watch a figure which ones a training makes, before it changes anything.

        Raises
        ------
        ArgumentError
            One watches a figure that will never be there.
        """
        rates = (
            ["learning_rate"]
            if any(isinstance(c, LearningRateScheduler | ReduceLROnPlateau) for c in self.callbacks)
            else []
        )
        complete = all(
            type(c).__module__.startswith("minicnn.") and type(c) is not LambdaCallback for c in self.callbacks
        )
        for callback in self.callbacks:
            if isinstance(callback, MonitorCallback):
                callback.expect([*figures, *rates], complete)


def _has_state(callback: Callback) -> bool:
    """Whether its class has the method; others may have an attribute of this name."""
    state = type(callback).state
    return callable(state) and state is not Callback.state


def _forwarder(hook: str) -> Callable[..., None]:
    """The method that calls `hook` of each callback."""

    def forward(self: CallbackList, *number: int, logs: Logs | None = None) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, hook)(*number, logs)

    def forward_numbered(self: CallbackList, number: int, logs: Logs | None = None) -> None:
        forward(self, number, logs=logs)

    def forward_plain(self: CallbackList, logs: Logs | None = None) -> None:
        forward(self, logs=logs)

    return forward_numbered if "epoch" in hook or "batch" in hook else forward_plain


for _hook in HOOKS:
    setattr(CallbackList, _hook, _forwarder(_hook))
