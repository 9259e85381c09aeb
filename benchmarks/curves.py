"""Accuracy against the number of pictures, from results/few_pictures.json: docs/few_pictures.svg."""

import math
from collections.abc import Iterable
from typing import Any

from .figures import WAYS

WIDTH, HEIGHT = 480, 400
LEFT, RIGHT, TOP, BOTTOM = 58, 20, 112, 48
COLOURS = {"scratch": "#e45756", "features": "#9d9d9d", "finetuned": "#4c78a8", "continued": "#54a24b"}
DOT = 5  # by so much the ways stand beside each other, so that no interval hides another


def render(result: dict[str, Any]) -> str:
    """A line for each way, with the 95 % interval of each of its points."""
    counts = [row["pictures_a_class"] for row in result["rows"]]
    limits = [limit for row in result["rows"] for way in row["ways"].values() for limit in way["accuracy_interval"]]
    low, high = math.floor(10 * max(0, min(limits))) / 10, math.ceil(10 * min(1, max(limits))) / 10

    def across(count: int) -> float:
        share = math.log(count / counts[0]) / (math.log(counts[-1] / counts[0]) or 1)
        return LEFT + 30 + share * (WIDTH - LEFT - RIGHT - 60)

    def up(accuracy: float) -> float:
        share = (min(max(accuracy, low), high) - low) / (high - low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for step in range(round(10 * low), round(10 * high) + 1):
        parts += _grid(up(step / 10), f"{10 * step} %")
    for count in counts:
        parts.append(_text(across(count), HEIGHT - BOTTOM + 20, str(count), "middle"))
    parts.append(_text((LEFT + WIDTH) / 2, HEIGHT - 8, "pictures of each class", "middle"))
    ways = list(result["rows"][0]["ways"])
    for number, way in enumerate(ways):
        colour, aside = COLOURS[way], DOT * (number - (len(ways) - 1) / 2)
        found = [(across(row["pictures_a_class"]) + aside, row["ways"][way]) for row in result["rows"]]
        points = [(x, up(f["accuracy"]), [up(limit) for limit in f["accuracy_interval"]]) for x, f in found]
        parts += [*_line(points, colour), *_legend(number, WAYS[way], colour)]
    return "\n".join([*parts, "</svg>\n"])


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="16" fill="#222" text-anchor="{anchor}">{text}</text>'


def _grid(y: float, text: str) -> list[str]:
    line = f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>'
    return [line, _text(LEFT - 8, y + 5, text, "end")]


def _line(points: list[tuple[float, float, list[float]]], colour: str) -> Iterable[str]:
    """The curve, with a bar and a dot for each point (x, y, ends of its interval)."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="3"/>'
    for x, y, (one, other) in points:
        yield f'<line x1="{x:.1f}" y1="{one:.1f}" x2="{x:.1f}" y2="{other:.1f}" stroke="{colour}" stroke-width="2"/>'
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{DOT}" fill="{colour}"/>'


def _legend(number: int, text: str, colour: str) -> list[str]:
    y = 22 + 23 * number
    return [f'<circle cx="{LEFT}" cy="{y - 5}" r="{DOT}" fill="{colour}"/>', _text(LEFT + 14, y, text)]
