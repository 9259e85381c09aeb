"""The one place that imports Pillow: late, so that `import minicnn` does without it."""

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, cast

from minicnn.errors import MissingExtraError

_IGNORE = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
_quieting = threading.Lock()
_quiet = 0  # how many blocks are under way


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

    Warning filters belong to the whole process: the blocks share one, from the first one's beginning to the last one's
    end, in whatever order they end.
    """
    global _quiet
    image_module = pillow_image()
    with _quieting:
        _quiet += 1
        if _IGNORE not in _filters():
            _filters().insert(0, _IGNORE)
    try:
        yield image_module
    finally:
        with _quieting:
            _quiet -= 1
            if not _quiet and _IGNORE in _filters():  # others may have put back what was before
                _filters().remove(_IGNORE)


def _filters() -> list[Any]:
    return cast(list[Any], warnings.filters)
