"""The learning-rate finder: one short training in which the rate climbs, to see which rates teach and which destroy."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.arguments import number, whole_number
from minicnn.callbacks import Callback
from minicnn.callbacks.callback import Logs
from minicnn.errors import ArgumentError, DataError, DivergedError
from minicnn.schedules import ExponentialDecay
from minicnn.transfer.fine_tuning import Augmented, Tail
from minicnn.transfer.freeze import flags_kept, leaf_layers
from minicnn.transfer.job import Job
from minicnn.transfer.policy import Policy, policy_of
from minicnn.transfer.rate_plot import rate_plot
from minicnn.transfer.tuning import job_of, split_of
from minicnn.weights.atomic import replacing

DIVERGED = 4.0  # times the smallest loss so far
KEPT = 0.9  # of the running mean of the losses
RISEN = 1.1  # times the smallest running mean: from there on the loss rises


@dataclass(frozen=True)
class RateRange:
    """
    What `find_learning_rate` saw.

    Attributes
    ----------
    rates, losses : float (S,)
        The rate of every step, and the running mean of the losses there.
    suggestion : float
        The highest rate before the loss rises by a tenth: the peak of a schedule that begins and ends with less.
    """

    rates: np.ndarray
    losses: np.ndarray
    suggestion: float

    def plot(self, path: str | Path) -> None:
        """Draw loss against rate into an .svg file.

        Raises
        ------
        ArgumentError, FileAccessError
            It is called otherwise, or cannot be written.
        """
        if Path(path).suffix.lower() != ".svg":
            raise ArgumentError(f"the plot is an .svg file; its name is {str(path)!r}")
        with replacing(Path(path)) as temporary:
            temporary.write_text(rate_plot(self.rates, self.losses, self.suggestion), encoding="utf-8")


def find_learning_rate(
    model: Any,
    data: Any,
    policy: Policy | None = None,
    *,
    weights: str | Path = "imagenet",
    device: str = "cpu",
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 100,
) -> RateRange:
    """
    Which `learning_rate` to give the policy of `finetune`, by a short training with rates from low to high.

    The head is trained first, as `finetune` does; then the unfrozen layers and the head make `steps` steps by the
    policy, at rates that grow by one factor, until the loss is four times the smallest.  The model is left as it was.

    Parameters
    ----------
    model, data, policy, weights, device
        As in `finetune`; the policy's own rate and schedule do not matter.
    lowest, highest, steps
        The rates from the first step to the last.

    Raises
    ------
    MinicnnError
        As `finetune`; and a policy that trains the head alone, which chooses its own rate.

    Source
    ------
    Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3.

    Examples
    --------
    >>> found = find_learning_rate("mobilenet", "photos")  # doctest: +SKIP
    >>> found.plot("rates.svg")  # doctest: +SKIP
    >>> result = finetune("mobilenet", "photos", Policy(learning_rate=found.suggestion))  # doctest: +SKIP
    """
    policy = policy_of(policy)
    if policy.unfreeze is None:
        raise ArgumentError("find_learning_rate: the policy trains the head alone, which needs no rate")
    number("find_learning_rate", "lowest", lowest, "(0, inf)")
    number("find_learning_rate", "highest", highest, f"({lowest}, inf)")
    whole_number("find_learning_rate", "steps", steps, 2)
    job = job_of(model, data, policy, weights, device)
    with flags_kept(leaf_layers(job.base.model)):
        return _after_the_head(job, lowest, highest, steps)


def _after_the_head(job: Job, lowest: float, highest: float, steps: int) -> RateRange:
    """Train the head of a job, and sweep over the rates of the layers below it."""
    features, tail, _ = job.features()
    assert tail is not None
    split = split_of(job)
    job.train_head(features, split)
    with tail.borrowed():
        return sweep(tail, split.train, job.policy, lowest, highest, steps)


def sweep(tail: Tail, train: np.ndarray, policy: Policy, lowest: float, highest: float, steps: int) -> RateRange:
    """Train a tail at rates from low to high; its weights are changed."""
    optimizer = tail.optimizer(policy, ExponentialDecay(lowest, steps - 1, highest / lowest))
    tail.compile(optimizer, policy)
    note = _Losses()
    quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
    with quiet, contextlib.suppress(DivergedError):  # which only says that the rates went far enough
        tail.model.fit(_endless(tail, train, policy), steps_per_epoch=steps, callbacks=[note], verbose=0)
    losses = np.array(note.losses)
    if len(losses) < 2:
        raise DataError(f"find_learning_rate: the loss is no number at a rate of {lowest:g}: begin with a smaller one")
    rates = lowest * (highest / lowest) ** (np.arange(len(losses)) / (steps - 1))
    means = running_mean(losses)
    return RateRange(rates, means, float(rates[last_before_the_rise(means)]))


def last_before_the_rise(means: np.ndarray) -> int:
    """The last position from that of the smallest on, before one is RISEN times as large.

    >>> last_before_the_rise(np.array([2.0, 1.0, 1.05, 1.2, 1.0]))
    2
    """
    smallest = int(np.argmin(means))
    risen = np.flatnonzero(means[smallest:] > RISEN * means[smallest])
    return smallest + (int(risen[0]) if risen.size else len(means) - smallest) - 1


def running_mean(losses: np.ndarray) -> np.ndarray:
    """m[i] = (1 - k) Σ_j k^(i-j) losses[j] / (1 - k^(i+1)): recent losses count most, k = 0.9.

    >>> running_mean(np.array([2.0, 2.0])).tolist()
    [2.0, 2.0]
    """
    total, means = 0.0, []
    for count, loss in enumerate(losses, 1):
        total = KEPT * total + (1 - KEPT) * float(loss)
        means.append(total / (1 - KEPT**count))
    return np.round(means, 12)


def _endless(tail: Tail, train: np.ndarray, policy: Policy) -> Iterator[Any]:
    """Batches of training samples of one size, epoch after epoch."""
    epochs = Augmented(tail, train, policy)
    size = min(policy.batch_size, len(train))
    while True:
        yield from (batch for batch in epochs if len(batch[1]) == size)


class _Losses(Callback):
    """The loss of every batch; stops where it is no number or much more than the smallest."""

    def __init__(self):
        super().__init__()
        self.losses: list[float] = []
        self._sum = 0.0

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        total = (logs or {})["loss"] * (batch + 1)
        loss, self._sum = total - self._sum, total
        self.losses.append(loss)
        if loss > DIVERGED * min(self.losses):
            self.model.stop_training = True
