"""Every layer on a device, in the emulator: outputs, masks, gradients and what training moves, as on the CPU."""

from typing import Any

import numpy as np
import pytest
from emulator.device import install
from layer_cases import CASES, NUMBERED

from minicnn import Tensor
from minicnn.errors import UnsupportedError
from minicnn.kernels import device_of
from minicnn.layers import CLASSES, Input
from minicnn.layers.augmentation import Augmentation
from minicnn.models import Model
from minicnn.seeds import set_random_seed

pytestmark = pytest.mark.cuda_emulated
DEVICE = "cuda-emulated"
WITHOUT_INPUT = {"InputLayer"}
EACH = pytest.mark.parametrize(("name", "index"), [case for case in NUMBERED if case[0] not in WITHOUT_INPUT])


def model_of(name: str, index: int, place: str) -> Model:
    """A model of one layer; the same numbers wherever it is."""
    arguments, shape = CASES[name][index]
    set_random_seed(3)
    layer = CLASSES[name].from_config(CLASSES[name](**arguments, name="it").get_config())
    inputs = [Input(s) for s in (shape if isinstance(shape, list) else [shape])]
    outputs = layer(inputs if len(inputs) > 1 else inputs[0])
    return Model(inputs, outputs).to(place)


def samples(name: str, index: int) -> list[np.ndarray]:
    """Three of each input, from 0 to 1: colours, and numbers of rows once they are multiplied."""
    shape, rng = CASES[name][index][1], np.random.default_rng(index)
    arrays = [rng.random((3, *s)).astype(np.float32) for s in (shape if isinstance(shape, list) else [shape])]
    return [np.floor(3 * array) for array in arrays] if name == "Embedding" else arrays


def close(found: Any, expected: Any, what: str) -> None:
    """Of the same shape and dtype, and as near as two orders of sums."""
    assert device_of(found) == DEVICE, what
    found = found.get()
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype), what
    assert np.linalg.norm(found - expected) <= 2e-5 * max(np.linalg.norm(expected), 1e-3), what


def run(model: Model, arrays: list[np.ndarray], training: bool) -> dict[str, Any]:
    """All that a forward and a backward pass give, by name."""
    place = (lambda a: a) if model.device == "cpu" else install().from_host
    wanted = not (training and isinstance(model.layers[-1], Augmentation))  # which has no gradient
    tensors = [Tensor(place(array), requires_grad=wanted) for array in arrays]
    y = model(tensors if len(tensors) > 1 else tensors[0], training=training)
    found: dict[str, Any] = {}
    total = None
    for i, output in enumerate(y if isinstance(y, list) else [y]):
        found[f"y{i}"] = output.array
        if output.mask is not None:
            found[f"mask{i}"] = output.mask.array
        factors = np.random.default_rng(i).standard_normal(output.shape).astype(np.float32)
        share = (output * factors).sum()
        total = share if total is None else total + share
    assert total is not None
    if total.requires_grad:
        total.backward()
    found |= {f"dx{i}": t.grad.array for i, t in enumerate(tensors) if t.grad is not None}
    found |= {f"d {w.name} {i}": w.grad.array for i, w in enumerate(model.weights) if w.grad is not None}
    return found | {f"{w.name} {i}": w.array for i, w in enumerate(model.weights)}


def outcome(*arguments: Any) -> dict[str, Any] | str:
    """What `run` gives, or the message with which a layer refuses to train."""
    try:
        return run(*arguments)
    except UnsupportedError as error:
        return str(error)


@EACH
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_a_layer_does_what_it_does_on_the_cpu(name: str, index: int, training: bool):
    install()
    found, expected = (
        outcome(model_of(name, index, place), samples(name, index), training) for place in (DEVICE, "cpu")
    )
    if isinstance(expected, str):  # it is refused
        assert found == expected
        return
    assert found.keys() == expected.keys()
    for what, array in expected.items():
        close(found[what], array, what)


# They also copy arrays or compute with them outside of kernels: CuPy launches that, and notes it; the emulator refuses.
NOT_CAPTURED = {
    *("Bidirectional", "Conv3DTranspose", "ConvLSTM2D", "Dot", "Embedding", "GRU", "LSTM", "Masking", "MaxPooling3D"),
    *("AveragePooling3D", "Resizing", "SimpleRNN", "Subtract", "UnitNormalization"),
    *(("BatchNormalization", 3), ("CenterCrop", 1), ("Conv1DTranspose", 2), ("Conv2DTranspose", 3)),
    *(("Conv2DTranspose", 4), ("Conv3D", 0), ("Conv3D", 1), ("GroupNormalization", 0), ("GroupNormalization", 1)),
    *(("GroupNormalization", 2), ("LayerNormalization", 3), ("LayerNormalization", 4), ("LayerNormalization", 5)),
    *(("Normalization", 2), ("Normalization", 3), ("Softmax", 0), ("Softmax", 2), ("TimeDistributed", 1)),
    ("UpSampling2D", 1),
}


@EACH
def test_a_layer_predicts_in_a_plan_what_it_predicts_on_the_cpu(name: str, index: int, monkeypatch):
    device, arrays, captured = install(), samples(name, index), []
    capture = device.capture
    monkeypatch.setattr(device, "capture", lambda work: captured.append(capture(work)) or captured[-1])
    expected = model_of(name, index, "cpu").predict(arrays)
    model = model_of(name, index, DEVICE)
    for _ in range(3):  # operation by operation, captured, and launched again
        outputs = model.predict(arrays)
        for found, other in zip(*(o if isinstance(o, list) else [o] for o in (outputs, expected)), strict=True):
            assert type(found) is np.ndarray
            assert np.linalg.norm(found - other) <= 2e-5 * max(np.linalg.norm(other), 1e-3)
    assert len(captured) == (name not in NOT_CAPTURED and (name, index) not in NOT_CAPTURED)
