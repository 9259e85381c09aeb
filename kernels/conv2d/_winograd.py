"""Winograd's minimal filtering: a 3x3 convolution with fewer multiplications.

    y = A' [ (G w G') * (B' d B) ] A          for each tile d of (m+2) x (m+2) pixels, giving m x m outputs

A convolution is a product of polynomials, and polynomials can be multiplied by their values at a few points: B'
evaluates the image, G the kernel, and A' goes back from the values of the product to its coefficients.  A tile takes
(m+2)^2 multiplications where the definition takes 9 m^2: for m = 2 that is 16 for 36, for m = 4 it is 36 for 144.
Summed over channels, the element-wise product becomes one matrix product for each point.

The points of m = 4 are 0, 1, -1, 2, -2 and infinity.  More of them would save more, but their powers lose more bits.

The gradient of the kernel is the same sum read backwards: each tile of dy is evaluated at the points by A, multiplied
with the tile of the image there, and G' goes from the sums over all tiles to the taps.

    dw = G' [ (A dy A') * (B' d B) ] G

The formulas are written once, for anything that can be added and multiplied: arrays of NumPy, and the vector registers
for which `cpu_winograd_simd.py` writes instructions.

Sources: S. Winograd, "Arithmetic Complexity of Computations", 1980, chapter 3; A. Lavin and S. Gray, "Fast Algorithms
for Convolutional Neural Networks", CVPR 2016, sections 4.1 to 4.3.
"""

from collections.abc import Callable, Sequence
from typing import Any

Formula = Callable[[Sequence[Any]], list[Any]]

TAPS = 3


def to_points_2(d: Sequence[Any]) -> list[Any]:
    """B' d for m = 2: four pixels evaluated at 0, 1, -1 and infinity."""
    return [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]]


def from_points_2(s: Sequence[Any]) -> list[Any]:
    """A' s for m = 2: two outputs from the values at four points."""
    return [s[0] + s[1] + s[2], s[1] - s[2] - s[3]]


def to_points_4(d: Sequence[Any]) -> list[Any]:
    """B' d for m = 4: six pixels evaluated at 0, 1, -1, 2, -2 and infinity."""
    even, odd = d[4] - d[2] * 4.0, d[3] - d[1] * 4.0
    even_2, odd_2 = d[4] - d[2], (d[3] - d[1]) * 2.0
    zero = d[0] * 4.0 - d[2] * 5.0 + d[4]
    infinity = d[1] * 4.0 - d[3] * 5.0 + d[5]
    return [zero, even + odd, even - odd, even_2 + odd_2, even_2 - odd_2, infinity]


def from_points_4(s: Sequence[Any]) -> list[Any]:
    """A' s for m = 4: four outputs from the values at six points."""
    even, odd = s[1] + s[2], s[1] - s[2]
    even_2, odd_2 = s[3] + s[4], s[3] - s[4]
    return [s[0] + even + even_2, odd + odd_2 * 2.0, even + even_2 * 4.0, odd + odd_2 * 8.0 + s[5]]


def kernel_points_2(g: Sequence[Any]) -> list[Any]:
    """G g for m = 2: three taps evaluated at 0, 1, -1 and infinity."""
    even, odd = (g[0] + g[2]) * 0.5, g[1] * 0.5
    return [g[0], even + odd, even - odd, g[2]]


def kernel_points_4(g: Sequence[Any]) -> list[Any]:
    """G g for m = 4: three taps evaluated at 0, 1, -1, 2, -2 and infinity."""
    even, odd = (g[0] + g[2]) * (-1 / 6), g[1] * (-1 / 6)
    even_2, odd_2 = g[0] * (1 / 24) + g[2] * (1 / 6), g[1] * (1 / 12)
    return [g[0] * 0.25, even + odd, even - odd, even_2 + odd_2, even_2 - odd_2, g[2]]


def gradient_to_points_4(dy: Sequence[Any]) -> list[Any]:
    """A dy for m = 4: the gradients of four outputs evaluated at 0, 1, -1, 2, -2 and infinity."""
    even, odd = dy[0] + dy[2], dy[1] + dy[3]
    even_2, odd_2 = dy[0] + dy[2] * 4.0, dy[1] * 2.0 + dy[3] * 8.0
    return [dy[0], even + odd, even - odd, even_2 + odd_2, even_2 - odd_2, dy[3]]


def taps_from_points_4(s: Sequence[Any]) -> list[Any]:
    """G' s for m = 4: the gradients of three taps from those of the kernel's values at six points."""
    even, odd = (s[1] + s[2]) * (-1 / 6), (s[2] - s[1]) * (1 / 6)
    even_2, odd_2 = s[3] + s[4], (s[3] - s[4]) * (1 / 12)
    return [s[0] * 0.25 + even + even_2 * (1 / 24), odd + odd_2, even + even_2 * (1 / 6) + s[5]]


def both_axes(formula: Formula, square: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """The formula along the columns of a square of numbers, then along its rows."""
    columns = [formula([row[j] for row in square]) for j in range(len(square))]
    return [formula([column[i] for column in columns]) for i in range(len(columns[0]))]
