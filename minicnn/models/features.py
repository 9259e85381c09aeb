"""The frozen prefix in training: what no weight that is trained can change is computed once for each sample.

A program is split into a prefix and the rest (`Program.split`).  The prefix always runs as a prediction plan, whether
its results are kept or not, and a plan computes a sample in the same way in every batch, so keeping results changes no
bit.  (Without Numba the order of a sum is BLAS', which is free to choose another one for another number of samples.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.autograd import Tensor

from .batches import Batch
from .graph import Program
from .joining import join_activations
from .memory import available_memory
from .plan import Plan

SHARE = 0.25  # of the memory that is free, for kept features


class SplitProgram:
    """A program as frozen prefix and trained rest, for the flags as they are now."""

    def __init__(self, program: Program, shapes: list[tuple[int, ...]], dtypes: list[np.dtype]):
        self.prefix, self.rest = program.split()
        self.joined = join_activations(self.rest)
        self.output_shapes = program.output_shapes([(None, *shape) for shape in shapes])
        self.plan = Plan(self.prefix, shapes, dtypes) if self.prefix.calls else None
        self._rest_plan: Plan | None = None

    def features(self, x: list[np.ndarray]) -> list[np.ndarray]:
        """The prefix's outputs for a batch of inputs."""
        return x if self.plan is None else self.plan.run(x)

    def forward(self, features: list[np.ndarray], training: bool) -> list[Tensor]:
        """The model's outputs, remembered for a backward pass through the rest."""
        return self.joined.run(dict(zip(self.rest.inputs, map(Tensor, features))), training)

    def predict(self, features: list[np.ndarray]) -> list[Tensor]:
        """The model's outputs in inference mode, through a plan, with their masks."""
        if self._rest_plan is None:
            self._rest_plan = Plan(self.rest, [a.shape[1:] for a in features], [a.dtype for a in features])
        return self._rest_plan.tensors(features)


def training_signature(program: Program) -> tuple[Any, ...]:
    """All that decides where a program splits: read anew at every step, so that flags always count."""
    return tuple(
        (call.layer.deterministic, *(parameter.trainable for parameter in call.layer.weights)) for call in program.calls
    )


class FeatureStore:
    """Kept features of the samples of one source, filled as the samples come by."""

    def __init__(self, samples: int | None):
        self.samples = samples
        self._key: Any = None
        self._arrays: list[np.ndarray] | None = None
        self._filled = np.zeros(samples or 0, bool)

    def get(self, split: SplitProgram, batch: Batch, x: list[np.ndarray]) -> list[np.ndarray]:
        """The features of a batch, from the store where it has them."""
        if split.plan is None or batch.rows is None or self.samples is None:
            return split.features(x)
        key = (split, tuple(parameter.version for parameter in split.plan.parameters))
        if key != self._key:
            self._key, self._arrays = key, None
            self._filled[:] = False
        missing = ~self._filled[batch.rows]
        if not missing.any() and self._arrays is not None:
            return [array[batch.rows] for array in self._arrays]
        features = split.features(x)
        if self._arrays is None:
            self._arrays = self._allocate(features)
        if self._arrays is not None:
            for array, values in zip(self._arrays, features):
                array[batch.rows] = values
            self._filled[batch.rows] = True
        return features

    def _allocate(self, features: list[np.ndarray]) -> list[np.ndarray] | None:
        """Room for the features of all samples, or None where memory does not allow it."""
        assert self.samples is not None
        needed = sum(self.samples * values[:1].nbytes for values in features)
        if needed > SHARE * available_memory():
            return None
        return [np.empty((self.samples, *values.shape[1:]), values.dtype) for values in features]
