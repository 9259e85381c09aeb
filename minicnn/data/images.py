"""Reading one picture file: the checks on the file around the decoding of its bytes."""

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.data.decode import decode
from minicnn.data.problems import ImageAccessError, ImageError, ImageNote
from minicnn.preparation.pillow import quiet_pillow
from minicnn.preparation.resize import ResizeRule

MAX_BYTES = 512 * 2**20


class Picture(NamedTuple):
    """A picture that was read: uint8 pixels (H, W, 3), notes on it, and the SHA-256 of the file's bytes."""

    pixels: np.ndarray
    notes: tuple[ImageNote, ...]
    sha256: str


def read_image(path: str | Path, *, size=None, resize: str = "crop", ratio: float = 1.0) -> Picture:
    """Read one picture as 8-bit RGB, upright, at its own size or resized.

    Parameters
    ----------
    path
        A JPEG, PNG, WEBP, BMP, GIF or TIFF file; see `decode` for what is converted and how.
    size, resize, ratio
        As `ResizeRule(size, resize, ratio)` says; the picture's own size when `size` is None.

    Returns
    -------
    Picture
        (pixels, notes, sha256): uint8 (H, W, 3), what was changed on reading, hash of the file.

    Raises
    ------
    ImageError
        In one line, the file, what is wrong with it and what to do.

    Examples
    --------
    >>> pixels, notes, _ = read_image("cat.jpg", size=224)      # doctest: +SKIP
    >>> pixels.shape                                            # doctest: +SKIP
    (224, 224, 3)
    """
    rule = None if size is None else ResizeRule(size, resize, ratio)
    with quiet_pillow():
        return read_picture(Path(path), rule)


def read_picture(path: Path, rule: ResizeRule | None) -> Picture:
    """As `read_image`, for use inside a group of threads that `quiet_pillow` surrounds."""
    data = read_bytes(path)
    pixels, notes = decode(data, path, rule)
    return Picture(pixels, notes, hashlib.sha256(data).hexdigest())


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular, non-empty file of bearable size."""
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode) and 0 < status.st_size <= MAX_BYTES:
            with open(path, "rb") as file:
                return file.read(MAX_BYTES)
    except FileNotFoundError:
        raise ImageAccessError(path, "missing", "no such file: check the path") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        reason = getattr(error, "strerror", None) or error
        message = f"cannot be read ({reason}): check its name and permissions"
        raise ImageAccessError(path, "unreadable", message) from None
    if stat.S_ISDIR(status.st_mode):
        raise ImageError(path, "not-a-file", "is a folder, not a picture: name the files in it")
    if not stat.S_ISREG(status.st_mode):
        raise ImageError(path, "not-a-file", "is a device or pipe, not a picture: remove it")
    if status.st_size == 0:
        raise ImageError(path, "empty", "is empty (0 bytes): copy it again or remove it")
    message = f"has {status.st_size:,} bytes, the limit is {MAX_BYTES:,}: make it smaller"
    raise ImageError(path, "oversized", message)
