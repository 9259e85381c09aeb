"""The least time that a device could take: what it multiplies and moves in a second, by its data sheet.

    floor = max(operations / peak, bytes / bandwidth)

Each array is read or written once, in numbers of the precision: 2 bytes for bfloat16.  minicnn's arrays are float32 in
every precision, so there its own bytes are twice those of the floor.  Rates are dense (no sparsity), at the boost
clock, with float32 sums: data sheets of H200, H100, A100, L4 and T4, and the white papers "NVIDIA Ampere GA102 GPU
architecture" and "NVIDIA Ada GPU architecture".  What a data sheet promises is not reached by anyone: the rates are a
bound, not an aim.
"""

from collections.abc import Iterable
from math import prod
from typing import Any, NamedTuple

from minicnn.models import Model

BYTES = {"float32": 4, "tf32": 4, "bfloat16": 2, "float16": 2}


class Rates(NamedTuple):
    """TFLOP/s by precision, None where the device has no such units, and TB/s."""

    float32: float
    tf32: float | None
    bfloat16: float | None
    bandwidth: float


RATES = {  # by the name that the driver gives, exactly: "RTX 4090 Laptop GPU" is another device than "RTX 4090"
    "NVIDIA H200": Rates(67, 495, 990, 4.8),
    "NVIDIA H100 80GB HBM3": Rates(67, 495, 990, 3.35),
    "NVIDIA H100 PCIe": Rates(51, 378, 756, 2.0),
    "NVIDIA A100-SXM4-40GB": Rates(19.5, 156, 312, 1.555),
    "NVIDIA A100-SXM4-80GB": Rates(19.5, 156, 312, 2.039),
    "NVIDIA A100-PCIE-40GB": Rates(19.5, 156, 312, 1.555),
    "NVIDIA A100 80GB PCIe": Rates(19.5, 156, 312, 1.935),
    "NVIDIA L4": Rates(30.3, 60, 121, 0.3),
    "Tesla T4": Rates(8.1, None, None, 0.32),
    "NVIDIA GeForce RTX 3080": Rates(29.8, 29.8, 59.5, 0.76),
    "NVIDIA GeForce RTX 3090": Rates(35.6, 35.6, 71, 0.936),
    "NVIDIA GeForce RTX 4080": Rates(48.7, 48.7, 97.5, 0.717),
    "NVIDIA GeForce RTX 4090": Rates(82.6, 82.6, 165.2, 1.008),
}


class Work(NamedTuple):
    """What a layer does: operations, and the bytes of its input, weights and output in float32."""

    flops: float
    moved: float


def floor(device: str, precision: str, work: Work) -> float | None:
    """Seconds; None for a device that is not known, or that has no units for the precision."""
    rates = RATES.get(device)
    peak = getattr(rates, precision, None)
    if rates is None or peak is None:
        return None
    return max(work.flops / (1e12 * peak), work.moved * BYTES[precision] / (4e12 * rates.bandwidth))


def floors(device: str, work: Work) -> dict[str, float]:
    """Seconds by precision, where they are known; what only moves numbers has no other than float32."""
    named = BYTES if work.flops else ("float32",)
    return {precision: seconds for precision in named if (seconds := floor(device, precision, work)) is not None}


def network_floor(device: str, precision: str, works: Iterable[Work], training: bool) -> float | None:
    """The sum of the floors of layers; in a step of training thrice, but the first has no gradient of its input."""
    found = [floor(device, precision, work) for work in works]
    if not found or None in found:
        return None
    seconds: Any = found
    return 3 * sum(seconds) - seconds[0] if training else sum(seconds)


def works(model: Model, steps: Iterable[dict[str, Any]], batch: int) -> list[Work]:
    """The convolutions and dense layers of a model, as `minicnn.bench.steps.describe` tells it.

    All else can be done on numbers that are there anyway: it is not counted.
    """
    found = []
    for step in steps:
        if step["kind"] in ("Conv2D", "DepthwiseConv2D", "Dense"):
            layer: Any = model.get_layer(step["layer"])
            kernel = layer.get_weights()[0]
            outputs = prod(layer.output.shape[1:])
            channels = layer.input.shape[-1]
            inputs = prod(step["size"]) * channels if "size" in step else prod(layer.input.shape[1:])
            products = prod(kernel.shape[:2]) if step["kind"] == "DepthwiseConv2D" else prod(kernel.shape[:-1])
            numbers = batch * (inputs + outputs) + kernel.size
            found.append(Work(2.0 * batch * outputs * products, 4.0 * numbers))
    return found
