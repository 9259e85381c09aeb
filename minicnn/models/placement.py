"""On which device a model is, and the refusals that follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minicnn import kernels
from minicnn.errors import DeviceError, UnsupportedError

if TYPE_CHECKING:
    from .network import Network


def place_of(model: Network) -> str | None:
    """Where the weights are, by whichever model of the same layers they were moved; None without any.

    Raises
    ------
    DeviceError
        They are in several places, since a model was moved that has only some of the layers.
    """
    places = {weight.device: layer.name for layer in model.layers for weight in layer.weights}
    if len(places) > 1:
        found = " and ".join(f"those of layer {layer} on {device}" for device, layer in places.items())
        raise DeviceError(
            f"model {model.name}: its weights are on several devices, {found}, since a model that has only some of "
            f"its layers was moved: call {' or '.join(f'model.to({device!r})' for device in places)}"
        )
    return next(iter(places), None)


def check_array(model: Network, place: str, device: str) -> None:
    """Raise DeviceError for an array of a place that is neither the host nor the model's device."""
    if place not in ("cpu", device):
        raise DeviceError(
            f"model {model.name} is on {device}, and got an array on {place}: call model.to({place!r}), or give "
            "arrays of the host"
        )


def check_destination(model: Network, device: str) -> None:
    """Raise what `Network.to` raises for a device that the model cannot run on."""
    if device == "cpu":
        return
    kernels.device(device)
    if wide := [weight.name for weight in model.weights if weight.dtype != np.float32]:
        raise UnsupportedError(
            f"model {model.name}: kernels for a GPU compute in float32, and {wide[0]} is {model.dtype}: make the "
            "model with dtype='float32'"
        )
