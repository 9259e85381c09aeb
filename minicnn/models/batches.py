"""Where the batches of fit, evaluate and predict come from: arrays, a dataset, or any iterable of batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np

from minicnn.arguments import whole_number
from minicnn.errors import ArgumentError, DataError, ShapeError
from minicnn.training import arrays_text

from .arrays import as_array
from .identity import arrays_hash

DEFAULT_BATCH_SIZE = 32


class Named(Protocol):
    """A model, as far as its data needs it: the names that dicts of arrays go by."""

    name: str

    @property
    def input_names(self) -> list[str]: ...

    @property
    def output_names(self) -> list[str]: ...


@dataclass
class Batch:
    """Inputs, targets and sample weights of some samples; `rows` are their numbers in the source, if they have any."""

    x: list[np.ndarray]
    y: list[np.ndarray]
    weights: np.ndarray | None = None
    rows: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name, arrays in (("x", self.x), ("y", self.y), ("sample_weight", [self.weights])):
            for position, array in enumerate(arrays):
                if array is not None and len(array) != len(self):
                    which = f"{name}[{position}]" if len(arrays) > 1 else name
                    raise DataError(f"x has {len(self)} samples, {which} has {len(array)}")
        if self.weights is not None and self.weights.ndim == 0:
            raise ShapeError("sample_weight must be one number for each sample, or each of its steps; it is a scalar")

    def __len__(self) -> int:
        return len(self.x[0])

    def first(self, count: int) -> Batch:
        """The first samples alone."""
        x, y = ([array[:count] for array in arrays] for arrays in (self.x, self.y))
        return Batch(x, y, None if self.weights is None else self.weights[:count])

    def check_finite(self) -> None:
        """Raise DataError for NaN and infinity."""
        weights = [] if self.weights is None else [self.weights]
        for name, arrays in (("x", self.x), ("y", self.y), ("sample_weight", weights)):
            for array in arrays:
                _check_finite(array, name)


class Source:
    """Base of the sources."""

    size: int | None = None  # number of samples, where it is known
    held: Any = None  # what they come from, which may have `state()`, plain data, and `load_state(state)`
    constant = True  # whether the samples are known to be the same in every epoch, where they have numbers

    def batches(self, batch_size: int, order: np.ndarray | None) -> Iterator[Batch]:
        """All samples, in the given order or as they lie."""
        raise NotImplementedError

    def begin_epoch(self, epoch: int) -> None:
        """Say which epoch the batches to come are of."""

    def batches_from(self, step: int, batch_size: int, order: np.ndarray | None) -> Iterator[Batch]:
        """The batches of `batches` from the one after `step` of them on."""
        if not step:
            return self.batches(batch_size, order)
        if self.size is None:
            return islice(self.batches(batch_size, order), step, None)
        order = (np.arange(self.size) if order is None else order)[step * batch_size :]
        return islice(self.batches(batch_size, order), -(-len(order) // batch_size))

    def state(self) -> Any:
        """What the next epoch's batches depend on beside order and number, where the data has a state."""
        return self.held.state() if self._has_state else None

    def load_state(self, state: Any) -> None:
        """Go on with what `state` returned."""
        if self._has_state:
            self.held.load_state(state)

    @property
    def _has_state(self) -> bool:
        return all(callable(getattr(self.held, name, None)) for name in ("state", "load_state"))

    def describe(self) -> str:
        """The samples in words, with a digest of their numbers where that is cheap."""
        return type(self).__name__

    def identity(self) -> str | None:
        """A text that is another when any number of any input is, where there is one."""
        return None

    def steps(self, batch_size: int) -> int | None:
        """Number of batches, where it is known."""
        return None if self.size is None else -(-self.size // batch_size)

    def peek(self) -> Batch | None:
        """Samples to look at beforehand, which still come: all that lie in memory, else the first; None without any."""
        return next(iter(self.batches(1, None)), None)

    def ran_out(self) -> bool:
        """Whether no epoch can follow: a generator has come to its end."""
        return False


class ArraySource(Source):
    """Arrays in memory.

    Raises
    ------
    DataError
        No samples, arrays of different lengths, or numbers that are not finite.
    """

    def __init__(self, x: Any, y: Any, weights: Any, check: bool = True):
        self.x = [as_array(a, "x") for a in as_list(x)]
        self.y = [] if y is None else [as_array(a, "y") for a in as_list(y)]
        self.weights = sample_weights(weights)
        self.size = len(self.x[0])
        whole = Batch(self.x, self.y, self.weights)
        if check:
            if not self.size:
                raise DataError("there are no samples: x is empty")
            whole.check_finite()

    def peek(self) -> Batch:
        return Batch(self.x, self.y, self.weights)

    def describe(self) -> str:
        return arrays_text([self.x, self.y, [] if self.weights is None else [self.weights]])

    def identity(self) -> str:
        return arrays_hash(self.x)

    def batches(self, batch_size: int, order: np.ndarray | None) -> Iterator[Batch]:
        assert self.size is not None
        for start in range(0, self.size, batch_size):
            rows = np.arange(start, min(start + batch_size, self.size)) if order is None else order[start:][:batch_size]
            part = slice(start, start + batch_size) if order is None else rows
            yield Batch(
                [a[part] for a in self.x],
                [a[part] for a in self.y],
                None if self.weights is None else self.weights[part],
                rows,
            )


class DatasetSource(Source):
    """An object with `__len__` (samples) and `batches(batch_size, order)` that yields (x, y).

    It may have `digest()`, a text that is another when its samples are others.

    Where it `varies`, a sample is another one in every epoch, and has no number by which its features could be kept.
    """

    def __init__(self, dataset: Any, model: Named):
        self.held = self.dataset = dataset
        self.model, self.size = model, len(dataset)
        self.constant = hasattr(dataset, "varies") or hasattr(dataset, "digest")
        if not self.size:
            raise DataError("there are no samples: the dataset is empty")

    def batches(self, batch_size: int, order: np.ndarray | None) -> Iterator[Batch]:
        assert self.size is not None
        rows = np.arange(self.size) if order is None else order
        varies = getattr(self.dataset, "varies", False)
        for start, item in zip(range(0, self.size, batch_size), self.dataset.batches(batch_size, order)):
            batch = to_batch(item, self.model)
            batch.rows = None if varies else rows[start : start + batch_size]
            yield batch

    def identity(self) -> str | None:
        return self.dataset.identity() if hasattr(self.dataset, "identity") else None

    def begin_epoch(self, epoch: int) -> None:
        if hasattr(self.dataset, "begin_epoch"):
            self.dataset.begin_epoch(epoch)

    def describe(self) -> str:
        digest = f" {self.dataset.digest()}" if hasattr(self.dataset, "digest") else ""
        return f"{self.size} samples of {type(self.dataset).__name__}{digest}"


class StreamSource(Source):
    """An iterable of batches (x, y) or (x, y, sample_weight); a generator is drawn from, a list begins anew."""

    def __init__(self, stream: Iterable[Any], model: Named):
        self.stream, self.model = stream, model
        self._iterator = iter(stream)
        self._seen: list[Batch] = []  # what `peek` drew from a generator
        self.is_generator = self._iterator is stream  # which goes on where the last epoch stopped
        self.held = None if self.is_generator else stream

    def batches(self, batch_size: int, order: np.ndarray | None) -> Iterator[Batch]:
        if self._seen:
            yield self._seen.pop()
        for item in self._iterator if self.is_generator else iter(self.stream):
            batch = to_batch(item, self.model)
            if len(batch):  # one without samples says nothing
                yield batch

    def batches_from(self, step: int, batch_size: int, order: np.ndarray | None) -> Iterator[Batch]:
        return self.batches(batch_size, order) if self.is_generator else super().batches_from(step, batch_size, order)

    def describe(self) -> str:
        return f"batches from a {type(self.stream).__name__}"

    def steps(self, batch_size: int) -> int | None:
        return len(self.stream) if isinstance(self.stream, Sized) else None

    def peek(self) -> Batch | None:
        batch = super().peek()
        if self.is_generator and batch is not None:
            self._seen.append(batch)
        return batch

    def ran_out(self) -> bool:
        return self.is_generator and self.peek() is None


class FirstBatches(Source):
    """The first `limit` batches of another source; of a generator, the next ones."""

    def __init__(self, source: Source, limit: int):
        self.source, self.limit, self.size = source, limit, source.size
        self.held, self.constant = source, source.constant

    def identity(self) -> str | None:
        return self.source.identity()

    def batches(self, batch_size: int, order: np.ndarray | None) -> Iterator[Batch]:
        return islice(self.source.batches(batch_size, order), self.limit)

    def batches_from(self, step: int, batch_size: int, order: np.ndarray | None) -> Iterator[Batch]:
        return islice(self.source.batches_from(step, batch_size, order), self.limit - step)

    def describe(self) -> str:
        return f"{self.limit} {self.source.describe()}"

    def steps(self, batch_size: int) -> int | None:
        known = self.source.steps(batch_size)
        return self.limit if known is None else min(known, self.limit)

    def peek(self) -> Batch | None:
        return self.source.peek()

    def ran_out(self) -> bool:
        return self.source.ran_out()


def make_source(model: Named, x: Any, y: Any = None, weights: Any = None) -> Source:
    """The source of what a user gave as x (and y).

    Raises
    ------
    ArgumentError, DataError, DTypeError
    """
    dataset = hasattr(x, "batches") and hasattr(x, "__len__")
    arrays = isinstance(x, Mapping) or hasattr(x, "dtype") or _are_arrays(x)
    if y is None and hasattr(x, "__iter__") and not dataset and not arrays:
        return StreamSource(x, model)
    if dataset and y is not None:
        raise ArgumentError("a dataset holds its own targets: leave y out")
    if dataset:
        return DatasetSource(x, model)
    return ArraySource(in_order(x, model, "x"), in_order(y, model, "y"), weights)


def wrong_inputs(model: Named, given: int) -> ShapeError:
    """The error for another number of arrays than the model has inputs."""
    inputs = len(model.input_names)
    hint = "; for a batch of samples use np.stack" if given > inputs else ""
    takes = f"{inputs} input{'' if inputs == 1 else 's'}"
    return ShapeError(f"model {model.name} has {takes}, {given} {'was' if given == 1 else 'were'} given{hint}")


def limited(source: Source, owner: str, argument: str, steps: Any) -> Source:
    """The source, or its first batches where `steps` says how many, as it must for a generator."""
    if steps is None and isinstance(source, StreamSource) and source.is_generator:
        raise ArgumentError(
            f"{owner}: a generator has no end: say how many batches to take with {argument}=..., or give a list of them"
        )
    return source if steps is None else FirstBatches(source, whole_number(owner, argument, steps, 1))


def in_order(value: Any, model: Named, what: str) -> Any:
    """The arrays of a dict by the names of inputs (x) or outputs (y), in the model's order; anything else as it is.

    Raises
    ------
    ArgumentError
        The keys are not those names.
    ShapeError
        A list of another number of arrays than the model has inputs.
    """
    if what == "x" and _are_arrays(value) and len(value) != len(model.input_names):
        raise wrong_inputs(model, len(value))
    if not isinstance(value, Mapping):
        return value
    kind, names = ("inputs", model.input_names) if what == "x" else ("outputs", model.output_names)
    if unknown := [str(name) for name in value if name not in names]:
        raise ArgumentError(
            f"{what} holds {', '.join(unknown)}, which is none of the model's {kind} {', '.join(names)}"
        )
    if missing := [name for name in names if name not in value]:
        raise ArgumentError(f"{what} holds nothing for {', '.join(missing)}; the model's {kind} are {', '.join(names)}")
    return [as_array(value[name], what) for name in names]


def to_batch(item: Any, model: Named) -> Batch:
    """A batch of what an iterable yielded."""
    if not isinstance(item, (tuple, list)) or not 1 <= len(item) <= 3:
        raise DataError("each batch must be (x, y) or (x, y, sample_weight)")
    x, y, weights = (*item, None, None)[:3]
    batch = Batch(
        [as_array(a, "x") for a in as_list(in_order(x, model, "x"))],
        [] if y is None else [as_array(a, "y") for a in as_list(in_order(y, model, "y"))],
        sample_weights(weights),
    )
    batch.check_finite()
    return batch


def sample_weights(value: Any) -> np.ndarray | None:
    """One number for each sample, or for each step of one, or None.

    Raises
    ------
    ArgumentError, DTypeError, ShapeError
        Something else, such as weights of classes.
    """
    if isinstance(value, Mapping):
        raise ArgumentError(
            "sample_weight must be an array of one number for each sample; it is a dict: class_weight takes weights of "
            "classes"
        )
    return None if value is None else as_array(value, "sample_weight").astype(np.float32, copy=False)


def checked_batch_size(batch_size: Any, argument: str = "batch_size") -> int:
    """A number of samples of at least 1; None is Keras' default."""
    if batch_size is None:
        return DEFAULT_BATCH_SIZE
    if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ArgumentError(f"{argument} must be a whole number of at least 1; it is {batch_size!r}")
    return int(batch_size)


def as_list(value: Any) -> list[Any]:
    """A list of one thing or of several; a list of numbers is one array."""
    if isinstance(value, (tuple, list)) and _are_arrays(value):
        return list(value)
    return [value]


def _are_arrays(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(hasattr(item, "shape") for item in value)


def _check_finite(array: np.ndarray, name: str) -> None:
    """Look for NaN and infinity a part at a time, so that no copy of the whole is made."""
    if array.dtype.kind != "f":
        return
    for start in range(0, len(array), 256):
        finite = np.isfinite(array[start : start + 256])
        if not finite.all():
            row = start + int(np.argmin(finite.reshape(len(finite), -1).all(axis=1)))
            raise DataError(f"{name} holds NaN or infinity, first in sample {row}; mend or leave out such samples")
