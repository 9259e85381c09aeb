"""One convolution with bias and ReLU by several engines, in turns: what `minicnn bench layer` does."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from minicnn import kernels

from . import engines
from .cases import Layer, window_text
from .shapes import layer_of

PEERS = ("torch", "torch-channels-last", "torch-packed", "onnxruntime")


class Convolution(NamedTuple):
    """A convolution on so many images."""

    name: str
    layer: Layer
    batch: int

    def as_json(self) -> dict[str, Any]:
        """What peers/layer.py reads."""
        x, taps, filters, strides, padding, dilation, groups, _ = self.layer
        window = kernels.resolve_window((x[0], x[1]), taps, strides, padding, dilation, groups)
        places = {"kind": "Conv2D", "layer": "conv", "activation": "relu", "inputs": [0], "output": 1}
        step = {**places, **window._asdict(), "taps": taps, "size": x[:2]}
        return {"step": step, "x": (self.batch, *x), "w": (*taps, x[2] // groups, filters)}


def measure(running: list[engines.Engine], convolution: Convolution, rounds: int) -> dict[str, Any]:
    """One row: medians, quartiles and ratios.

    Raises
    ------
    ArithmeticError
        An engine computes something else than minicnn.
    """
    able = engines.able(running, "layer", convolution, convolution.batch)
    errors = engines.errors_of(able, "layer", convolution, convolution.batch)
    shape = window_text(convolution.layer, convolution.batch, convolution.layer.filters)
    row = {"op": "conv2d", "case": convolution.name, "shape": shape, "batch": convolution.batch, "rounds": rounds}
    return {**row, **engines.timed(able, "layer", convolution, convolution.batch, rounds), "errors": errors}


def compare_with(
    name: str, peers: Sequence[str], python: str, batch: int, size: int, threads: int, rounds: int
) -> dict[str, Any]:
    """One convolution, by its name or its sizes.

    Raises
    ------
    MissingExtraError, ArgumentError, ShapeError, UnsupportedError, ArithmeticError
    """
    layer = layer_of("conv2d", name, batch, size)
    engines.check_installed(peers, python)
    with engines.running(peers, python, threads) as processes:
        return {**measure(processes, Convolution(name, layer, batch), rounds), "threads": threads}
