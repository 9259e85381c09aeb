"""TensorBoard: the figures of a training as event files."""

import warnings
from pathlib import Path

import numpy as np

from minicnn.arguments import whole_number
from minicnn.callbacks.callback import Callback, Logs
from minicnn.callbacks.event_file import EventFile
from minicnn.errors import FileAccessError

TRAIN, VALIDATION = "train", "validation"


class TensorBoard(Callback):
    """Writes the figures of every epoch for `tensorboard --logdir logs`: scalars alone, no graphs, no pictures.

    As with Keras, figures of training lie in LOG_DIR/train and are called epoch_loss, epoch_accuracy ..., those of the
    validation data lie in LOG_DIR/validation under the same names; with a number for `update_freq`, those of batches
    are called batch_loss ... .  Neither TensorFlow nor TensorBoard is needed to write them.  Where they can no longer
    be written, as on a full disk, a warning says so, and training goes on without.

    Parameters
    ----------
    log_dir : folder; each training adds files of its own
    update_freq : "epoch", "batch", or a number of batches after which the means so far are written too

    Raises
    ------
    ArgumentError
        update_freq is neither.
    FileAccessError
        When training begins: the folder cannot be written.

    Examples
    --------
    >>> from minicnn.callbacks import TensorBoard
    >>> callback = TensorBoard("logs/first", update_freq=10)
    """

    only_tells = True

    def __init__(self, log_dir: str | Path = "logs", update_freq: str | int = "epoch"):
        super().__init__()
        self.log_dir = Path(log_dir)
        every = {"epoch": 0, "batch": 1}.get(str(update_freq))
        self._every = whole_number("TensorBoard", "update_freq", update_freq, 1) if every is None else every
        self._files: dict[str, EventFile] = {}
        self._steps, self._failed = 0, False

    def state(self) -> dict[str, int]:
        return {"steps": self._steps}

    def load_state(self, state: dict[str, int]) -> None:
        self._steps = state["steps"]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._files, self._steps, self._failed = {}, 0, False
        self._file(TRAIN)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._steps += 1
        if self._every and self._steps % self._every == 0:
            self._add(TRAIN, {f"batch_{name}": value for name, value in numbers(logs).items()}, self._steps)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        figures = numbers(logs)
        figures.setdefault("learning_rate", float(self.model.optimizer.learning_rate))
        judged = {name.removeprefix("val_"): value for name, value in figures.items() if name.startswith("val_")}
        trained = {name: value for name, value in figures.items() if not name.startswith("val_")}
        for part, values in ((TRAIN, trained), (VALIDATION, judged)):
            if values:
                self._add(part, {f"epoch_{name}": value for name, value in values.items()}, epoch)

    def _add(self, part: str, values: dict[str, float], step: int) -> None:
        """Figures to a file; none after one that failed, of which half may be there."""
        if self._failed:
            return
        try:
            self._file(part).add(values, step)
        except FileAccessError as error:
            self._failed = True
            warnings.warn(f"{error}: training goes on without", stacklevel=4)

    def _file(self, part: str) -> EventFile:
        if part not in self._files:
            self._files[part] = EventFile(self.log_dir / part)
        return self._files[part]


def numbers(logs: Logs | None) -> dict[str, float]:
    """The figures that are one number each."""
    return {name: float(value) for name, value in (logs or {}).items() if np.ndim(value) == 0}
