"""Freezing by name: what is trained, what BatchNormalization does, nested models too."""

import numpy as np
import pytest
from transfer_cases import small_net

from minicnn.errors import ArgumentError
from minicnn.layers import Dense
from minicnn.models import Sequential
from minicnn.transfer import freeze, unfreeze


def test_freeze_all_and_unfreeze_all():
    model = small_net()
    assert freeze(model) == ["conv1", "bn1", "conv2", "bn2", "old_head"]
    assert model.trainable_weights == []
    assert unfreeze(model, batchnorm="train") == ["conv1", "bn1", "conv2", "bn2", "old_head"]


def test_freeze_until_a_layer_leaves_the_rest_trainable():
    model = small_net()
    assert freeze(model, until="relu1") == ["conv1", "bn1"]
    assert [layer.name for layer in model.layers if layer.trainable_weights] == ["conv2", "bn2", "old_head"]


@pytest.mark.parametrize(
    ("batchnorm", "trained"), [("keep-frozen", ["conv2", "old_head"]), ("train", ["conv2", "bn2", "old_head"])]
)
def test_unfreezing_keeps_batch_normalization_frozen_unless_asked(batchnorm, trained):
    model = small_net()
    freeze(model)
    assert unfreeze(model, "conv2", batchnorm) == trained


def test_the_beginning_of_a_name_means_the_first_layer_with_it():
    model = small_net()
    freeze(model)
    assert unfreeze(model, "conv", "train") == ["conv1", "bn1", "conv2", "bn2", "old_head"]


def test_layers_of_nested_models_are_found():
    inner = small_net()
    model = Sequential([inner, Dense(2, name="outer")])
    freeze(model)
    assert unfreeze(model, "conv2") == ["conv2", "old_head", "outer"]


def test_frozen_batch_normalization_uses_and_keeps_its_statistics():
    model = small_net()
    freeze(model, until="bn2")
    before = [w.copy() for name in ("bn1", "bn2") for w in model.get_layer(name).get_weights()]
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).normal(size=(8, 24, 24, 3)).astype(np.float32)
    model.fit(x, np.arange(8) % 4, epochs=2, verbose=0)
    after = [w for name in ("bn1", "bn2") for w in model.get_layer(name).get_weights()]
    assert all(a.tobytes() == b.tobytes() for a, b in zip(before, after))


def test_an_unknown_layer_is_refused_with_similar_names():
    with pytest.raises(ArgumentError, match=r"no layer 'covn2'.*conv2"):
        unfreeze(small_net(), "covn2")
    with pytest.raises(ArgumentError, match="expected one of keep-frozen, train"):
        unfreeze(small_net(), "conv2", batchnorm="yes")
