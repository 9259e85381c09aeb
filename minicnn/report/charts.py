"""The drawings of a report: line charts and dot plots as SVG text, coloured by the page's style sheet."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from minicnn.report.html import Markup, element, join

WIDTH, HEIGHT = 440, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 78, 22, 36
LABEL_GAP = 15


@dataclass(frozen=True)
class Line:
    """One curve: a name that is written at its end, a class of the style sheet, one value an epoch."""

    name: str
    style: str
    values: Sequence[float]


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """
    About `count` round numbers (1, 2 or 5 times a power of ten apart) that cover [low, high].

    Examples
    --------
    >>> nice_ticks(0.0, 0.93)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if high <= low:
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(multiple for multiple in (1, 2, 5, 10) if multiple * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def epoch_ticks(epochs: int) -> list[int]:
    """Whole epochs to mark, the first and the last among them."""
    inner = [int(tick) for tick in nice_ticks(1, max(epochs, 2), 5) if tick == int(tick)]
    spacing = max(epochs / 12, 0.5)
    kept = [tick for tick in inner if 1 + spacing < tick < epochs - spacing]
    return sorted({1, *kept, epochs})


def _spread(heights: list[float]) -> list[float]:
    """The heights in their order, moved apart until labels written there do not touch."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    placed = list(heights)
    for above, below in itertools.pairwise(order):
        placed[below] = max(placed[below], placed[above] + LABEL_GAP)
    overflow = max(placed[order[-1]] - (HEIGHT - BOTTOM), 0)
    return [height - overflow for height in placed]


def _path(xs: list[float], ys: list[float]) -> str:
    """Path data through the points; a point that is not finite leaves a gap."""
    words, pen = [], "M"
    for x, y in zip(xs, ys):
        if math.isfinite(y):
            words.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(words)


def line_chart(
    title: str,
    lines: Sequence[Line],
    describe: Callable[[float], str],
    *,
    bounds: tuple[float | None, float | None] = (None, None),
    boundary: int | None = None,
) -> Markup:
    """
    Curves over epochs, each named at its end.

    Parameters
    ----------
    describe : function
        Writes a value of the vertical axis.
    bounds : (low, high)
        Limits that the axis never passes; None leaves one free.
    boundary : int, optional
        A dotted line after this epoch: fine-tuning begins.
    """
    epochs = max(len(line.values) for line in lines)
    finite = [value for line in lines for value in line.values if math.isfinite(value)] or [0.0, 1.0]
    ticks = nice_ticks(min(finite), max(finite))
    ticks = [t for t in ticks if (bounds[0] is None or t >= bounds[0]) and (bounds[1] is None or t <= bounds[1])]
    low, high = min(ticks[0], *finite), max(ticks[-1], *finite)

    def across(epoch: float) -> float:
        share = (epoch - 1) / (epochs - 1) if epochs > 1 else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [element("title", title), *_axes(ticks, epochs, across, down, describe)]
    if boundary is not None and 0 < boundary < epochs:
        parts += _boundary(across(boundary + 0.5))
    parts += _curves(lines, across, down, describe)
    return element("svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=title, class_="chart")


def _axes(ticks, epochs, across, down, describe) -> list[Markup]:
    """Horizontal rules with their values, the epochs below, and the name of that axis."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for tick in ticks:
        y = f"{down(tick):.1f}"
        parts.append(element("line", x1=LEFT, x2=right, y1=y, y2=y, class_="rule"))
        parts.append(element("text", describe(tick), x=LEFT - 8, y=y, dy="0.32em", class_="tick end"))
    for epoch in epoch_ticks(epochs):
        parts.append(element("text", str(epoch), x=f"{across(epoch):.1f}", y=bottom + 16, class_="tick middle"))
    parts.append(element("text", "epoch", x=(LEFT + right) / 2, y=HEIGHT - 4, class_="tick middle"))
    return parts


def _boundary(x: float) -> list[Markup]:
    """The dotted line where fine-tuning begins."""
    return [
        element("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=TOP, y2=HEIGHT - BOTTOM, class_="boundary"),
        element("text", "fine-tuning", x=f"{x:.1f}", y=TOP - 8, class_="tick middle"),
    ]


def _curves(lines, across, down, describe) -> list[Markup]:
    """Each curve with a dot, its name and its last value at its end."""
    parts, ends = [], []
    for line in lines:
        xs = [across(i + 1) for i in range(len(line.values))]
        ys = [down(value) if math.isfinite(value) else math.nan for value in line.values]
        parts.append(element("path", d=_path(xs, ys), class_=f"curve {line.style}"))
        last = next((i for i in reversed(range(len(ys))) if math.isfinite(ys[i])), None)
        if last is not None:
            ends.append((line, xs[last], ys[last], line.values[last]))
    if not ends:
        return parts
    for (line, x, y, value), height in zip(ends, _spread([y for _, _, y, _ in ends])):
        parts.append(element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="3", class_=f"dot {line.style}"))
        text = f"{line.name} {describe(value)}"
        parts.append(
            element("text", text, x=f"{x + 8:.1f}", y=f"{height:.1f}", dy="0.32em", class_=f"name {line.style}")
        )
    return parts


def fold_chart(
    values: Sequence[float], mean: float, interval: tuple[float, float], span: tuple[float, float]
) -> Markup:
    """The accuracy of every fold as a dot, their mean and its interval as a bar, on a scale that covers `span`."""
    ticks = nice_ticks(*span)
    low, high, width, height = ticks[0], ticks[-1], 440, 92

    def across(value: float) -> float:
        return 20 + (value - low) / (high - low) * (width - 40)

    left, right, middle = across(interval[0]), across(interval[1]), across(mean)
    parts = [element("title", "accuracy of each fold")]
    for tick in ticks:
        x = f"{across(tick):.1f}"
        parts.append(element("line", x1=x, x2=x, y1=8, y2=66, class_="rule"))
        parts.append(element("text", f"{tick:.0%}", x=x, y=84, class_="tick middle"))
    parts.append(element("rect", x=f"{left:.1f}", y=18, width=f"{right - left:.1f}", height=38, class_="interval"))
    parts.append(element("line", x1=f"{middle:.1f}", x2=f"{middle:.1f}", y1=14, y2=60, class_="curve validation"))
    dots = [element("circle", cx=f"{across(v):.1f}", cy=37, r=4.5, class_="dot validation") for v in values]
    return element(
        "svg",
        join(*parts, *dots),
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label="accuracy of each fold",
        class_="chart",
    )
