"""Affine maps of a picture: each pixel of the result is read at a place of the source, between its pixels.

A map is a matrix (3,3) from places in the result to places in the source, both (row, column, 1) in pixels from the
middle of the picture, so a rotation is one about the middle.  The map A and after it the map B are the one map A @ B.
"""

import math

import numpy as np

FILLS = ("reflect", "constant", "nearest", "wrap")


def warp(
    image: np.ndarray, matrix: np.ndarray, fill: str = "reflect", value: float = 0, interpolation: str = "bilinear"
) -> np.ndarray:
    """y[p] = x(matrix · p), read between pixels by bilinear interpolation; of uint8, rounded.

    Beyond its border the picture goes on, along each axis as

    - "reflect"   d c b a | a b c d | d c b a
    - "wrap"      a b c d | a b c d | a b c d, without interpolation between d and a
    - "nearest"   a a a a | a b c d | d d d d
    - "constant"  v v v v | a b c d | v v v v, v being `value`

    Parameters
    ----------
    image
        (H,W,C), uint8 or float.
    matrix
        (3,3), from places in y to places in x.
    fill, value
        What lies beyond the border: see above.
    interpolation
        "bilinear", or "nearest": the pixel that is nearest, the later one of two.

    Examples
    --------
    >>> row = np.array([[[10], [20], [40]]], np.uint8)
    >>> warp(row, shift(0, 1.5), "nearest").ravel().tolist()    # 1.5 pixels to the right
    [10, 10, 15]
    """
    height, width = image.shape[:2]
    rows = np.arange(height)[:, None] - (height - 1) / 2
    columns = np.arange(width) - (width - 1) / 2
    y, x = (m[0] * rows + m[1] * columns + m[2] for m in np.asarray(matrix, np.float64)[:2])
    y, x = y + (height - 1) / 2, x + (width - 1) / 2
    if fill == "constant":
        image = np.pad(image, ((1, 1), (1, 1), (0, 0)), constant_values=value)
        y, x = np.clip(y, -1, height) + 1, np.clip(x, -1, width) + 1
    else:
        y, x = _within(y, height, fill), _within(x, width, fill)
    if interpolation == "nearest":
        return image[np.floor(y + 0.5).astype(np.intp), np.floor(x + 0.5).astype(np.intp)]
    return _between_pixels(image, y, x)


def _within(place: np.ndarray, size: int, fill: str) -> np.ndarray:
    """Places between 0 and size - 1 where the picture has what it goes on with at these places."""
    if fill == "reflect":
        around = np.mod(place + 0.5, 2 * size)
        place = np.minimum(around, 2 * size - around) - 0.5
    elif fill == "wrap":
        place = np.mod(place, size)
    return np.clip(place, 0, size - 1)


def _between_pixels(image: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(H,W,C) of x(y,x): the mean of four neighbours, weighted by how near they are."""
    height, width, channels = image.shape
    pixels = image.reshape(-1, channels)
    top, left = y.astype(np.intp), x.astype(np.intp)  # y, x >= 0
    below, right = np.minimum(top + 1, height - 1) * width, np.minimum(left + 1, width - 1)
    kind = np.float32 if image.dtype == np.uint8 else image.dtype
    down, across = (y - top).astype(kind)[..., None], (x - left).astype(kind)[..., None]
    top *= width

    def between(row: np.ndarray) -> np.ndarray:
        one, other = (np.take(pixels, row + column, 0).astype(kind, copy=False) for column in (left, right))
        return one + (other - one) * across

    upper = between(top)
    values = upper + (between(below) - upper) * down
    return np.rint(values).astype(np.uint8) if image.dtype == np.uint8 else values


def rotation(angle: float) -> np.ndarray:
    """By an angle in radians, counter-clockwise as a picture is seen, its rows going down.

    >>> picture = np.array([[[1], [2]], [[3], [4]]], np.uint8)
    >>> warp(picture, rotation(np.pi / 2))[..., 0].tolist()
    [[2, 4], [1, 3]]
    """
    sine, cosine = math.sin(angle), math.cos(angle)
    return np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])


def shift(down: float, right: float) -> np.ndarray:
    """By pixels."""
    return np.array([[1, 0, -down], [0, 1, -right], [0, 0, 1]])


def scaling(height: float, width: float) -> np.ndarray:
    """By factors about the middle: 2 shows the middle half of the picture twice as large."""
    return np.diag([1 / height, 1 / width, 1])
