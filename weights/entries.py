"""What is in a weights file: layers with weights that can be described, and read when a place for them is known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class WeightEntry:
    """One stored array.

    Attributes
    ----------
    name : str
        As the file has it: "conv1/kernel:0", or "0" in Keras 3 files.
    shape : tuple of int
        In Keras' layout; Theano kernels are listed as they will be read.
    dtype : str
        How it is stored.
    read : callable
        `read(expected_shape, dtype)` returns a new C-contiguous array, float32 or float64, that the caller owns.
        It raises FileFormatError for another shape before anything is allocated.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[..., np.ndarray]


@dataclass(frozen=True)
class LayerEntry:
    """One layer of a file, also those without weights.

    Attributes
    ----------
    name : str
        The layer's name; where a Keras 3 file does not say it, its path component.
    path : str
        Its group: the name in legacy files, "layers/functional/layers/conv2d" in Keras 3 files.
    weights : list of WeightEntry
        In file order. In legacy files the weights of a nested model are all in the one entry of that model.
    """

    name: str
    path: str
    weights: list[WeightEntry] = field(default_factory=list)


class Closable(Protocol):
    def close(self) -> None: ...


@dataclass
class WeightFile:
    """An opened weights file; use it in a `with` block, weights are read while it is open.

    Attributes
    ----------
    path : str
    format : str
        "legacy weights", "legacy model", "Keras 3 weights", "Keras 3 archive", "safetensors" or "PyTorch state dict".
    keras_version : str or None
        The version that wrote it, where the file says so.
    config, training_config : dict or None
        The model's architecture and how it was compiled: data, never code.
    metadata : dict or None
        What minicnn stored beside the weights: class names, preprocessing, ...
    layers : list of LayerEntry
    channels_first : bool
        The file comes from a model with images of (C, H, W): rows of a Dense layer after Flatten are in that order.
    """

    path: str
    format: str
    layers: list[LayerEntry]
    keras_version: str | None = None
    config: dict | None = None
    training_config: dict | None = None
    metadata: dict | None = None
    channels_first: bool = False
    _file: Closable | None = field(default=None, repr=False)

    @property
    def is_legacy(self) -> bool:
        return self.format.startswith("legacy")

    def __enter__(self) -> "WeightFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
