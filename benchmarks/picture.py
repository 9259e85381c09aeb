"""The ladder of conv2d as a picture, from results/kernels/: docs/ladder.svg, written by `benchmarks.tables`."""

import math
from typing import Any
from xml.sax.saxutils import escape

from minicnn import kernels

from .kernel_cases import TINY
from .ladders import significant

CASE = "VGG16 block2_conv2"
WIDTH, LEFT, BAR, GAP, TOP = 760, 120, 30, 12, 60
LOW, HIGH = -3, 3  # powers of ten of the axis, GFLOP/s


def render(results: dict[str, Any]) -> str:
    """One bar a rung, on a logarithmic axis; the reference from the tiny case, all others from CASE."""
    rates = {
        row["rung"]: row["rate"]
        for row in results["rows"]
        if row["direction"] == "forward" and row["case"] == (TINY if row["rung"] == "reference" else CASE)
    }
    rungs = [rung for rung in kernels.rungs("conv2d") if rung in rates]
    notes = {spec.rung: spec.note for spec in kernels.specs() if (spec.op, spec.direction) == ("conv2d", "forward")}
    notes["reference"] += " (timed on a tiny image)"
    height = TOP + len(rungs) * (2 * BAR + GAP)
    title = f"One convolution ({CASE}), one idea at a time; logarithmic scale"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="20" y="32" font-size="18" fill="#222">{title}</text>',
    ]
    for number, rung in enumerate(rungs):
        parts += _bar(TOP + number * (2 * BAR + GAP), rung, rates[rung], notes[rung])
    return "\n".join([*parts, "</svg>\n"])


def _bar(y: int, rung: str, rate: float, note: str) -> list[str]:
    share = (math.log10(rate) - LOW) / (HIGH - LOW)
    length = max(2, round(share * (WIDTH - LEFT - 160)))
    speed = f"{significant(rate)} GFLOP/s"
    return [
        f'<text x="20" y="{y + 20}" font-size="14" fill="#222">{rung}</text>',
        f'<rect x="{LEFT}" y="{y}" width="{length}" height="{BAR}" rx="4" fill="#4c78a8"/>',
        f'<text x="{LEFT + length + 8}" y="{y + 20}" font-size="14" fill="#222">{speed}</text>',
        f'<text x="{LEFT}" y="{y + BAR + 18}" font-size="12" fill="#666">{escape(note)}</text>',
    ]
