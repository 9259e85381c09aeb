"""Low-rank changes of kernels that are on a device, in the emulator."""

import numpy as np
import pytest
from emulator.device import install
from transfer_cases import SIDE, small_net

from minicnn.optimizers import SGD, Adam
from minicnn.seeds import set_random_seed
from minicnn.transfer.low_rank import LowRank

pytestmark = pytest.mark.cuda_emulated
X = np.random.default_rng(0).standard_normal((6, SIDE, SIDE, 3)).astype(np.float32)
Y = np.eye(4, dtype=np.float32)[np.arange(6) % 4]


def trained(place: str) -> np.ndarray:
    """The losses and weights of a training that begins and ends on the CPU."""
    model = small_net()
    set_random_seed(1)
    kernels = [model.get_layer(name).kernel for name in ("conv1", "conv2", "old_head")]
    optimizer = SGD(0.1, momentum=0.9, use_ema=True, ema_momentum=0.5)
    model.compile(LowRank(optimizer, kernels, rank=2), "categorical_crossentropy")
    losses = []
    for device in ("cpu", place, place, "cpu"):
        losses.append(model.to(device).train_on_batch(X, Y))
    model.to(place).optimizer.swap_averages()
    return np.concatenate([np.ravel(losses), *(weight.ravel() for weight in model.get_weights())])


def test_they_are_those_of_the_cpu():
    expected = trained("cpu")
    assert np.linalg.norm(trained(install().name) - expected) < 1e-5 * np.linalg.norm(expected)


def test_a_scale_of_the_loss_is_part_of_the_state():
    model = small_net().to(install().name)
    model.precision = "float16"
    optimizer = LowRank(Adam(0.01), [model.get_layer("conv2").kernel], rank=2)
    model.compile(optimizer, "categorical_crossentropy")
    model.train_on_batch(X, Y)
    assert optimizer.loss_scale.good == 1
    optimizer.loss_scale.value = 256.0
    state = optimizer.state()
    optimizer.scale_loss(False)
    optimizer.load_state(state)
    assert (optimizer.loss_scale.value, optimizer.loss_scale.good) == (256.0, 1)
