"""Models in `pickle` and `copy`: equal, and of one's own."""

import copy
import pickle

import numpy as np
import pytest
from transfer_cases import SIDE, small_net

from minicnn.layers import BatchNormalization, Dense, Input
from minicnn.models import Sequential

X = np.random.default_rng(0).random((3, SIDE, SIDE, 3), np.float32)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_is_the_same_model(copied):
    model = small_net(preprocessing="tf")
    model.get_layer("conv1").trainable = False
    model.dense_storage = "bfloat16"
    model.predict(X)  # a plan that cannot be pickled
    other = copied(model)
    assert other.predict(X).tobytes() == model.predict(X).tobytes()
    assert [layer.name for layer in other.layers] == [layer.name for layer in model.layers]
    assert [layer.trainable for layer in other.layers] == [layer.trainable for layer in model.layers]
    assert (other.metadata, other.dense_storage) == (model.metadata, model.dense_storage)


def test_training_a_copy_leaves_the_model_as_it_is():
    model = Sequential([Input((4,)), BatchNormalization(), Dense(2)])
    model.compile("sgd", "mse")
    before = [array.copy() for array in model.get_weights()]
    other = copy.deepcopy(model)
    other.fit(np.ones((8, 4)), np.ones((8, 2)), verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert not np.array_equal(other.get_weights()[-1], before[-1])
