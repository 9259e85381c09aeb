"""MLflow: the figures of a training in an experiment of MLflow."""

import contextlib
from types import ModuleType
from typing import Any

from minicnn.callbacks.callback import Callback, Logs
from minicnn.callbacks.tensorboard import numbers
from minicnn.errors import MissingExtraError


class MLflow(Callback):
    """Logs the figures of every epoch, and how the model is compiled, to MLflow.

    Each training has a run of its own, within the run that is active where one is: MLflow takes a choice but once in a
    run, and stages of a training have other ones.  It begins with the first epoch, and ends as FINISHED, or as FAILED
    by an error.  Where it is kept, MLflow's own settings say: mlflow.set_tracking_uri, mlflow.set_experiment, or their
    environment variables.

    Parameters
    ----------
    run_name : what the run is called; MLflow makes a name up for None
    params : more choices to log, {name: value}

    Raises
    ------
    MissingExtraError
        MLflow is not installed.

    Examples
    --------
    >>> from minicnn.callbacks import MLflow
    >>> callback = MLflow("head only", params={"base": "mobilenet"})     # doctest: +SKIP
    """

    only_tells = True

    def __init__(self, run_name: str | None = None, params: dict[str, Any] | None = None):
        super().__init__()
        self.run_name, self.chosen = run_name, dict(params or {})
        self._mlflow = _package()
        self._began = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self._began:
            return
        self._mlflow.start_run(run_name=self.run_name, nested=True)
        self._began = True
        optimizer = self.model.optimizer
        told = {"optimizer": type(optimizer).__name__, "model": self.model.name, "weights": self.model.count_params()}
        self._mlflow.log_params(told | self.params | self.chosen)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        figures = {"learning_rate": float(self.model.optimizer.learning_rate)} | numbers(logs)
        self._mlflow.log_metrics(figures, step=epoch)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._end("FINISHED")

    def abandon(self) -> None:
        with contextlib.suppress(Exception):  # what ended the training is to be seen
            self._end("FAILED")

    def _end(self, status: str) -> None:
        if self._began:
            self._began = False
            self._mlflow.end_run(status)


def _package() -> ModuleType:
    try:
        import mlflow
    except ImportError:
        raise MissingExtraError("mlflow-skinny", "mlflow", "logging a training to it") from None
    return mlflow
