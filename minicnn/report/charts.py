"""The drawings of a report: line charts and dot plots as SVG text, coloured by the page's style sheet."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from minicnn.report.html import Markup, element, join
from minicnn.report.words import axis_percent

WIDTH, HEIGHT = 440, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 78, 22, 36
LABEL_GAP = 29  # a value with its name below
DOT = 4.5


@dataclass(frozen=True)
class Line:
    """One curve: a name that is written at its end, a class of the style sheet, one value an epoch."""

    name: str
    style: str
    values: Sequence[float]


@dataclass(frozen=True)
class Border:
    """Where one phase of training ends and the next begins: the last epoch of the first, and the names of both."""

    epoch: int
    before: str
    after: str


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
    overflow = max(placed[order[-1]] - (HEIGHT - BOTTOM - LABEL_GAP / 2), 0)
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
    border: Border | None = None,
) -> Markup:
    """
    Curves over epochs, each with its last value and its name at its end.

    Parameters
    ----------
    describe : function
        Writes a value of the vertical axis.
    bounds : (low, high)
        Limits that the axis never passes; None leaves one free.
    border : Border, optional
        Two phases are told apart by a line, a shade and their names.
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

    parts = [element("title", title)]
    if border is not None and 0 < border.epoch < epochs:
        parts += _border(border, across(border.epoch + 0.5))
    parts += [*_axes(ticks, epochs, across, down, describe), *_curves(lines, across, down, describe)]
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


def _border(border: Border, x: float) -> list[Markup]:
    """The shade of the second phase, the line before it, and the names of both phases on either side."""
    top, bottom, right = TOP - 18, HEIGHT - BOTTOM, WIDTH - RIGHT
    shade = element("rect", x=f"{x:.1f}", y=TOP, width=f"{right - x:.1f}", height=bottom - TOP, class_="shade")
    line = element("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=top, y2=bottom, class_="border")
    before = element("text", border.before, x=f"{x - 6:.1f}", y=TOP - 9, class_="phase end")
    return [shade, line, before, element("text", border.after, x=f"{x + 6:.1f}", y=TOP - 9, class_="phase")]


def _curves(lines, across, down, describe) -> list[Markup]:
    """Each curve with a dot, its last value and its name at its end."""
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
        left = f"{x + 9:.1f}"
        name = element("tspan", line.name, x=left, dy="1.15em", class_="tick")
        parts.append(element("text", describe(value), name, x=left, y=f"{height:.1f}", class_=f"name {line.style}"))
    return parts


def fold_chart(
    values: Sequence[float], mean: float, interval: tuple[float, float], span: tuple[float, float]
) -> Markup:
    """The accuracy of every fold as a dot, their mean and its interval as a bar, on a scale that covers `span`."""
    ticks = nice_ticks(*span)
    low, high, width = ticks[0], ticks[-1], 440

    def across(value: float) -> float:
        return 20 + (value - low) / (high - low) * (width - 40)

    xs = [across(value) for value in values]
    heights = _heaped(xs)
    half = max(20.0, *(abs(height) + 2 * DOT for height in heights))
    bottom = 2 * half + 28
    left, right, middle = across(interval[0]), across(interval[1]), across(mean)
    parts = [element("title", "accuracy of each round")]
    for tick in ticks:
        x = f"{across(tick):.1f}"
        parts.append(element("line", x1=x, x2=x, y1=4, y2=bottom, class_="rule"))
        parts.append(element("text", axis_percent(tick), x=x, y=bottom + 18, class_="tick middle"))
    box = {"x": f"{left:.1f}", "y": 14, "width": f"{right - left:.1f}", "height": 2 * half}
    parts.append(element("rect", **box, class_="interval"))
    parts.append(element("line", x1=f"{middle:.1f}", x2=f"{middle:.1f}", y1=10, y2=bottom - 10, class_="curve mean"))
    for value, x, height in zip(values, xs, heights):
        title = element("title", axis_percent(value))
        place = {"cx": f"{x:.1f}", "cy": f"{14 + half + height:.1f}", "r": DOT}
        parts.append(element("circle", title, **place, class_="dot validation ringed"))
    return element(
        "svg",
        join(*parts),
        viewBox=f"0 0 {width} {bottom + 26:.0f}",
        role="img",
        aria_label="accuracy of each round",
        class_="chart",
    )


def _heaped(xs: list[float]) -> list[float]:
    """How far each dot moves up or down from the middle, so that none hides another."""
    levels: list[int] = []
    for i, x in enumerate(xs):
        taken = {level for other, level in zip(xs[:i], levels) if abs(other - x) < 2 * DOT + 1}
        levels.append(next(level for level in _outwards() if level not in taken))
    gap = min(2 * DOT + 2, 60 / max([1, *map(abs, levels)]))
    return [gap * level for level in levels]


def _outwards() -> Iterator[int]:
    """0, 1, -1, 2, -2, ..."""
    return ((i + 1) // 2 if i % 2 else -(i // 2) for i in itertools.count())
