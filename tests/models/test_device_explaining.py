"""Explanations and adapted statistics of a model on a device, for pictures of the host and of the device."""

import numpy as np
import pytest
from emulator.device import EmulatedDevice, install

from minicnn.explain import grad_cam
from minicnn.layers import BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, Input
from minicnn.models import Sequential
from minicnn.seeds import set_random_seed
from minicnn.transfer import adapt_batchnorm

pytestmark = pytest.mark.cuda_emulated


@pytest.fixture
def device() -> EmulatedDevice:
    return install()


def classifier() -> Sequential:
    set_random_seed(5)
    layers = [Conv2D(4, 3, activation="relu"), BatchNormalization(), GlobalAveragePooling2D(), Dense(3, "softmax")]
    return Sequential([Input((6, 6, 3)), *layers])


def pictures() -> np.ndarray:
    return np.random.default_rng(2).standard_normal((3, 6, 6, 3)).astype(np.float32)


def test_pictures_of_a_device_are_explained(device):
    expected = grad_cam(classifier(), pictures())
    model = classifier().to(device.name)
    for given in (pictures(), device.from_host(pictures())):
        np.testing.assert_allclose(grad_cam(model, given), expected, rtol=1e-4, atol=1e-5)


def test_statistics_are_adapted_to_pictures_of_a_device(device):
    expected = classifier()
    adapt_batchnorm(expected, pictures())
    for move in (np.asarray, device.from_host):
        model = classifier().to(device.name)
        adapt_batchnorm(model, move(pictures()))
        for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
