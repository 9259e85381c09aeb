"""Grouped convolutions that Keras computed by a depthwise one: its kernels in the form of today's `groups`.

Before Conv2D had groups, ResNeXt had a DepthwiseConv2D with as many results of each channel as a group has filters,
which were then added up over the channels of the group.  With G groups of I channels and O filters each:

    y[n, h, w, g O + o] = sum over i of (depthwise of channel g I + i)[o]

    depthwise kernel  d (KH, KW, G I, O)   ->   kernel  w (KH, KW, I, G O),   w[.., i, g O + o] = d[.., g I + i, o]

Source: keras-team/keras-applications 1.0.8, resnext.py.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import DTypeLike

from .entries import WeightEntry
from .roles import role_of
from .spec import LayerSpec


def with_groups(layer: LayerSpec, weights: Sequence[WeightEntry]) -> list[WeightEntry]:
    """The weights of a layer; a depthwise kernel as the kernel of the grouped convolution that the layer is."""
    if layer.class_name != "Conv2D":
        return list(weights)
    kernel = next((tuple(weight.shape) for weight in layer.weights if weight.name == "kernel"), ())
    return [_grouped(entry, kernel) if role_of(entry.name) == "depthwise_kernel" else entry for entry in weights]


def _grouped(entry: WeightEntry, kernel: tuple[int, ...]) -> WeightEntry:
    if len(entry.shape) != 4 or len(kernel) != 4:
        return entry
    *taps, channels, filters = entry.shape
    inside, groups = kernel[2], kernel[3] // max(filters, 1)
    if (*taps, groups * inside, groups * filters) != (*kernel[:2], channels, kernel[3]):
        return entry

    def read(expected_shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
        stored = entry.read(entry.shape, dtype).reshape(*taps, groups, inside, filters)
        return np.ascontiguousarray(stored.swapaxes(2, 3)).reshape(expected_shape)

    return replace(entry, name=entry.name.replace("depthwise_kernel", "kernel"), shape=kernel, read=read)
