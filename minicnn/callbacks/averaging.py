"""SwapEMAWeights: measures the averaged weights while others are trained."""

from minicnn.callbacks.callback import Callback, Logs
from minicnn.errors import ArgumentError


class SwapEMAWeights(Callback):
    """Gives the model its optimizer's averaged weights while it is evaluated, and takes them back.

    Parameters
    ----------
    swap_on_epoch : swap at the end of an epoch and back at the beginning of the next as well, so that callbacks which
        come after this one, such as ModelCheckpoint, see the averages

    Raises
    ------
    ArgumentError
        In training: the optimizer was made without use_ema=True.

    Examples
    --------
    >>> from minicnn.callbacks import SwapEMAWeights
    >>> SwapEMAWeights().swap_on_epoch
    False
    """

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch

    def _show(self, averages: bool) -> None:
        """Have the averages in the model, or what is trained."""
        optimizer = self.model.optimizer
        if not optimizer.use_ema:
            raise ArgumentError(f"SwapEMAWeights: the optimizer {optimizer.name} must be made with use_ema=True")
        if averages != optimizer.averaged:
            optimizer.swap_averages()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._show(averages=False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._show(averages=self.swap_on_epoch)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._show(averages=True)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._show(averages=False)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._show(averages=True)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._show(averages=False)
