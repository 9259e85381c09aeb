"""Theano kernels in Keras 1 and 2 files: convolution with a flipped kernel, and channels before rows.

The one-dimensional kernels of Keras 1, whichever computed them, are two-dimensional ones of width 1.

Theano computed true convolution, TensorFlow cross-correlation: a kernel trained with Theano is turned by 180 degrees.
Keras 1 with dim_ordering "th" stored kernels as (F, C, KH, KW); Keras' own layout is (KH, KW, C, F), that of transposed
convolutions (KH, KW, F, C).
Source: keras 2.15, preprocess_weights_for_loading and conv_utils.convert_kernel.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import DTypeLike

from .entries import WeightEntry
from .roles import role_of


@dataclass(frozen=True)
class KernelOrder:
    """How a file stores convolution kernels: `channels_first` (F, C, KH, KW), `flipped` in rows and columns."""

    channels_first: bool = False
    flipped: bool = False

    @classmethod
    def of(cls, path: str, version: str | None, backend: str | None, config: dict | None) -> "KernelOrder":
        """Decide from the backend named in the file, a Keras 1 config, or the names of the published files."""
        name = os.path.basename(path)
        old = version is None or version.startswith("1.")
        ordering = _dim_ordering(config) if old and config else None
        channels_first = ordering == "th" or (old and ordering is None and "th_dim_ordering" in name)
        if backend is not None:
            return cls(channels_first, backend == "theano")
        theano = "th_kernels" in name or (ordering == "th" and "tf_kernels" not in name)
        return cls(channels_first, old and theano)

    def entry(self, entry: WeightEntry, transposed: bool = False) -> WeightEntry:
        """The entry as Keras would hold it; other arrays than convolution kernels stay as they are.

        Keras 1 stored the kernel of a `transposed` convolution as that of any other: (KH, KW, C, F), or filters first.
        """
        rank = len(entry.shape)
        if role_of(entry.name) != "kernel" or rank not in (3, 4, 5):
            return entry
        axes = self._axes(rank, transposed)
        if axes == (*range(rank),) and not self.flipped:
            return entry
        turn = (slice(None, None, -1),) * (rank - 2) if self.flipped else ()

        def read(expected_shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
            expected = tuple(expected_shape)
            stored = tuple(expected[axes.index(axis)] for axis in range(rank)) if len(expected) == rank else expected
            return np.ascontiguousarray(entry.read(stored, dtype).transpose(axes)[turn])

        return replace(entry, shape=tuple(entry.shape[axis] for axis in axes), read=read)

    def _axes(self, rank: int, transposed: bool) -> tuple[int, ...]:
        """Which stored axis is which of Keras' own: the taps, then channels and filters."""
        *taps, channels, filters = (*range(2, rank), 1, 0) if self.channels_first and rank > 3 else range(rank)
        return (*taps, filters, channels) if transposed else (*taps, channels, filters)


ROWS = ("Convolution1D", "AtrousConvolution1D")  # whose kernels Keras 1 stored as (K, 1, C, F), in either ordering
TRANSPOSED = ("Deconvolution2D",)


def layers_of(config: dict | None, classes: tuple[str, ...]) -> set[str]:
    """The names of the layers of some classes."""
    found = set()
    for item in _dicts(config):
        if item.get("class_name") in classes and isinstance(item.get("config"), dict):
            found.add(item["config"].get("name"))
    return {name for name in found if isinstance(name, str)}


def without_width(entry: WeightEntry) -> WeightEntry:
    """A kernel (K, 1, C, F) as (K, C, F); another array as it is."""
    if len(entry.shape) != 4 or entry.shape[1] != 1:
        return entry

    def read(expected_shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
        taps, *rest = expected_shape
        return entry.read((taps, 1, *rest), dtype).reshape(expected_shape)

    return replace(entry, shape=(entry.shape[0], *entry.shape[2:]), read=read)


def _dim_ordering(config: dict) -> str | None:
    """The first "dim_ordering" in a config ("th" or "tf"); all layers of a Keras 1 model have the same."""
    found = (item.get("dim_ordering") for item in _dicts(config))
    return next((ordering for ordering in found if isinstance(ordering, str) and ordering in ("th", "tf")), None)


def _dicts(config: object) -> Iterator[dict]:
    """The objects in a config, at any depth."""
    left: list[object] = [config]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            yield item
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)
