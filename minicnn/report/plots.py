"""Drawings in two dimensions: curves over thresholds, reliability, points; SVG text, coloured by the style sheet."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from minicnn.report.charts import nice_ticks
from minicnn.report.html import Markup, element
from minicnn.report.words import axis_percent

COLOURS = 8  # k0 to k7 of the style sheet
FINEST = 0.4  # pixels between two points of a curve
DECADES = 9  # of learning rates that are told apart


@dataclass(frozen=True)
class Frame:
    """
    A rectangle of the page that shows values x from x[0] to x[1] and y from y[0] to y[1].

    Examples
    --------
    >>> frame = Frame((0, 1), (0, 1))
    >>> frame.across(0) == frame.left, frame.down(1) == frame.top
    (True, True)
    """

    x: tuple[float, float]
    y: tuple[float, float]
    width: int = 440
    height: int = 340
    left: int = 60
    right: int = 16
    top: int = 12
    bottom: int = 36

    def across(self, value: float) -> float:
        """Pixels from the left."""
        low, high = self.x
        return self.left + (value - low) / (high - low) * (self.width - self.left - self.right)

    def down(self, value: float) -> float:
        """Pixels from the top."""
        low, high = self.y
        return self.top + (high - value) / (high - low) * (self.height - self.top - self.bottom)

    def axes(
        self,
        names: tuple[str, str],
        describe_x: Callable[[float], str] = axis_percent,
        describe_y: Callable[[float], str] = axis_percent,
    ) -> list[Markup]:
        """Rules with their values, and the names of both axes, where they have one."""
        base, parts = self.height - self.bottom, []
        for tick in _inside(self.y):
            y = f"{self.down(tick):.1f}"
            parts.append(element("line", x1=self.left, x2=self.width - self.right, y1=y, y2=y, class_="rule"))
            parts.append(element("text", describe_y(tick), x=self.left - 8, y=y, dy="0.32em", class_="tick end"))
        for tick in _inside(self.x):
            x = f"{self.across(tick):.1f}"
            parts.append(element("line", x1=x, x2=x, y1=self.top, y2=base, class_="rule"))
            parts.append(element("text", describe_x(tick), x=x, y=base + 16, class_="tick middle"))
        middle, up = (self.left + self.width - self.right) / 2, (self.top + base) / 2
        turn = {"transform": f"rotate(-90 10 {up:.0f})"}
        places = {"x": middle, "y": self.height - 4}, {"x": 10, "y": f"{up:.0f}"} | turn
        return parts + [
            element("text", name, **place, class_="tick middle") for name, place in zip(names, places) if name
        ]

    def diagonal(self) -> Markup:
        """Where y = x."""
        low, high = max(self.x[0], self.y[0]), min(self.x[1], self.y[1])
        ends = {"x1": self.across(low), "x2": self.across(high), "y1": self.down(low), "y2": self.down(high)}
        return element("line", **{name: f"{value:.1f}" for name, value in ends.items()}, class_="chance")

    def drawing(self, title: str, *parts: str) -> Markup:
        """The SVG element."""
        size = f"0 0 {self.width} {self.height}"
        named = element("title", title)
        return element("svg", named, *parts, viewBox=size, role="img", aria_label=title, class_="chart")


def _inside(span: tuple[float, float]) -> list[float]:
    margin = 1e-9 * (span[1] - span[0])
    return [tick for tick in nice_ticks(*span) if span[0] - margin <= tick <= span[1] + margin]


@dataclass(frozen=True)
class Curve:
    """Points (x, y) in order, a name for the pointer, and the number of a colour."""

    name: str
    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray
    colour: int = 0


def unit_chart(
    title: str, names: tuple[str, str], curves: Sequence[Curve], *, steps: bool = False, diagonal: bool = False
) -> Markup:
    """Curves of shares over shares; with `steps`, each value holds until the next point."""
    frame = Frame((0, 1), (0, 1))
    drawn = [
        element(
            "path", element("title", curve.name), d=_path(frame, curve, steps), class_=f"curve series k{curve.colour}"
        )
        for curve in curves
    ]
    return frame.drawing(title, *frame.axes(names), *([frame.diagonal()] if diagonal else []), *drawn)


def _path(frame: Frame, curve: Curve, steps: bool) -> str:
    """Path data without points that no eye tells apart."""
    points = [(frame.across(float(x)), frame.down(float(y))) for x, y in zip(curve.x, curve.y)]
    kept = points[:1]
    for point in points[1:-1]:
        if abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) > FINEST:
            kept.append(point)
    kept += points[1:][-1:]
    words = [f"M{kept[0][0]:.1f} {kept[0][1]:.1f}h0"]  # a single point is a dot
    words += [f"H{x:.1f}V{y:.1f}" if steps else f"L{x:.1f} {y:.1f}" for x, y in kept[1:]]
    return "".join(words)


def rate_chart(phases: Sequence[tuple[str, Sequence[float]]]) -> Markup:
    """
    The learning rate at the end of every epoch, as logarithms; `phases` are (name, rates).

    A rate of 0, which has no logarithm, lies on the floor, which then is called 0; so does one that is next to nothing.
    """
    tops = [math.log10(max(rates)) for _, rates in phases]
    least = min(rate for _, rates in phases for rate in rates if rate > 0)
    high = math.ceil(max(tops))
    low = max(min(math.floor(min(tops)) - 1, math.floor(math.log10(least)), high - 4), high - DECADES)
    to_zero = any(rate < 10.0**low for _, rates in phases for rate in rates)
    ends = list(itertools.accumulate(len(rates) for _, rates in phases))
    frame = Frame((1, max(ends[-1], 2)), (low, high), height=250)
    parts = frame.axes(("epoch", ""), lambda v: f"{v:g}", lambda v: "" if to_zero and v == low else f"1e{v:g}")
    if to_zero:
        parts.append(element("text", "0", x=frame.left - 8, y=f"{frame.down(low):.1f}", dy="0.32em", class_="tick end"))
    for (name, rates), end in zip(phases, ends):
        epochs = np.arange(end - len(rates), end) + 1
        curve = Curve(name, epochs, np.log10(np.maximum(rates, 10.0**low)))
        parts.append(element("path", element("title", name), d=_path(frame, curve, False), class_="curve validation"))
    for end in ends[:-1]:
        x = f"{frame.across(end + 0.5):.1f}"
        parts.append(element("line", x1=x, x2=x, y1=frame.top, y2=frame.height - frame.bottom, class_="border"))
    return frame.drawing("learning rate by epoch", *parts)


@dataclass(frozen=True)
class Bin:
    """Samples of about one confidence: its mean, how many, how many right, and the likely limits of that share."""

    confidence: float
    count: int
    accuracy: float
    limits: tuple[float, float]


def reliability_chart(bins: Sequence[Bin], shares: np.ndarray, low: float) -> Markup:
    """
    Dots of accuracy over confidence with whiskers, on the diagonal where both agree; below, how common each is.

    Parameters
    ----------
    shares : float (B,)
        The part of the samples in each of B equal bins from 0 to 1.
    low : float
        Where the axis of confidence begins.
    """
    frame = Frame((low, 1), (0, 1), height=400, bottom=112)
    parts = [*frame.axes(("", "right")), frame.diagonal()]
    for found in bins:
        x, y = f"{frame.across(found.confidence):.1f}", f"{frame.down(found.accuracy):.1f}"
        ends = {"y1": f"{frame.down(found.limits[1]):.1f}", "y2": f"{frame.down(found.limits[0]):.1f}"}
        said = f"sure of {found.confidence:.0%}: {found.accuracy:.0%} of {found.count:,} right"
        parts.append(element("line", x1=x, x2=x, **ends, class_="whisker"))
        parts.append(element("circle", element("title", said), cx=x, cy=y, r=5, class_="dot validation ringed"))
    base, room = frame.height - 24, 48
    for number, share in enumerate(shares):
        left, right = (frame.across(max(low, edge / len(shares))) for edge in (number, number + 1))
        tall = room * share / max(float(shares.max()), 1e-9)
        box = {"x": f"{left + 1:.1f}", "y": f"{base - tall:.1f}", "width": f"{max(right - left - 2, 0):.1f}"}
        parts.append(
            element("rect", element("title", axis_percent(share)), **box, height=f"{tall:.1f}", class_="count")
        )
    said = "how sure it was, and how often that happens"
    parts.append(element("text", said, x=240, y=frame.height - 6, class_="tick middle"))
    return frame.drawing("accuracy by confidence", *parts)


@dataclass(frozen=True)
class Spot:
    """A picture among others: its place, the number of its colour, whether it was named wrongly, what to say of it."""

    x: float
    y: float
    colour: int
    wrong: bool
    title: str


def scatter_chart(title: str, spots: Sequence[Spot]) -> Markup:
    """Points without scales: only which lie near each other counts."""
    xs, ys = ([getattr(spot, axis) for spot in spots] for axis in "xy")
    frame = Frame(_span(xs), _span(ys), left=10, right=10, top=10, bottom=10)
    edge = element("rect", x=1, y=1, width=frame.width - 2, height=frame.height - 2, class_="edge")
    drawn = []
    for spot in sorted(spots, key=lambda spot: spot.wrong):
        place = {"cx": f"{frame.across(spot.x):.1f}", "cy": f"{frame.down(spot.y):.1f}", "r": 5 if spot.wrong else 4}
        style = f"spot k{spot.colour % COLOURS}" + (" mistaken" if spot.wrong else "")
        drawn.append(element("circle", element("title", spot.title), **place, class_=style))
    return frame.drawing(title, edge, *drawn)


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 1, high + 1)
