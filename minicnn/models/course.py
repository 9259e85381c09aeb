"""Course: one call of fit, as far as it has come, and all that decides how it goes on."""

from __future__ import annotations

import copy
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.callbacks import BackupAndRestore, CallbackList, TerminateOnNaN
from minicnn.errors import DivergedError, FileFormatError, MinicnnError
from minicnn.seeds import new_seed
from minicnn.training import Position, flags_text, load_model_state, model_state, model_text

from .batches import FirstBatches, Source, StreamSource

if TYPE_CHECKING:
    from .model import Model

COMPARED = ("batch_size", "shuffle", "class_weight", "initial_epoch", "validation_freq")  # arguments of fit


class Course:
    """The position of a call of fit, its shuffling, and its state as plain data.

    Parameters
    ----------
    options : the arguments of `fit`
    """

    def __init__(
        self, model: Model, train: Source, validation: Source | None, callbacks: CallbackList, options: dict[str, Any]
    ):
        self.model, self.train, self.validation = model, train, validation
        self.callbacks, self.options = callbacks, options
        self.position = Position(options["initial_epoch"])
        self._shuffling = np.random.default_rng(new_seed())
        self._begun: dict[str, Any] = {}  # what the order and the samples of this epoch were drawn from
        self._seen: list[Any] | None = None  # what metrics held at the end of the epoch's steps
        self.has_diverged = False

    def begin_epoch(self) -> np.ndarray | None:
        """The order of this epoch's samples; None is as they lie."""
        self._begun, self._seen = self._sources(), None
        self.train.begin_epoch(self.position.epoch)
        if not self.position.step:
            self.model.compilation.reset()
        size = self.train.size
        return self._shuffling.permutation(size) if self.options["shuffle"] and size else None

    def end_steps(self) -> None:
        """Remember what the metrics hold, which validation makes them forget, where it may have to be kept."""
        if isinstance(self.callbacks.backup, BackupAndRestore):
            self._seen = copy.deepcopy(self._metrics())

    def figures(self) -> dict[str, Any]:
        """Mean loss and metrics over this epoch's steps so far; none before the first."""
        position = self.position
        if not position.samples:
            return {}
        return {"loss": position.total / position.samples, **self.model.compilation.results()}

    def diverge(self, what: str) -> dict[str, Any]:
        """End training here, for TerminateOnNaN, with figures; raise DivergedError where there is none."""
        last = self.callbacks.backup.last
        checkpoint = "" if last is None else f"; the last good checkpoint is {last}"
        message = f"fit: in {what}{checkpoint}; begin anew with a smaller learning rate, or clip the gradients"
        if not any(isinstance(callback, TerminateOnNaN) for callback in self.callbacks.callbacks):
            raise DivergedError(message) from None
        print(message, file=sys.stderr)
        self.has_diverged = self.model.stop_training = True
        return {**self.figures(), "loss": math.nan}

    # The state ----------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """All that decides how training goes on from here, between two steps, as plain data."""
        inside = self.position.step > 0
        metrics = (self._metrics() if self._seen is None else self._seen) if inside else []
        return {
            "position": asdict(self.position),
            "model": model_state(self.model),
            "sources": self._begun if inside else self._sources(),
            "metrics": metrics,
            "callbacks": self.callbacks.state(),
        }

    def parts(self) -> dict[str, Any]:
        """What of the state is other people's to give, whatever the position."""
        return {"callbacks": self.callbacks.state(), "metrics": self._metrics(), "sources": self._sources(),
                "model": model_state(self.model)}  # fmt: skip

    def resume(self, path: Path, state: dict[str, Any]) -> None:
        """Go on from the state of a file, whose fingerprint has been compared.

        Callbacks that remember nothing are told of an epoch that has begun; what they then do is replaced by the state.

        Raises
        ------
        FileFormatError
            The file was made by somebody else than `fit`.
        """
        position = Position(**state["position"])
        if position.step:
            self.callbacks.begin_epoch_again(position.epoch)
        try:
            self._load(state)
            vars(self.position).update(vars(position))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            if isinstance(error, MinicnnError):
                raise
            raise FileFormatError(f"{path} holds no state of this training ({error})") from error
        if self.options["verbose"]:
            done = position.over or position.epoch >= self.options["epochs"]
            whole = f"after {position.epoch} epochs" + (f" and {position.step} steps" if position.step else "")
            print(f"{'nothing is left to train' if done else 'training goes on'} {whole} ({path})", flush=True)

    def _load(self, state: dict[str, Any]) -> None:
        load_model_state(self.model, state["model"])
        self._shuffling.bit_generator.state = state["sources"]["shuffling"]
        for source, kept in zip(self._data(), state["sources"]["data"], strict=True):
            source.load_state(kept)
        if state["metrics"]:
            for metric, kept in zip(self.model.compilation.seen_by, state["metrics"], strict=True):
                metric.load_state(kept)
        self.callbacks.load_state(state["callbacks"])

    def _metrics(self) -> list[Any]:
        return [metric.state() for metric in self.model.compilation.seen_by]

    def _sources(self) -> dict[str, Any]:
        return {"shuffling": self._shuffling.bit_generator.state, "data": [source.state() for source in self._data()]}

    def _data(self) -> list[Source]:
        return [source for source in (self.train, self.validation) if source is not None]

    # What makes it the same training ------------------------------------------------------------------------------

    def fingerprint(self) -> dict[str, Any]:
        """What must be the same where it is taken up again; `epochs` may be others."""
        compiled = self.model.compilation
        return {
            "model": model_text(self.model),
            "training data": self.train.describe(),
            "validation data": None if self.validation is None else self.validation.describe(),
            "loss": [
                None if loss is None else {"class": type(loss).__name__, **vars(loss)} for loss in compiled.losses
            ],
            "loss_weights": compiled.loss_weights,
            "metrics": list(compiled.figures()),
            **{name: self.options[name] for name in COMPARED},
            "callbacks": self.callbacks.deciding,
            **self.changing(),
        }

    def changing(self) -> dict[str, Any]:
        """The part of the fingerprint that training itself may change, by callbacks."""
        optimizer = self.model.optimizer
        return {
            "optimizer": {"class": type(optimizer).__name__, **optimizer.get_config()},
            "trained weights": flags_text(self.model),
        }

    @property
    def restorable(self) -> bool:
        """Whether all data can be taken up where it was: a generator cannot."""
        sources = [source.source if isinstance(source, FirstBatches) else source for source in self._data()]
        return not any(isinstance(source, StreamSource) and source.is_generator for source in sources)
