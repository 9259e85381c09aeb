"""Small colour pictures of six shapes, drawn with NumPy: a labelled set that needs no download.

Colour, place, size and turn of a shape, and the ground it lies on, are drawn at random and say nothing about
the class.  So the pixels, weighed one by one, tell the classes badly apart; what tells them is form, which a
convolutional network sees.
"""

import os
import shutil
from pathlib import Path

import numpy as np

from minicnn.data.problems import printable
from minicnn.errors import ArgumentError, FileAccessError
from minicnn.preparation.pillow import pillow_image

CLASS_NAMES = ("circle", "cross", "ring", "square", "star", "triangle")

_TRAIN, _TEST = 0, 1

Arrays = tuple[np.ndarray, np.ndarray]


def load_data(
    per_class: int = 100, *, test_per_class: int = 20, size: int = 32, seed: int = 0
) -> tuple[Arrays, Arrays]:
    """((x_train, y_train), (x_test, y_test)): x uint8 (N, size, size, 3), y uint8 (N, 1), the classes in turn.

    Picture i of a class is the same however many are asked for.

    Examples
    --------
    >>> (x, y), _ = load_data(2, size=16)
    >>> x.shape, y[:, 0].tolist()
    ((12, 16, 16, 3), [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5])
    """
    return _draw_part(_TRAIN, per_class, size, seed), _draw_part(_TEST, test_per_class, size, seed)


def write(folder: str | Path, per_class: int = 60, *, size: int = 64, seed: int = 0) -> Path:
    """Write per_class PNG files into a folder for each class, all of them or none, and return the whole folder.

    Raises
    ------
    FileAccessError
        The folder exists and is not empty, or cannot be written.

    Examples
    --------
    >>> write("shapes", per_class=60)                   # doctest: +SKIP
    PosixPath('/home/me/shapes')
    """
    folder = Path(os.path.abspath(folder))
    pillow_image()
    if os.path.exists(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise FileAccessError(f"{printable(folder)} exists and is not an empty folder: name another or remove it")
    x, y = _draw_part(_TRAIN, per_class, size, seed)
    beside = folder.with_name(f".{folder.name}-{os.getpid()}")
    try:
        _write_files(beside, x, y[:, 0])
        if folder.exists():
            folder.rmdir()
        os.replace(beside, folder)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        reason = getattr(error, "strerror", error)
        raise FileAccessError(f"{printable(folder)} cannot be written ({reason}): name another") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def draw(name: str, size: int, generator: np.random.Generator) -> np.ndarray:
    """One picture, uint8 (size, size, 3), of the shape with this name.

    With p the place of a pixel and s(p) the shape's function, which is negative inside and about the distance
    to the edge in pixels, the shape covers max(0, min(1, 1/2 - s(p))) of the pixel.

    Raises
    ------
    ArgumentError
        A name that is not in CLASS_NAMES.
    """
    if name not in _SHAPES:
        raise ArgumentError(f"shape {name!r} is unknown; use one of {', '.join(CLASS_NAMES)}")
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(axis, axis)
    ground, colour = _two_colours(generator)
    radius = generator.uniform(0.55, 0.85)
    turn = generator.uniform(-0.3, 0.3)
    centre_x, centre_y = generator.uniform(-0.95 + radius, 0.95 - radius, 2)
    picture = ground + _clouds(generator, size, strength=35)
    picture = _lay(picture, _line(x, y, generator), generator.uniform(0, 255, 3), size)
    u = (np.cos(turn) * (x - centre_x) + np.sin(turn) * (y - centre_y)) / radius
    v = (np.cos(turn) * (y - centre_y) - np.sin(turn) * (x - centre_x)) / radius
    picture = _lay(picture, radius * _SHAPES[name](u, v), colour + _clouds(generator, size, strength=25), size)
    noisy = picture + generator.normal(0, 6, picture.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _draw_part(part: int, per_class: int, size: int, seed: int) -> Arrays:
    if per_class < 1 or not 8 <= size <= 1024:
        raise ArgumentError(f"shapes need per_class of at least 1 and a size of 8 to 1024, got {per_class} and {size}")
    pictures = [
        draw(name, size, np.random.default_rng([seed, part, label, index]))
        for index in range(per_class)
        for label, name in enumerate(CLASS_NAMES)
    ]
    return np.stack(pictures), np.tile(np.arange(len(CLASS_NAMES), dtype=np.uint8), per_class)[:, None]


def _write_files(folder: Path, x: np.ndarray, y: np.ndarray) -> None:
    for label, name in enumerate(CLASS_NAMES):
        (folder / name).mkdir(parents=True)
        for number, pixels in enumerate(x[y == label], start=1):
            pillow_image().fromarray(pixels).save(folder / name / f"{name}{number:03}.png")


def _two_colours(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two colours far enough apart to be told from each other, neither always the lighter."""
    while True:
        ground, colour = generator.uniform(20, 235, (2, 3))
        if np.linalg.norm(ground - colour) > 140:
            return ground, colour


def _clouds(generator: np.random.Generator, size: int, strength: float) -> np.ndarray:
    """(size, size, 3) of smooth variation about 0: a 4x4 grid of random values, interpolated bilinearly."""
    grid = generator.uniform(-strength, strength, (4, 4, 3))
    place = np.linspace(0, 3, size)
    weights = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(4)))  # (size, 4): hat functions
    return weights @ np.tensordot(weights, grid, axes=1)


def _line(x: np.ndarray, y: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The function of a thin straight line across the picture."""
    angle, offset = generator.uniform(0, np.pi), generator.uniform(-0.9, 0.9)
    return np.abs(np.cos(angle) * x + np.sin(angle) * y - offset) - generator.uniform(0.02, 0.06)


def _lay(picture: np.ndarray, function: np.ndarray, colour: np.ndarray, size: int) -> np.ndarray:
    """The picture with a shape of this function (in units of half the picture) laid on it, its edge smooth."""
    cover = np.clip(0.5 - function * size / 2, 0, 1)[..., None]
    return picture * (1 - cover) + colour * cover


def _circle(u, v):
    return np.hypot(u, v) - 0.8


def _cross(u, v):
    return np.minimum(np.maximum(np.abs(u) - 1, np.abs(v) - 0.25), np.maximum(np.abs(u) - 0.25, np.abs(v) - 1))


def _ring(u, v):
    return np.abs(np.hypot(u, v) - 0.75) - 0.2


def _square(u, v):
    return np.maximum(np.abs(u), np.abs(v)) - 0.72


def _star(u, v):
    """Five points: the edge goes straight, in polar coordinates, from radius 1 to 0.45 and back."""
    place = np.arctan2(v, u) * 5 / (2 * np.pi) % 1
    return np.hypot(u, v) - (0.45 + 0.55 * np.abs(2 * place - 1))


def _triangle(u, v):
    return np.maximum(-v, np.abs(u) * np.sqrt(3) / 2 + v / 2) - 0.5


_SHAPES = {
    "circle": _circle,
    "cross": _cross,
    "ring": _ring,
    "square": _square,
    "star": _star,
    "triangle": _triangle,
}
