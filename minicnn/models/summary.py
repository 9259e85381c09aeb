"""The table that `model.summary()` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from minicnn.errors import DeviceError
from minicnn.layers import BatchNormalization, Layer

if TYPE_CHECKING:
    from .model import Model

HEADINGS = ("layer", "class", "output shape", "weights", "trainable", "batch norm")


def summary_lines(model: Model, groups: Sequence[Any] = ()) -> list[str]:
    """The lines of the table and of the totals below it; with groups of layers, those below the totals.

    Each group has `layers`, `name` and `parameters`; the last column says of which a layer is, 1 the nearest to the
    input.
    """
    numbers = {id(layer): str(number) for number, group in enumerate(groups, 1) for layer in group.layers}
    rows = [HEADINGS, *_rows(model, "")]
    if groups:
        layers = [None, *_layers(model)]
        rows = [(*row, numbers.get(id(layer), "") if layer else "group") for row, layer in zip(rows, layers)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(row: tuple[str, ...]) -> str:
        cells = [cell.rjust(w) if i == 3 else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths))]
        return "  ".join(cells).rstrip()

    ruler = "-" * (sum(widths) + 2 * (len(widths) - 1))
    trainable = sum(weight.size for weight in model.trainable_weights)
    total = model.count_params()
    return [
        f"model {model.name}{_place(model)}",
        line(rows[0]),
        ruler,
        *(line(row) for row in rows[1:]),
        ruler,
        f"weights {total:,} ({total * model.dtype.itemsize / 2**20:.1f} MiB)"
        f"   trainable {trainable:,}   frozen {total - trainable:,}",
        *(f"group {number}  {_group(group)}" for number, group in enumerate(groups, 1)),
    ]


def _place(model: Model) -> str:
    """Where a model is and how exact its products are, where that is not the CPU in float32."""
    try:
        device, precision = model.device, model.precision
    except DeviceError:
        return "   on several devices"
    if device == "cpu":
        return ""
    return f"   on {device}" if precision == "float32" else f"   on {device}, products in {precision}"


def _group(group: Any) -> str:
    """A group in words."""
    size = sum(parameter.size for parameter in group.parameters)
    trainable = sum(parameter.size for parameter in group.parameters if parameter.trainable)
    return f"{group.name}   weights {size:,}   trainable {trainable:,}"


def _layers(model: Model) -> Iterator[Layer]:
    """The layers of the table's rows."""
    for layer in model.layers:
        yield layer
        if hasattr(layer, "graph"):
            yield from _layers(layer)  # type: ignore[arg-type]


def _rows(model: Model, indent: str) -> Iterator[tuple[str, ...]]:
    model.program  # noqa: B018  (builds a Sequential)
    for layer in model.layers:
        yield (
            indent + layer.name,
            type(layer).__name__,
            _shape(layer),
            f"{layer.count_params():,}",
            _trainable(layer),
            _norm_mode(layer),
        )
        if hasattr(layer, "graph"):
            yield from _rows(layer, indent + "  ")  # type: ignore[arg-type]


def _shape(layer: Layer) -> str:
    shapes = layer.output_shape if hasattr(layer, "graph") else layer.nodes[0].outputs[0].shape
    return str(shapes).replace("None", "?")


def _trainable(layer: Layer) -> str:
    if not layer.weights:
        return ""
    learnable = [weight for weight in layer.weights if weight.learnable]
    count = sum(weight.trainable for weight in learnable)
    return "yes" if count == len(learnable) else "no" if not count else "partly"


def _norm_mode(layer: Layer) -> str:
    """How a BatchNormalization acts in training."""
    if not isinstance(layer, BatchNormalization):
        return ""
    return "batch statistics" if layer.trainable else "frozen: moving statistics"
