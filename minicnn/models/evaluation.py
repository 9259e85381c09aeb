"""evaluate and predict: batches through a prediction plan, with the hooks of callbacks.  fit validates by the first."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

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

T = TypeVar("T")
UNASKED = 1 << 20  # bytes for which nobody asks the system whether it has them: it takes as long as a small layer


def evaluate(
    model: Model,
    source: Source,
    start: Callable[[Batch], Callable[[], list[Tensor]]],
    callbacks: CallbackList,
    batch_size: int,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, float]:
    """Loss and metrics over all batches, in inference mode, or over those before a callback or `stopped` ends it.

    `start` begins to compute a batch, as `Plan.start` does.
    """
    compiled, weights_penalty = model.compilation, penalty(model.trainable_weights)
    compiled.reset()
    model.stop_evaluating = False
    total = samples = 0.0
    logs: dict[str, float] = {}
    callbacks.on_test_begin()
    begun = ((batch, start(batch)) for batch in source.batches(batch_size, None))
    for step, (batch, outputs) in enumerate(_drawn_ahead(begun, _batches_ahead(model))):
        callbacks.on_test_batch_begin(step)
        total += test_step(compiled, outputs(), batch.y, batch.weights) * len(batch)
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
    done = 0
    model.stop_predicting = False
    callbacks.on_predict_begin()
    begun = _begun(model, source, batch_size)
    for step, (count, outputs) in enumerate(_drawn_ahead(begun, _batches_ahead(model))):
        callbacks.on_predict_batch_begin(step)
        arrays = [output.array for output in outputs()]
        results = results or _room(source.size or 0, arrays)
        rows = slice(done, done + count)
        for result, array in zip(results, arrays):
            result[rows] = array
        done = rows.stop
        callbacks.on_predict_batch_end(step, {"outputs": alone([result[rows] for result in results])})
        if model.stop_predicting:
            results = [result[:done] for result in results]
            break
    callbacks.on_predict_end()
    return results


def _begun(model: Model, source: Source, batch_size: int) -> Iterator[tuple[int, Callable[[], list[Tensor]]]]:
    """Each batch's number of samples, and its outputs as `Plan.start` gives them."""
    # No samples still pass the plan, which knows the outputs' shapes.
    empty = [Batch(source.x, [])] if isinstance(source, ArraySource) and not source.size else None
    whole = 0
    for batch in empty or source.batches(batch_size, None):
        whole = max(whole, len(batch))
        yield len(batch), model.start_plan(batch.x, whole)


def _batches_ahead(model: Model) -> int:
    """How many batches are begun beyond the one that is waited for, so that a device does not wait for the host."""
    return 0 if model.device == "cpu" else 1


def _drawn_ahead(items: Iterable[T], count: int) -> Iterator[T]:
    """The items, each when `count` more have been drawn."""
    drawn: deque[T] = deque()
    for item in items:
        drawn.append(item)
        if len(drawn) > count:
            yield drawn.popleft()
    yield from drawn


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
