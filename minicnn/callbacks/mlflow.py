"""MLflow: the figures of a training in an experiment of MLflow."""

from types import ModuleType
from typing import Any

from minicnn.callbacks.callback import Callback, Logs
from minicnn.callbacks.tensorboard import numbers
from minicnn.errors import MissingExtraError


class MLflow(Callback):
    """Logs the figures of every epoch, and how the model is compiled, to MLflow.

    Into the run that is active, else into a new one that ends with the training.  Where it is kept, MLflow's own
    settings say: mlflow.set_tracking_uri, mlflow.set_experiment, or their environment variables.

    Parameters
    ----------
    run_name : what a new run is called; MLflow makes a name up for None
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

    def __init__(self, run_name: str | None = None, params: dict[str, Any] | None = None):
        super().__init__()
        self.run_name, self.chosen = run_name, dict(params or {})
        self._mlflow = _package()
        self._began = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._began = self._mlflow.active_run() is None
        if self._began:
            self._mlflow.start_run(run_name=self.run_name)
        optimizer = self.model.optimizer
        told = {"optimizer": type(optimizer).__name__, "model": self.model.name, "weights": self.model.count_params()}
        self._mlflow.log_params(told | self.params | self.chosen)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        figures = {"learning_rate": float(self.model.optimizer.learning_rate)} | numbers(logs)
        self._mlflow.log_metrics(figures, step=epoch)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self._began:
            self._mlflow.end_run()


def _package() -> ModuleType:
    try:
        import mlflow
    except ImportError:
        raise MissingExtraError("MLflow", "mlflow", "logging a training to it") from None
    return mlflow
