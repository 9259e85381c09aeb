"""ModelCheckpoint: saves the model while it is trained."""

from pathlib import Path
from typing import Any

from minicnn.arguments import number
from minicnn.callbacks.callback import Logs
from minicnn.callbacks.monitor import MonitorCallback
from minicnn.errors import ArgumentError, FileAccessError


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after every epoch or whenever the monitored figure has become better.

    `model.save` and `model.save_weights` write beside the file and rename, so an older checkpoint stays whole if
    the program is killed meanwhile.

    Parameters
    ----------
    filepath : may hold the epoch, from 1, and figures: "{epoch:02d}-{val_loss:.2f}.keras"; its folder is made
    monitor, mode : see `MonitorCallback`
    verbose : 1 prints what is saved
    save_best_only : save only when the figure is the best so far
    save_weights_only : save weights alone; the file then ends in ".weights.h5"
    save_freq : "epoch", or a number of batches
    initial_value_threshold : the figure that the first save has to beat

    Raises
    ------
    ArgumentError
        The ending of filepath, or a figure in it, is not known.
    FileAccessError
        In training: its folder cannot be made, or the file not be written.

    Examples
    --------
    >>> from minicnn.callbacks import ModelCheckpoint
    >>> callback = ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True)
    """

    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode, baseline=initial_value_threshold)
        self.filepath = str(filepath)
        self.verbose, self.save_best_only, self.save_weights_only = verbose, save_best_only, save_weights_only
        every = 0 if save_freq == "epoch" else number("ModelCheckpoint", "save_freq", save_freq, "[1, inf)")
        self._every_batches = int(every)  # 0: after each epoch
        self._epoch = self._batches = 0
        if self._every_batches and save_best_only and monitor.startswith("val_"):
            raise ArgumentError(
                f"ModelCheckpoint: {monitor!r} is known at the end of an epoch, not after {save_freq} batches: monitor "
                "'loss', or save_freq='epoch'"
            )
        weights_file = self.filepath.endswith(".weights.h5")
        if not (weights_file if save_weights_only else self.filepath.endswith((".keras", ".h5")) and not weights_file):
            endings = ".weights.h5" if save_weights_only else ".keras or .h5"
            raise ArgumentError(
                f"ModelCheckpoint: with save_weights_only={save_weights_only}, filepath must end in {endings}; "
                f"it is {self.filepath}"
            )

    @property
    def watches(self) -> bool:
        return self.save_best_only

    def state(self) -> dict[str, Any]:
        return {"best": self.best, "epoch": self._epoch, "batches": self._batches}

    def load_state(self, state: dict[str, Any]) -> None:
        self.best, self._epoch, self._batches = state["best"], state["epoch"], state["batches"]

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        if self._every_batches and self._batches % self._every_batches == 0:
            self._save(logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch
        if not self._every_batches:
            self._save(logs or {})

    def _save(self, logs: Logs) -> None:
        """Save now, unless only the best is wanted and this is not."""
        epoch = self._epoch + 1
        if self.save_best_only:
            value = self.current(logs)
            if value is None or not self.improves(value, self.best):
                return
            self.best = value
        path = self._path(epoch, logs)
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileAccessError(f"ModelCheckpoint: {path} cannot be written ({error.strerror})") from error
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            print(f"Epoch {epoch}: saved {path}")

    def _path(self, epoch: int, logs: Logs) -> str:
        """filepath with its fields filled in."""
        try:
            return self.filepath.format(**{**logs, "epoch": epoch})
        except (KeyError, ValueError, IndexError, AttributeError, TypeError) as error:
            raise ArgumentError(
                f"ModelCheckpoint: {self.filepath} cannot be filled in ({error}); there are epoch, {', '.join(logs)}"
            ) from error
