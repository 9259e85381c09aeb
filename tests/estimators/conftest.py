"""The shared photos and net, and coloured pictures as arrays."""

import numpy as np
import pytest
from transfer_cases import CLASSES, SIDE, net_file, passes, photos

__all__ = ["net_file", "passes", "photos"]


@pytest.fixture(scope="session")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """uint8 pictures (30,24,24,3) of noisy colours, and the names of their classes."""
    generator = np.random.default_rng(0)
    names = np.array([name for name in CLASSES for _ in range(10)])
    pixels = np.stack([np.array(CLASSES[name]) + generator.normal(0, 25, (SIDE, SIDE, 3)) for name in names])
    return np.clip(pixels, 0, 255).astype(np.uint8), names
