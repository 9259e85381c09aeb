"""The one place that imports Pillow: late, so that `import minicnn` does without it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from minicnn.errors import MissingExtraError


def pillow_image(purpose: str = "reading and writing pictures") -> ModuleType:
    """Pillow's `Image` module with its formats registered, which two threads may not do at once.

    Raises
    ------
    MissingExtraError
        It is not installed; the message says for what it is needed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("Pillow", "images", purpose) from None
    Image.init()
    return Image


@contextmanager
def quiet_pillow() -> Iterator[ModuleType]:
    """Silence Pillow's warnings (broken EXIF, large size): they name no file, and minicnn judges for itself.

    Warning filters belong to the whole process, so this is entered once around a group of threads, never
    inside one.
    """
    image_module = pillow_image()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield image_module
