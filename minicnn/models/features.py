"""The frozen prefix in training: what no weight that is trained can change is computed once for each sample.

A program is split into a prefix and the rest (`Program.split`).  The prefix always runs as a prediction plan, whether
its results are kept or not, and a plan computes a sample in the same way in every batch, so keeping results changes no
bit.  (Without Numba the order of a sum is BLAS', which is free to choose another one for another number of samples.)
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Tensor
from minicnn.layers import Layer

from .batches import Batch, Source
from .feature_file import FeatureFile, FeatureRows, features_folder, names_of
from .graph import Program
from .identity import kernels_text, program_hash
from .joining import join_activations
from .memory import available_memory
from .plan import Plan

if TYPE_CHECKING:
    from .network import Network

SHARE = 0.25  # of the memory that is free, for kept features
SPLITS_KEPT = 8  # of different input shapes, where the sides of the images are free
LOOKED_AT = 2  # samples by which a dataset is found to vary that does not say so
VERSION = 1


class SplitProgram:
    """A program as frozen prefix and trained rest, for the flags as they are now."""

    def __init__(self, program: Program, shapes: list[tuple[int, ...]], dtypes: list[np.dtype], device: str = "cpu"):
        self.prefix, self.rest = program.split()
        self.joined = join_activations(self.rest)
        self._inputs = list(zip(shapes, dtypes))
        self.output_shapes = program.output_shapes([(None, *shape) for shape in shapes])
        self.device = device
        self.plan = Plan(self.prefix, shapes, dtypes, device=device) if self.prefix.calls else None
        self._rest_plan: Plan | None = None
        self.whole = 0  # samples of the largest batch, as which smaller ones are computed on a device

    def features(self, x: list[np.ndarray]) -> list[np.ndarray]:
        """The prefix's outputs for a batch of inputs."""
        self.whole = max(self.whole, len(x[0]))
        return x if self.plan is None else self.plan.run(x, self.whole)

    def identity(self, samples: str) -> str:
        """The hash of all that decides the features of these samples."""
        computed = kernels_text(self.device, kernels.current_precision())
        parts = [f"minicnn fit {VERSION}", program_hash(self.prefix, self._inputs), computed, samples]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def forward(self, features: list[np.ndarray], training: bool) -> list[Tensor]:
        """The model's outputs, remembered for a backward pass through the rest.

        Features are brought to the device: kept ones come from the host, where their layers would compute other bits.
        """
        arrays = features if self.plan is None else [kernels.to_device(array, self.device) for array in features]
        return self.joined.run(dict(zip(self.rest.inputs, map(Tensor, arrays))), training)

    def start(self, features: list[np.ndarray]) -> Callable[[], list[Tensor]]:
        """Begin to compute the model's outputs in inference mode, through a plan, with their masks (`Plan.start`)."""
        if self._rest_plan is None:
            shapes, dtypes = [a.shape[1:] for a in features], [a.dtype for a in features]
            self._rest_plan = Plan(self.rest, shapes, dtypes, device=self.device)
        return self._rest_plan.start(features)


class Splits:
    """A model's splits by the shapes of inputs, kept while nothing that they depend on changes."""

    def __init__(self) -> None:
        self._made: dict[Any, SplitProgram] = {}
        self._made_for: Any = None

    def of(self, model: Network, x: list[np.ndarray]) -> SplitProgram:
        """The program as the flags split it now, for inputs of these shapes."""
        program = model.program
        options = Layer.option_changes, "dense" in kernels.forced_rungs()
        made_for = program, training_signature(program), model.device, model.precision, options
        if made_for != self._made_for or len(self._made) > SPLITS_KEPT:
            self._made.clear()
            self._made_for = made_for
        key = tuple(a.shape[1:] for a in x)
        if key not in self._made:
            self._made[key] = SplitProgram(program, list(key), [a.dtype for a in x], model.device)
        return self._made[key]

    def forget_batches(self) -> None:
        """Let the next batch be the whole one, whose size decides how smaller ones are computed on a device."""
        for split in self._made.values():
            split.whole = 0

    def clear(self) -> None:
        """Let go of all splits, and the memory of their plans."""
        self._made.clear()


