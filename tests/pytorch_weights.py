"""Networks of torchvision and timm that the golden files hold, and their weights: from a formula of name and shape."""

import json
import zlib
from pathlib import Path

import numpy as np
from formula_weights import mixed

CASES = {  # network -> side of the pictures; an even one tells on which side zeros are
    "timm.efficientnet_b0": 64,
    "timm.mobilenetv2_035": 64,
    "timm.mobilenetv3_small_100": 64,
    "torchvision.convnext_tiny": 64,
    "torchvision.densenet121": 64,
    "torchvision.efficientnet_b0": 64,
    "torchvision.googlenet": 64,
    "torchvision.mobilenet_v2": 64,
    "torchvision.mobilenet_v3_small": 64,
    "torchvision.resnet18": 64,
    "torchvision.resnet50": 64,
    "torchvision.squeezenet1_1": 64,
}
CLASSES = 10
RANGES = {
    "bias": (-0.1, 0.1),
    "gamma": (0.8, 1.2),
    "weight": (0.8, 1.2),
    "running_mean": (-0.1, 0.1),
    "running_var": (0.5, 1.5),
}


def make_tensor(key: str, shape: tuple[int, ...], gain: float = 2.0) -> np.ndarray:
    """float32: kernels (F,C,...) are uniform with variance gain / fan-in, vectors in RANGES."""
    limit = float(np.sqrt(3 * gain / np.prod(shape[1:])))
    low, high = (-limit, limit) if len(shape) > 1 else RANGES[key.rpartition(".")[2]]
    u = mixed(zlib.crc32(key.encode()) << 32, int(np.prod(shape)))
    return (low + (high - low) * u).astype(np.float32).reshape(shape)


def state_dict(name: str, golden: Path) -> dict[str, np.ndarray]:
    """The weights of a network of the golden files."""
    with np.load(golden / "pytorch" / f"{name}.npz") as file:
        state = json.loads(file["state"].tobytes())
    return {key: make_tensor(key, tuple(shape)) for key, shape in state.items()}


def pictures(side: int) -> np.ndarray:
    """Two prepared pictures (N,H,W,C)."""
    return (mixed(1, 2 * side * side * 3).reshape(2, side, side, 3) * 4 - 2).astype(np.float32)
