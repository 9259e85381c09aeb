"""Three steps of every optimizer case that Keras computed in float64."""

import json

import numpy as np
import pytest

from minicnn import optimizers
from minicnn.autograd import Parameter, Tensor

pytestmark = pytest.mark.numpy_only

CASES = [
    "sgd",
    "sgd_momentum",
    "sgd_nesterov",
    "sgd_weight_decay",
    "adam",
    "adam_default",
    "adam_amsgrad",
    "adamw",
    "rmsprop",
    "rmsprop_momentum_centered",
    "adagrad",
    "adam_clipnorm",
    "sgd_clipvalue",
    "sgd_global_clipnorm",
]


@pytest.fixture(scope="module")
def ops(golden):
    with np.load(golden / "ops.npz") as file:
        return dict(file)


def keras_case(ops, name):
    case = next(case for case in json.loads(ops["cases"].tobytes()) if case["name"] == name)
    fields = {key.split("|")[1]: array for key, array in ops.items() if key.startswith(f"{name}|")}
    return case, fields


def test_every_optimizer_case_is_here(ops):
    names = [case["name"] for case in json.loads(ops["cases"].tobytes()) if case["op"] == "optimizer"]
    assert names == [f"optimizer_{name}" for name in CASES]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-13), (np.float32, 1e-6)])
def test_three_steps_equal_keras(ops, name, dtype, tolerance):
    case, fields = keras_case(ops, f"optimizer_{name}")
    optimizer = optimizers.get({"class_name": case["optimizer"], "config": case["config"]})
    parameter = Parameter(fields["p0"].shape, dtype)
    parameter.assign(fields["p0"])
    for step in range(3):
        optimizer.apply_gradients([(Tensor(fields[f"g{step}"]), parameter)])
        expected = fields[f"p{step + 1}"]
        error = np.linalg.norm(parameter.numpy() - expected) / np.linalg.norm(expected)
        assert error <= tolerance
        assert parameter.dtype == parameter.numpy().dtype == dtype
    assert optimizer.iterations == 3
