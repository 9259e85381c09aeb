"""evaluate and predict: batches through a prediction plan, with the hooks of callbacks.  fit validates by the first."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from minicnn import kernels
from minicnn.autograd import Tensor
from minicnn.callbacks import CallbackList
from minicnn.errors import DataError, OutOfMemoryError

from .batches import ArraySource, Batch, Source
from .compute import penalty, test_step
from .memory import available_memory, in_words
from .network import alone

if TYPE_CHECKING:
    from .model import Model

UNASKED = 1 << 20  # bytes for which nobody asks the system whether it has them: it takes as long as a small layer


def evaluate(
    model: Model,
    source: Source,
    outputs_of: Callable[[Batch], list[Tensor]],
    callbacks: CallbackList,
    batch_size: int,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, float]:
    """Loss and metrics over all batches, in inference mode, or over those before a callback or `stopped` ends it."""
    compiled, weights_penalty = model.compilation, penalty(model.trainable_weights)
    compiled.reset()
    model.stop_evaluating = False
    total = samples = 0.0
    logs: dict[str, float] = {}
    callbacks.on_test_begin()
    for step, batch in enumerate(source.batches(batch_size, None)):
        callbacks.on_test_batch_begin(step)
        total += test_step(compiled, outputs_of(batch), batch.y, batch.weights) * len(batch)
        samples += len(batch)
        logs = {"loss": total / max(samples, 1) + weights_penalty, **compiled.results()}
        callbacks.on_test_batch_end(step, logs)
        if model.stop_evaluating or stopped():
            break
    if not samples:
        raise DataError("there are no batches to evaluate")
    callbacks.on_test_end(logs)
    return logs


def predict(model: Model, source: Source, callbacks: CallbackList, batch_size: int) -> list[np.ndarray]:
    """The outputs for all samples."""
    results: list[np.ndarray] = []
    done = whole = 0
    model.stop_predicting = False
    callbacks.on_predict_begin()
    # No samples still pass the plan, which knows the outputs' shapes.
    empty = [Batch(source.x, [])] if isinstance(source, ArraySource) and not source.size else None
    for step, batch in enumerate(empty or source.batches(batch_size, None)):
        callbacks.on_predict_batch_begin(step)
        whole = max(whole, len(batch))
        outputs = model.run_plan(batch.x, whole)
        results = results or _room(source.size or 0, outputs)
        rows = slice(done, done + len(batch))
        for result, output in zip(results, outputs):
            result[rows] = output
        done = rows.stop
        callbacks.on_predict_batch_end(step, {"outputs": alone([result[rows] for result in results])})
        if model.stop_predicting:
            results = [result[:done] for result in results]
            break
    callbacks.on_predict_end()
    return results


def _room(samples: int, outputs: list[np.ndarray]) -> list[np.ndarray]:
    """Arrays for the outputs of all samples, like those of a batch.

    Raises
    ------
    OutOfMemoryError
    """
    each = max(1, sum(math.prod(output.shape[1:]) * output.itemsize for output in outputs))
    if samples * each > UNASKED and samples * each > (available := available_memory()):
        raise OutOfMemoryError(
            f"the outputs of {samples} samples take {in_words(samples * each)} of memory, {in_words(available)} are "
            f"left: predict at most {available // each} samples at a time"
        )
    shapes = [(samples, *output.shape[1:]) for output in outputs]
    return [kernels.array_module(o).empty(shape, o.dtype) for shape, o in zip(shapes, outputs)]
