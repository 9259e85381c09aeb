"""Loss against learning rate as SVG text, the rate on a logarithmic axis."""

import math
from collections.abc import Sequence

import numpy as np

WIDTH, HEIGHT = 560, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 24, 44
STYLE = (
    "text{font:12px sans-serif;fill:#444}.axis{stroke:#bbb}.curve{fill:none;stroke:#1f6fb2;stroke-width:2}"
    ".mark{stroke:#c2410c;stroke-dasharray:4 3}"
)


def rate_plot(rates: Sequence[float] | np.ndarray, losses: Sequence[float] | np.ndarray, suggestion: float) -> str:
    """
    A whole SVG document: the curve, an axis line for every power of ten, and the suggestion.

    Examples
    --------
    >>> rate_plot([1e-3, 1e-2, 1e-1], [1.0, 0.5, 2.0], 1e-3).startswith("<svg ")
    True
    """
    powers = np.log10(np.asarray(rates, float))
    first, last = math.floor(powers[0] + 1e-9), math.ceil(powers[-1] - 1e-9)
    low, high = float(np.min(losses)), float(np.max(losses))
    high = high if high > low else low + 1

    def x(power: float) -> float:
        return LEFT + (power - first) / max(last - first, 1) * (WIDTH - LEFT - RIGHT)

    def y(loss: float) -> float:
        return HEIGHT - BOTTOM - (loss - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [_line(x(power), TOP, x(power), HEIGHT - BOTTOM, "axis") for power in range(first, last + 1)]
    parts += [_text(x(power), HEIGHT - BOTTOM + 18, f"1e{power}", "middle") for power in range(first, last + 1)]
    parts += [_text(LEFT - 6, y(loss) + 4, f"{loss:.3g}", "end") for loss in (low, high)]
    points = " ".join(f"{x(power):.1f},{y(loss):.1f}" for power, loss in zip(powers, losses))
    parts.append(f'<polyline class="curve" points="{points}"/>')
    at = x(min(max(math.log10(suggestion), first), last))
    parts.append(_line(at, TOP, at, HEIGHT - BOTTOM, "mark"))
    gap, anchor = (4, "start") if at < WIDTH / 2 else (-4, "end")  # a label beside the line, inside the drawing
    parts.append(_text(at + gap, TOP + 10, f"suggested {suggestion:.2g}", anchor))
    parts += [_text(WIDTH / 2, HEIGHT - 6, "learning rate", "middle"), _text(LEFT, TOP - 8, "loss", "middle")]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">'
    return "\n".join([head, "<title>Loss against learning rate</title>", f"<style>{STYLE}</style>", *parts, "</svg>\n"])


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