def training_signature(program: Program) -> tuple[Any, ...]:
    """All that decides where a program splits, and what its prefix computes with: read anew at every step."""
    return tuple(
        (call.layer.deterministic, *((id(weight), weight.trainable) for weight in call.layer.weights))
        for call in program.calls
    )


class FeatureStore:
    """
    Kept features of the samples of one source, filled as the samples come by: in the host's memory, or in a file.

    A file stays for later trainings where the source says what its samples are, under the hash of all that decides the
    features.  What another training left there is compared with the first batch, which is always computed; what a
    source gave that does not say whether its samples vary, with the first samples that come again.
    """

    def __init__(self, source: Source | None):
        self.source = source
        self.keeps = source is not None and source.size is not None
        self._unproven = source is not None and not source.constant
        self._key: Any = None
        self._rows: FeatureRows | FeatureFile | None = None

    def get(self, split: SplitProgram, batch: Batch, x: list[np.ndarray]) -> list[np.ndarray]:
        """The features of a batch, from the store where it has them."""
        if split.plan is None or batch.rows is None or not self.keeps:
            return split.features(x)
        key = (split, tuple(parameter.version for parameter in split.plan.parameters))
        if key != self._key:
            self._key, self._rows = key, None
        if self._rows is None:
            features = split.features(x)
            self._begin(split, batch.rows, features)
        elif not self._rows.missing(batch.rows).any():
            kept = self._rows.read(batch.rows)
            return kept if self._proven(split, kept, x) else split.features(x)
        else:
            features = split.features(x)
            self._write(batch.rows, features)
        return features

    def _begin(self, split: SplitProgram, rows: np.ndarray, features: list[np.ndarray]) -> None:
        """Make room for all samples, with those of the first batch."""
        features = [kernels.to_host(array) for array in features]
        try:
            self._rows = self._room(split, features)
            there = np.flatnonzero(~self._rows.missing(rows))
            if differ([a[there] for a in features], self._rows.read(rows[there])):
                warnings.warn("fit: the features kept on disk were not those of this network: made anew", stacklevel=9)
                self._rows.discard()
                self._rows = self._room(split, features)
        except OSError as error:
            self._give_up(error)
        else:
            self._write(rows, features)

    def _room(self, split: SplitProgram, features: list[np.ndarray]) -> FeatureRows | FeatureFile:
        assert self.source is not None
        assert self.source.size is not None
        if self.source.size * sum(array[:1].nbytes for array in features) <= SHARE * available_memory():
            return FeatureRows(features, self.source.size)
        samples = self.source.identity()
        key = None if samples is None else split.identity(samples)
        return FeatureFile.make(features, names_of(range(self.source.size)), key)

    def _write(self, rows: np.ndarray, features: list[np.ndarray]) -> None:
        assert self._rows is not None
        try:
            self._rows.write(rows, [kernels.to_host(array) for array in features])
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.keeps, self._rows = False, None
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        warnings.warn(
            f"fit: features of the frozen layers are not kept, but computed in every epoch: memory has no room for "
            f"them, and neither has {features_folder()}: {cause.strerror or cause}",
            stacklevel=10,
        )

    def _proven(self, split: SplitProgram, kept: list[np.ndarray], x: list[np.ndarray]) -> bool:
        """Whether samples that come again are those of before; looked at once."""
        if not self._unproven:
            return True
        self._unproven = False
        computed = [kernels.to_host(array) for array in split.features([array[:LOOKED_AT] for array in x])]
        if not differ(computed, [array[:LOOKED_AT] for array in kept]):
            return True
        self.keeps, self._rows = False, None
        warnings.warn(
            "fit: samples of the dataset are others than in the epoch before, so that features of frozen layers are "
            "computed in every epoch: give it an attribute varies = True",
            stacklevel=9,
        )
        return False


def differ(computed: list[np.ndarray], kept: list[np.ndarray], tolerance: float = 1e-4) -> bool:
    """Whether kept features are others than computed ones, by their relative L2 distance."""
    for a, b in zip(computed, kept, strict=True):
        a, b = a.astype(np.float64), b.astype(np.float64)
        if a.shape != b.shape or not np.linalg.norm(a - b) <= tolerance * np.linalg.norm(a) + 1e-30:
            return True
    return False
