"""The tables of a measurement on a GPU: in the terminal, in docs/gpu.md, and one line for each row as it comes."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from ..figures import table
from .cases import PRECISIONS, TASKS
from .layers import TORCH, default_rung, precision_of
from .result import newest

Row = dict[str, Any]
NETWORK_HEADER = ["network", "images", "precision", "minicnn", "PyTorch", "torch.compile", "times as fast", "floor"]
LAYER_HEADER = ["layer", "precision", "rung by default", "minicnn", "PyTorch", "times as fast", "floor", "fastest rung"]
COMPARED = (
    'minicnn\'s time of a layer, and "times as fast" as PyTorch, are those of the rung that runs by default in that '
    "precision; the fastest rung is named where it is another one."
)
PEERS = {"torch": "PyTorch", "torch-compile": "torch.compile"}


def render() -> str:
    """The tables of docs/gpu.md, from the newest result of a GPU."""
    result = newest()
    if result is None:
        return "Nothing was measured on a GPU yet: `python -m benchmarks.gpu` does it."
    parts = [table(header, rows) for header, rows in _tables(result, _is_forward)]
    return "\n\n".join([*parts, *_footnotes(result, _is_forward), source(result)])


def text(result: dict[str, Any]) -> str:
    """The tables for a terminal, and what is missing in them."""
    parts = ["EMULATED: the times mean nothing"] if result["emulated"] else [source(result)]
    parts += [_aligned(header, rows) for header, rows in _tables(result, _is_layer)]
    parts += _footnotes(result, _is_layer)
    reasons = Counter(result["left_out"].values())
    parts += [f"left out, {why}: {count} part{'s' if count > 1 else ''}" for why, count in reasons.items()]
    parts += [f"FAILED: {what}: {why}" for kind in ("failed", "lost") for what, why in result[kind].items()]
    parts += [
        f"WRONG: {_what(row)}, {name}: {why}" for row in result["rows"] for name, why in row.get("wrong", {}).items()
    ]
    return "\n\n".join(parts)


def line(row: Row) -> str:
    """What a row says, in short."""
    times = ", ".join(f"{name} {duration(seconds)}" for name, seconds in row["seconds"].items())
    wrong = "".join(f"; WRONG: {name}: {why}" for name, why in row.get("wrong", {}).items())
    return f"{_what(row)}: {times}{wrong}"


def source(result: dict[str, Any]) -> str:
    """By which command, on which device, with which versions, and when."""
    device = result["device"]
    versions = "".join(f", {name} {found}" for name, found in device["versions"].items())
    driver = f", driver {device['driver']}" if "driver" in device else ""
    return f"`{result['command']}`, {device['name']}{driver}{versions}, {result['machine']['date']}."


def _tables(result: dict[str, Any], shown: Callable[[Row], bool]) -> list[tuple[list[str], list[list[str]]]]:
    """(header, rows) of networks and of layers, where there are any."""
    networks = [_network(row) for row in result["rows"] if "model" in row]
    found = [row for row in result["rows"] if shown(row)]
    layers = [cells for row in found for precision in PRECISIONS if (cells := _layer(row, precision))]
    pairs = [(NETWORK_HEADER, networks), (LAYER_HEADER, layers)]
    return [(header, rows) for header, rows in pairs if rows]


def _network(row: Row) -> list[str]:
    seconds = row["seconds"]
    peers = [seconds[name] for name in PEERS if name in seconds]
    ratio = f"{min(peers) / seconds['minicnn']:.2f}" if peers else ""
    times = [duration(seconds[name]) if name in seconds else "" for name in ("minicnn", *PEERS)]
    name = f"{row['model']}, {TASKS[row['task']]}"
    return [name, str(row["batch"]), row["precision"], *times, ratio, _duration(row["floor"])]


def _layer(row: Row, precision: str) -> list[str]:
    """The rung by default in a precision against PyTorch, and the fastest; nothing where none of it was timed."""
    own = {
        name: s for name, s in row["seconds"].items() if name not in TORCH.values() and precision_of(name) == precision
    }
    if not own:
        return []
    fastest, default = min(own, key=own.__getitem__), default_rung(row, precision) or "not known"
    seconds, peer = own.get(default), row["seconds"].get(TORCH[precision])
    ratio = f"{peer / seconds:.2f}" if peer and seconds else ""
    times = [_duration(seconds), _duration(peer), ratio, _duration(row["floors"].get(precision))]
    faster = "" if fastest == default else f"{fastest}, {duration(own[fastest])}"
    return [_what(row), precision, default, *times, faster]


def _footnotes(result: dict[str, Any], shown: Callable[[Row], bool]) -> list[str]:
    """What is compared in the table of layers, and why PyTorch's column is empty where it is."""
    rows = [row for row in result["rows"] if shown(row)]
    without: dict[str, dict[str, None]] = {}
    for row in rows:
        reasons = {**row.get("left_out", {}), **row.get("wrong", {})}
        for precision, engine in TORCH.items():
            if engine in reasons:
                named = f"{row['op']} {row['direction']}{'' if precision == 'float32' else f' in {precision}'}"
                without.setdefault(reasons[engine], {})[named] = None
    lines = [f"No time of PyTorch ({why}): {', '.join(names)}." for why, names in without.items()]
    return ["\n".join([COMPARED, *lines])] if rows else []


def duration(seconds: float) -> str:
    """
    >>> duration(0.01234), duration(0.2), duration(54.2e-6)
    ('12.3 ms', '200 ms', '54.2 µs')
    """
    value, unit = (1e3 * seconds, "ms") if seconds >= 1e-3 else (1e6 * seconds, "µs")
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)


def _is_layer(row: Row) -> bool:
    return "op" in row


def _is_forward(row: Row) -> bool:
    return row.get("direction") == "forward"


def _what(row: Row) -> str:
    return row["job"] if "model" in row else f"{row['op']} {row['direction']}, {row['case']}: {row['shape']}"


def _aligned(header: list[str], rows: list[list[str]]) -> str:
    """Columns of equal width: text on the left, numbers on the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    left = [not any(row[i][:1].isdigit() for row in rows) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(w) if to_left else cell.rjust(w) for cell, w, to_left in zip(cells, widths, left)).rstrip()
        for cells in lines
    )
