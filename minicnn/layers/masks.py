"""Masks: which steps of sequences (N,T,...) count, as tensors (N,T) of 1 and 0 that travel with the sequences.

`Tensor.mask` holds it.  A layer that makes one sets it on its output (`Masking`, `Embedding`); a layer that heeds it
reads it from its input (the recurrent ones).  Every other layer either hands the mask of its input on, as its
`compute_mask` says, or, where `supports_masking` is False, lets it end there.  All as in Keras 3.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from minicnn import ops
from minicnn.autograd import Tensor

if TYPE_CHECKING:
    from .layer import Layer


def mask_of(inputs: Any) -> Any:
    """The mask of a tensor, or the list of those of several; None where no tensor has one."""
    if isinstance(inputs, Tensor):
        return inputs.mask
    if not isinstance(inputs, (list, tuple)):
        return None
    masks = [mask_of(value) for value in inputs]
    return masks if any(mask is not None for mask in masks) else None


def hand_on(layer: Layer, inputs: Any, outputs: Any) -> None:
    """Set the masks of a layer's outputs, unless the layer has done so itself."""
    mask = mask_of(inputs)
    if mask is None or not layer.supports_masking:
        return
    found = layer.compute_mask(inputs, mask)
    several = isinstance(outputs, (list, tuple))
    for output, own in zip(outputs if several else [outputs], found if isinstance(found, list) else [found]):
        if output.mask is None:
            output.mask = own


def either(masks: list[Any]) -> Any:
    """The steps that any of some masks keeps; no mask keeps all, which is no mask."""
    return None if any(mask is None for mask in masks) else reduce(ops.maximum, masks)
