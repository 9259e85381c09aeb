"""Names as Keras gives them: `conv2d`, `conv2d_1`, `batch_normalization`, ... counted per kind in order of creation."""

import re
import threading
from collections import Counter

_counts: Counter[str] = Counter()
_lock = threading.Lock()


def snake_case(class_name: str) -> str:
    """Keras' spelling of a class in names: Conv2D -> conv2d, ReLU -> re_lu, MaxPooling2D -> max_pooling2d.

    >>> snake_case("BatchNormalization")
    'batch_normalization'
    """
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def automatic_name(class_name: str) -> str:
    """The next unused automatic name of a class; the first has no number."""
    stem = snake_case(class_name)
    with _lock:
        number = _counts[stem]
        _counts[stem] += 1
    return f"{stem}_{number}" if number else stem


def reset_names() -> None:
    """Count from the beginning again."""
    with _lock:
        _counts.clear()
