"""Kernels under the roof of this machine, from results/kernels/: docs/roofline.svg, written by `benchmarks.tables`.

A kernel that does few operations for each byte waits for memory, one that does many for its multipliers; the roof is
what either lets through.  Dots above it are no mistake: Winograd's rungs do fewer operations than are counted, and what
stays in a cache does not wait for memory.
"""

import math
from typing import Any
from xml.sax.saxutils import escape

from .kernel_cases import TINY
from .ladders import significant

WIDTH, LEFT, TOP, PLOT_W, PLOT_H = 860, 70, 60, 750, 380
LEAST, MOST = (0.25, 3.0), (1024.0, 1000.0)  # (operations a byte, GFLOP/s) at the lower left and the upper right
ABOVE = "Winograd’s rungs do fewer operations than are counted; caches are faster than memory"
RADIUS = 9  # of a dot
ROW = 22  # height of a line of the legend
COLORS = {"conv2d": "#4c78a8", "depthwise_conv2d": "#e45756", "conv2d_transpose": "#72b7b2", "dense": "#f58518"}


def render(measured: dict[str, dict[str, Any]]) -> str:
    """The fastest rung of every layer that was timed on conv2d's machine, numbered, and the roof over them."""
    machine, peaks = _machine(measured["conv2d"]), measured["conv2d"]["peaks"]
    rows = fastest([row for results in measured.values() if _machine(results) == machine for row in results["rows"]])
    height = TOP + PLOT_H + 70 + ROW * math.ceil(len(rows) / 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        '<text x="20" y="32" font-size="18" fill="#222">Layers under the roof of this machine</text>',
        f'<text x="{LEFT + PLOT_W}" y="{TOP - 10}" font-size="12" fill="#666" text-anchor="end">{ABOVE}</text>',
        *_axes(),
        *_roof(peaks["gflops"], peaks["gb_per_s"]),
    ]
    places: list[tuple[float, float]] = []
    for number, row in enumerate(rows, 1):
        places.append(_free(_at(row["flops"] / row["bytes"], row["rate"]), places))
        parts += _mark(*places[-1], number, row) + _entry(number, row)
    return "\n".join([*parts, "</svg>\n"])


def _machine(results: dict[str, Any]) -> dict[str, Any]:
    """The machine and the versions of a measurement, without its date."""
    return {**results["machine"], "date": ""}


def fastest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The fastest forward rung of each case that computes something, in the order of their operations a byte."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row["direction"] == "forward" and row.get("flops") and row["case"] != TINY:
            key = row["op"], row["case"]
            found[key] = max(found.get(key, row), row, key=lambda r: r["rate"])
    return sorted(found.values(), key=lambda row: row["flops"] / row["bytes"])


def _at(intensity: float, rate: float) -> tuple[float, float]:
    """Where a point lies; both axes are logarithmic."""
    shares = [math.log(v / a) / math.log(b / a) for v, a, b in zip((intensity, rate), LEAST, MOST)]
    return round(LEFT + shares[0] * PLOT_W, 1), round(TOP + (1 - shares[1]) * PLOT_H, 1)


def _axes() -> list[str]:
    right, bottom = LEFT + PLOT_W, TOP + PLOT_H
    parts = []
    for rate in (10, 100, 1000):
        _, y = _at(LEAST[0], rate)
        parts += [
            f'<line x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}" stroke="#ddd"/>',
            f'<text x="{LEFT - 8}" y="{y + 4}" font-size="12" fill="#666" text-anchor="end">{rate}</text>',
        ]
    for intensity in (0.25, 1, 4, 16, 64, 256, 1024):
        x, _ = _at(intensity, LEAST[1])
        parts += [
            f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{bottom}" stroke="#eee"/>',
            f'<text x="{x}" y="{bottom + 18}" font-size="12" fill="#666" text-anchor="middle">{intensity:g}</text>',
        ]
    label = "operations for each byte that has to be read or written"
    return [
        *parts,
        f'<text x="{LEFT}" y="{TOP - 10}" font-size="12" fill="#666" text-anchor="middle">GFLOP/s</text>',
        f'<text x="{right}" y="{bottom + 38}" font-size="12" fill="#666" text-anchor="end">{label}</text>',
    ]


def _roof(gflops: float, gb_per_s: float) -> list[str]:
    """The line of memory up to where it meets that of the multipliers."""
    ridge = gflops / gb_per_s
    low = max(LEAST[0], LEAST[1] / gb_per_s)
    points = [_at(low, low * gb_per_s), _at(ridge, gflops), _at(MOST[0], gflops)]
    (x, y), (ridge_x, level) = points[:2]
    said = [f"{significant(gb_per_s)} GB/s from memory", f"{significant(gflops)} GFLOP/s of multiply-adds"]
    slope = math.degrees(math.atan2(level - y, ridge_x - x))
    along = f'x="{x + 50}" y="{y + 18}" transform="rotate({slope:.1f} {x} {y})"'
    return [
        f'<polyline points="{" ".join(f"{a},{b}" for a, b in points)}" fill="none" stroke="#222" stroke-width="2"/>',
        f'<text {along} font-size="12" fill="#222">{said[0]}</text>',
        f'<text x="{ridge_x + 6}" y="{level - 8}" font-size="12" fill="#222">{said[1]}</text>',
    ]


def _free(place: tuple[float, float], taken: list[tuple[float, float]]) -> tuple[float, float]:
    """The place, or one beside it where a dot would hide another's number."""
    x, y = place
    while any(math.dist((x, y), other) < 2 * RADIUS for other in taken):
        x += RADIUS
    return x, y


def _mark(x: float, y: float, number: int, row: dict[str, Any]) -> list[str]:
    return [
        f'<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="{COLORS[row["op"]]}" fill-opacity="0.9"/>',
        f'<text x="{x}" y="{y + 4}" font-size="10" fill="white" text-anchor="middle">{number}</text>',
    ]


def _entry(number: int, row: dict[str, Any]) -> list[str]:
    """A line of the legend, which has two columns."""
    x = 30 + (number - 1) % 2 * (WIDTH // 2)
    y = TOP + PLOT_H + 66 + (number - 1) // 2 * ROW
    text = f"{row['op']}, {row['case']}: {significant(row['rate'])} GFLOP/s, {row['rung']}"
    return [
        *_mark(x, y, number, row),
        f'<text x="{x + 16}" y="{y + 4}" font-size="12" fill="#222">{escape(text)}</text>',
    ]
