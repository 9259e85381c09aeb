"""Affine maps of a picture: each pixel of the result is read at a place of the source, between its pixels.

A map is a matrix (3,3) from places in the result to places in the source, both (row, column, 1) in pixels from the
middle of the picture, so a rotation is one about the middle.  The map A and after it the map B are the one map A @ B.
"""

import math

import numpy as np

FILLS = ("reflect", "constant", "nearest", "wrap")
ROWS = 32  # at a time: what is computed of them stays in the cache


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
    y, x = _places(np.asarray(matrix, np.float64), height, width)
    if fill == "constant":
        image = np.pad(image, ((1, 1), (1, 1), (0, 0)), constant_values=value)
        y, x = np.clip(y, -1, height) + 1, np.clip(x, -1, width) + 1
    else:
        y, x = _within(y, height, fill), _within(x, width, fill)
    if interpolation == "nearest":
        return image[(y + np.float32(0.5)).astype(np.intp), (x + np.float32(0.5)).astype(np.intp)]
    return _between_pixels(image, y, x)


def _places(matrix: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column (H,W) in the source, from its first pixel, of each pixel of the result."""
    middle = (height - 1) / 2, (width - 1) / 2
    rows, columns = np.arange(height) - middle[0], np.arange(width) - middle[1]
    y, x = (
        (m[0] * rows + m[2] + zero).astype(np.float32)[:, None] + (m[1] * columns).astype(np.float32)
        for m, zero in zip(matrix, middle)
    )
    return y, x


def _within(place: np.ndarray, size: int, fill: str) -> np.ndarray:
    """Places between 0 and size - 1 where the picture has what it goes on with at these places."""
    if fill == "reflect":  # a saw of period 2·size about -1/2
        away = np.abs(place + np.float32(0.5))
        if away.max(initial=0) > 2 * size:
            away = np.mod(away, np.float32(2 * size))
        place = size - np.abs(size - away) - np.float32(0.5)
    elif fill == "wrap":
        place = np.mod(place, np.float32(size))
    return np.clip(place, 0, size - 1)


def _between_pixels(image: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(H,W,C) of x(y,x): the mean of four neighbours, weighted by how near they are."""
    planes = np.ascontiguousarray(image.transpose(2, 0, 1))  # whole rows of a channel are quicker than pixels
    result = np.empty((*y.shape, image.shape[2]), image.dtype)
    for start in range(0, len(y), ROWS):
        rows = slice(start, start + ROWS)
        values = _means(planes, y[rows], x[rows])
        result[rows] = (np.rint(values) if image.dtype == np.uint8 else values).transpose(1, 2, 0)
    return result


def _means(planes: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The means as float (C,H,W), of a picture (C,H',W')."""
    channels, height, width = planes.shape
    kind = np.float32 if planes.dtype == np.uint8 else planes.dtype
    top, left = y.astype(np.intp), x.astype(np.intp)  # y, x >= 0
    down, across = y - top.astype(kind), x - left.astype(kind)
    below, right = np.minimum(top + 1, height - 1) * width, np.minimum(left + 1, width - 1)
    top *= width

    def between(row: np.ndarray) -> np.ndarray:
        one, other = (
            np.take(planes.reshape(channels, -1), row + column, 1).astype(kind, copy=False) for column in (left, right)
        )
        return one + (other - one) * across

    upper = between(top)
    return upper + (between(below) - upper) * down


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
