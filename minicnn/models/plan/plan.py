"""Plan: a traced and fused program, ready to run on any batch.

What depends on the weights (folded normalisations, packed kernels) is made when it is first needed and again when a
weight's version has changed, or other rungs are asked for.  What depends on the batch's size (the buffers) is made once
a size and reused: a value takes the buffer of one that nobody needs any more.  Several threads may run a plan at once;
each takes its own buffers.
"""

from __future__ import annotations

import threading
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Tensor
from minicnn.errors import OutOfMemoryError
from minicnn.ops.conv import Conv2D
from minicnn.ops.dense import Dense

from ..device_memory import too_large
from ..graph import Program
from ..memory import available_memory, in_words, out_of_memory
from .axes import cancel_moves
from .device_steps import DeviceSteps
from .fuse import fuse, has_fixed_weights
from .memory import sample_bytes
from .share import share
from .stages import Stages
from .trace import Instruction, Value, array_of, trace

PACKED = ("conv2d", "dense")  # operations whose weights a plan packs for a rung
SHARE = 0.25  # of the memory that is available, for the results of a plan


class Plan:
    """A program compiled for inputs of given shapes (batch axis left out) and dtypes.

    `dense_storage` says how the weights of dense layers are stored, one of kernels.dense.STORAGES; `device` is where
    the weights are, and where the plan runs.
    """

    def __init__(
        self,
        program: Program,
        shapes: list[tuple[int, ...]],
        dtypes: list[np.dtype],
        dense_storage: str = "float32",
        device: str = "cpu",
    ):
        traced = trace(program, shapes, dtypes, device)
        cancel_moves(traced)
        share(traced)
        fuse(traced, convolve_dense=dense_storage == "float32" and "dense" not in kernels.forced_rungs())
        if device != "cpu":
            _move_constants(traced.instructions, device)
        self.instructions, self.inputs, self.outputs = traced.instructions, traced.inputs, traced.outputs
        self.masked = traced.masked  # which outputs have masks, that follow them all
        self.sample_bytes = max(1, sample_bytes(self.instructions, self.inputs, self.outputs))
        self.parameters = [p for item in self.instructions for p in item.parameters()]
        self.dense_storage, self.device = dense_storage, device
        self._made_for: Any = None  # the rungs and versions of weights
        self._weights: dict[int, list[Any]] = {}
        self._ready: Any = None  # the mark of a device that they are
        self._stages: dict[int, list[Stages | DeviceSteps]] = defaultdict(list)
        self._lock = threading.Lock()

    def run(self, arrays: list[np.ndarray], whole: int = 0) -> list[np.ndarray]:
        """The outputs for input arrays that share a batch size: on the host, where all inputs are.

        On a device, whose kernels choose the order of sums by the batch too, fewer samples than `whole` are computed as
        so many: then they get the bits that they get in a whole batch.

        Raises
        ------
        OutOfMemoryError
        """
        return [tensor.array for tensor in self.start(arrays, whole)()]

    def start(self, arrays: list[np.ndarray], whole: int = 0) -> Callable[[], list[Tensor]]:
        """Begin to compute what `run` gives; the function that is returned gives it, as tensors with their masks.

        A device computes while the host goes on; the host itself computes when it is asked.
        """
        if self.device == "cpu":
            return lambda: self._as_tensors(self._joined(list(self._in_parts(arrays))))
        count = len(arrays[0])
        short = 0 < count < whole
        on_host = all(type(array) is np.ndarray for array in arrays)
        bring = kernels.fetch if on_host else _here
        parts = self._in_parts([_filled(array, whole) for array in arrays] if short else arrays)
        begun = [[bring(array) for array in part] for part in parts]

        def finish() -> list[Tensor]:
            found = self._joined([[brought() for brought in part] for part in begun])
            if short:
                found = [f[: count * v.rows] if _has_rows(v) else f for f, v in zip(found, self.outputs)]
            return self._as_tensors(found)

        return finish

    def _as_tensors(self, arrays: list[Any]) -> list[Tensor]:
        """The outputs, of arrays that are followed by their masks."""
        found = [Tensor(array) for array in arrays]
        outputs, masks = found[: len(self.masked)], iter(found[len(self.masked) :])
        for output, masked in zip(outputs, self.masked):
            output.mask = next(masks) if masked else None
        return outputs

    def _joined(self, parts: list[list[Any]]) -> list[Any]:
        """The arrays of a batch, of those of its parts."""
        if len(parts) == 1:
            return parts[0]
        pairs = zip(self.outputs, zip(*parts))
        return [np.concatenate(column) if _has_rows(value) else column[0] for value, column in pairs]

    def _in_parts(self, arrays: list[np.ndarray]) -> Iterator[list[Any]]:
        """Outputs and masks where the plan runs, of one part of the batch after another where memory is short."""
        batch = len(arrays[0])
        count = -(-batch // self._samples_that_fit(batch))
        size = -(-batch // max(1, count))  # parts of about one size
        for start in range(0, max(1, batch), max(1, size)):
            part = [array[start : start + size] for array in arrays]
            try:
                yield self._run(part)
            except MemoryError as error:
                raise self._out_of_memory(part, error) from (error if self.device == "cpu" else None)

    def _out_of_memory(self, arrays: list[np.ndarray], error: MemoryError) -> OutOfMemoryError:
        """The refusal of samples that took more memory than there is, where the plan runs."""
        samples = len(arrays[0])
        if self.device == "cpu" or isinstance(error, OutOfMemoryError):
            return out_of_memory("predicting a batch", samples, error)
        traceback.clear_frames(error.__traceback__)  # which hold the arrays of the run
        self._stages.clear()

        def run(count: int) -> None:
            self._run([array[:count] for array in arrays])
            self._stages.clear()

        return too_large(kernels.device(self.device), "predicting", samples, run)

    def _samples_that_fit(self, batch: int) -> int:
        """How many samples of a batch are computed together: all where they fit in a share of the memory."""
        if batch in self._stages or not batch:
            return max(1, batch)
        available = available_memory() if self.device == "cpu" else kernels.device(self.device).free_memory()
        if self.sample_bytes > available:
            needed, left = in_words(self.sample_bytes), in_words(available)
            place = "" if self.device == "cpu" else f" on {self.device}"
            raise OutOfMemoryError(
                f"predicting one sample takes {needed} of memory, {left} are left{place}: make it smaller"
            )
        return max(1, min(batch, int(SHARE * available) // self.sample_bytes))

    def _run(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        batch = len(arrays[0])
        ran_before = batch in self._stages
        with nullcontext() if ran_before else kernels.compiling_network():
            weights = self._current_weights()
            with self._lock:
                free = self._stages.get(batch)
                stages = free.pop() if free else None
            if stages is None or stages.weights is not weights or stages.forced != kernels.forced_rungs():
                stages = self._new_stages(weights, batch)
            results = stages.run(arrays)
        with self._lock:
            if batch not in self._stages:
                self._stages.clear()
            if weights is self._weights:
                self._stages[batch].append(stages)
        return results

    def _new_stages(self, weights: dict[int, list[Any]], batch: int) -> Stages | DeviceSteps:
        parts = (self.inputs, self.instructions, self.outputs, weights, batch)
        if self.device == "cpu":
            return Stages(*parts)
        return DeviceSteps(*parts, kernels.device(self.device), self._ready)

    def _current_weights(self) -> dict[int, list[Any]]:
        """For each product, its weights and bias as the kernels take them, made anew when versions or rungs changed."""
        forced = kernels.forced_rungs()
        wanted = [forced.get(op) for op in PACKED], [parameter.version for parameter in self.parameters]
        with self._lock:
            if wanted != self._made_for:
                self._made_for = None
                self._stages.clear()
                self._weights = {}  # those that were are let go before others are made
                self._weights = {id(i): self._bound(i) for i in self.instructions if has_fixed_weights(i)}
                self._ready = None if self.device == "cpu" else kernels.device(self.device).mark()
                self._made_for = wanted
            return self._weights

    def _bound(self, item: Instruction) -> list[Any]:
        """The weights and bias of a product where the plan runs, with what was folded into them on the host."""
        arrays = [array_of(value) for value in item.inputs[1:3]]
        if item.derive:
            arrays = [None if array is None else kernels.to_host(array) for array in arrays]
            for fold in item.derive:
                arrays = fold.apply(item.function, *arrays)
        w, b = (None if array is None else kernels.to_device(array, self.device) for array in arrays)
        return _packed(item, w, b, self.dense_storage)


def _move_constants(instructions: list[Instruction], device: str) -> None:
    """Bring arrays that operations take to the device at once: what copies from the host cannot be captured there."""
    for item in instructions:
        item.inputs = [kernels.to_device(v, device, wait=True) if isinstance(v, np.ndarray) else v for v in item.inputs]


def _has_rows(value: Any) -> bool:
    """Whether an output is of the samples of a batch."""
    return isinstance(value, Value) and value.rows > 0


def _filled(array: Any, count: int) -> Any:
    """An array of so many samples, of which the last is repeated."""
    return np.concatenate([array, np.repeat(array[-1:], count - len(array), axis=0)])


def _here(array: Any) -> Callable[[], Any]:
    """How to get an array that is where it is wanted, like one that has to be fetched."""
    return lambda: array


def _packed(item: Instruction, w: Any, b: Any, dense_storage: str) -> list[Any]:
    """The weights and bias of a product in the form that its kernel reads."""
    if item.function is Conv2D and isinstance(item.inputs[0], Value):
        options = {k: item.options[k] for k in ("strides", "padding", "dilation", "groups")}
        w = kernels.conv2d.prepare(w, item.inputs[0].shape, **options)
    elif item.function is Dense:
        w = kernels.dense.prepare(w, dense_storage)
    return [w, b]
