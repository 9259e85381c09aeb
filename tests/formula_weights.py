"""Weights from a closed formula of their names and shapes, the ones with which the golden networks were computed.

    u[i] = mix((crc32(key) << 32) + (i + 1) * 0x9E3779B97F4A7C15) >> 40, times 2^-24        in [0, 1)
    weight = low + (high - low) u

with the finalizer of SplitMix64 (Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators", 2014) as `mix`.
Kernels are uniform with variance gain / fan-in.
"""

import zlib

import numpy as np

RANGES = {
    "bias": (-0.1, 0.1),
    "gamma": (0.8, 1.2),
    "beta": (-0.1, 0.1),
    "moving_mean": (-0.1, 0.1),
    "moving_variance": (0.5, 1.5),
    "mean": (0.4, 0.6),
    "variance": (0.05, 0.1),
    "count": (0.0, 0.0),
}


def make_weight(key: str, shape: tuple[int, ...], gain: float) -> np.ndarray:
    """The float32 weight of a key "layer/weight"."""
    name = key.rsplit("/", 1)[1]
    inputs = shape[:2] if name == "depthwise_kernel" else shape[:-1]
    limit = float(np.sqrt(3 * gain / np.prod(inputs))) if name.endswith("kernel") else 0.0
    low, high = RANGES.get(name, (-limit, limit))
    u = mixed((zlib.crc32(key.encode()) << 32), int(np.prod(shape)))
    return (low + (high - low) * u).astype(np.float32).reshape(shape)


def mixed(start: int, count: int) -> np.ndarray:
    with np.errstate(over="ignore"):
        z = np.uint64(start) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) * 2.0**-24


def sample_indices(size: int, count: int = 16) -> np.ndarray:
    """Flat indices of the numbers that are stored of an array."""
    return (np.arange(count) * (size - 1)) // (count - 1)
