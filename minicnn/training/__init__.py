"""The state of a training: what decides how it goes on, files of it, and what makes two trainings the same.

`callbacks.BackupAndRestore` writes and reads it during `fit`; `load_weights` takes the weights out of it.
"""

from minicnn.training.fingerprint import arrays_text, as_json, compare, flags_text, model_text
from minicnn.training.finite import first_not_finite
from minicnn.training.folder import CheckpointFolder
from minicnn.training.position import Position
from minicnn.training.state import (
    all_finite,
    load_model_state,
    load_weights,
    model_state,
    not_finite,
    random_streams,
    weight_not_finite,
)
from minicnn.training.state_file import read_state, write_state

__all__ = [
    "CheckpointFolder",
    "Position",
    "all_finite",
    "arrays_text",
    "as_json",
    "compare",
    "first_not_finite",
    "flags_text",
    "load_model_state",
    "load_weights",
    "model_state",
    "model_text",
    "not_finite",
    "random_streams",
    "read_state",
    "weight_not_finite",
    "write_state",
]
