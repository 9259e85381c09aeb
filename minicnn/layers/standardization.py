"""Normalization: data brought to mean 0 and variance 1, by statistics of the data that are known beforehand."""

from collections.abc import Iterable
from math import prod
from numbers import Integral
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.arguments import items, numbers, switch
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, ShapeError

from .layer import Layer, checked_axis, plain_axis
from .symbolic import Shape

LEAST_DEVIATION = 1e-7


class Normalization(Layer):
    """y = (x - mean) / max(sqrt(variance), 1e-7), or with `invert` the way back: y = x max(sqrt(variance), 1e-7) + mean

    There is one mean and one variance for each position along `axis`: each channel, or with None all numbers together.
    They are arguments, or weights that `adapt` sets from data and that no training changes.

    >>> from minicnn.layers import Normalization
    >>> layer = Normalization()
    >>> layer.adapt(np.array([[1.0], [3.0]]))
    >>> layer(np.array([[1.0], [5.0]], np.float32)).numpy()
    array([[-1.],
           [ 3.]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **options: Any):
        super().__init__(**options)
        owner = f"layer {self.name}"
        axes = () if axis is None else (axis,) if isinstance(axis, Integral) else items(owner, "axis", axis)
        self.axis = tuple(plain_axis(one) for one in axes)
        if (mean is None) != (variance is None):
            raise ArgumentError(f"{owner}: mean and variance go together; they are {mean!r} and {variance!r}")
        self.mean: Any = None if mean is None else numbers(owner, "mean", mean).tolist()
        self.variance: Any = None if variance is None else numbers(owner, "variance", variance).tolist()
        if np.shape(self.mean) != np.shape(self.variance):
            raise ArgumentError(f"{owner}: mean and variance must have one shape; they are {mean!r} and {variance!r}")
        self.invert = switch(owner, "invert", invert)

    def build(self, input_shape: Shape) -> None:
        rank = len(input_shape)
        axes = sorted({checked_axis(self, axis, input_shape) for axis in self.axis})
        sizes = tuple(input_shape[axis] for axis in axes)
        if 0 in axes or None in sizes:
            raise ShapeError(
                f"layer {self.name}: Normalization needs a known size along axis {self.axis}, which leaves out the "
                f"batch; the input is {input_shape}"
            )
        if rank - 1 in axes:
            self.known_channels(input_shape)
        self._of_channels = axes == [rank - 1]
        self._broadcast: tuple[Any, ...] = tuple(input_shape[axis] if axis in axes else 1 for axis in range(rank))
        self._averaged = tuple(axis for axis in range(rank) if axis not in axes)
        if self.mean is None:
            self.statistics: list[Any] = [self.add_weight(*weight, trainable=False) for weight in _weights(sizes)]
        else:
            self.statistics = [self._constant(values, sizes) for values in (self.mean, self.variance)]
        self.built = True

    def _constant(self, values: Any, sizes: Any) -> Tensor:
        try:
            return Tensor(np.broadcast_to(np.asarray(values, self.dtype), sizes).copy())
        except ValueError:
            raise ShapeError(
                f"layer {self.name}: mean and variance of shape {np.shape(values)} do not fit inputs of size {sizes} "
                f"along axis {self.axis}"
            ) from None

    def adapt(self, data: Any) -> None:
        """Take mean and variance from data: an array, or an iterable of batches, each an array or a tuple (x, ...).

        Raises
        ------
        ArgumentError, ShapeError
            The statistics were given to the constructor, there are no data, or they do not fit earlier ones.
        """
        if self.mean is not None:
            raise ArgumentError(f"layer {self.name}: mean and variance were given, so there is nothing to adapt")
        count, mean, squares = 0, np.float64(0), np.float64(0)
        for batch in _batches(data):
            self._prepare((None, *batch.shape[1:]))
            if not batch.size:
                continue
            own = prod(batch.shape[axis] for axis in self._averaged)
            batch = batch.astype(np.float64)
            difference = batch.mean(self._averaged) - mean
            squares = squares + batch.var(self._averaged) * own + difference**2 * (count * own / (count + own))
            count += own
            mean = mean + difference * (own / count)
        if not count:
            raise ArgumentError(f"layer {self.name}: adapt needs data; there are none")
        self.statistics[0].assign(mean)
        self.statistics[1].assign(squares / count)

    def mean_and_deviation(self) -> tuple[np.ndarray, np.ndarray]:
        """Both with an axis for each of the input's, for use outside of minicnn."""
        mean, variance = (values.numpy().reshape(self._broadcast) for values in self.statistics[:2])
        return mean, np.maximum(np.sqrt(variance), mean.dtype.type(LEAST_DEVIATION))

    def call(self, x: Tensor, training: bool) -> Tensor:
        mean, variance = self.statistics[:2]
        if self._of_channels and not self.invert:  # the small number changes the variance where it is next to nothing
            return ops.batchnorm_infer(x, None, None, mean, variance, epsilon=LEAST_DEVIATION**2)
        deviation = ops.maximum(variance**0.5, Tensor(np.asarray(LEAST_DEVIATION, self.dtype)))
        mean, deviation = mean.reshape(*self._broadcast), deviation.reshape(*self._broadcast)
        return x * deviation + mean if self.invert else (x - mean) / deviation


def _weights(sizes: Any) -> list[tuple[str, Any, str]]:
    """(name, shape, initializer) of the weights; Keras keeps a count of the data, which it does not use."""
    return [("mean", sizes, "zeros"), ("variance", sizes, "ones"), ("count", (), "zeros")]


def _batches(data: Any) -> Iterable[np.ndarray]:
    """Arrays of samples."""
    if isinstance(data, Tensor) or hasattr(data, "dtype"):
        data = [data]
    for batch in data:
        yield np.asarray(batch[0] if isinstance(batch, tuple) else batch)
