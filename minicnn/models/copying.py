"""Models as bytes, for `pickle` and `copy`: those of a `.keras` file, which holds no code."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from .weight_files import load_model, save_model


def to_bytes(model: Any) -> bytes:
    """What `model.save` writes; raises as it does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        save_model(model, path)
        return path.read_bytes()


def from_bytes(data: bytes, dense_storage: str = "float32") -> Any:
    """The model that `to_bytes` was given; raises as `load_model`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(data)
        model = load_model(path)
    model.dense_storage = dense_storage
    return model
