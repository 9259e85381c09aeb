"""What ONNX Runtime makes of an exported model, beside what minicnn does; for tests where both are installed."""

from typing import Any

import numpy as np
from random_nets import outputs

from minicnn.models import Model
from minicnn.onnx import export


def run(path: Any, x: Any) -> list[np.ndarray]:
    """What ONNX Runtime computes, without rewriting the graph: its names of inputs and outputs are the model's."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    arrays = x if isinstance(x, list) else [x]
    return session.run(None, {given.name: array for given, array in zip(session.get_inputs(), arrays, strict=True)})


def check(model: Model, path: Any, counts: tuple[int, ...] = (1, 3), sides: tuple[int, ...] = (9, 7)) -> None:
    export(model, path)
    for count in counts:
        generator = np.random.default_rng(count)
        shapes = [[n or sides[i] for i, n in enumerate(tensor.shape[1:])] for tensor in model.inputs]
        arrays = [generator.uniform(-1, 1, (count, *shape)).astype(np.float32) for shape in shapes]
        expected = outputs(model.predict(arrays if len(arrays) > 1 else arrays[0]))
        for found, wanted in zip(run(path, arrays), expected, strict=True):
            assert found.shape == wanted.shape
            assert np.linalg.norm(found - wanted) <= 1e-5 * max(np.linalg.norm(wanted), 1e-3)
