"""Freezing by name: what is trained, what BatchNormalization does, nested models too."""

import numpy as np
import pytest
from transfer_cases import small_net

from minicnn.applications import VGG16, MobileNet
from minicnn.errors import ArgumentError
from minicnn.layers import Dense
from minicnn.models import Sequential
from minicnn.transfer import freeze, layer_groups, load_base, unfreeze


def test_freeze_all_and_unfreeze_all():
    model = small_net()
    assert freeze(model) == ["conv1", "bn1", "conv2", "bn2", "old_head"]
    assert model.trainable_weights == []
    assert unfreeze(model, batchnorm="train") == ["conv1", "bn1", "conv2", "bn2", "old_head"]


@pytest.mark.parametrize("act", [freeze, unfreeze, layer_groups])
def test_a_base_stands_for_its_network_and_a_name_is_refused(act):
    base = load_base("bundled")
    given, own = act(base), act(base.model)
    assert given == own
    with pytest.raises(ArgumentError, match=f"^{act.__name__} takes a model, or a base .*; it is of type str$"):
        act("bundled")


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


@pytest.mark.parametrize(
    ("choice", "trained"),
    [
        ({"last": 1}, ["old_head"]),
        ({"last": 2}, ["conv2", "old_head"]),
        ({"last": 2, "batchnorm": "train"}, ["conv2", "bn2", "old_head"]),
        ({"last": 3}, ["conv1", "conv2", "old_head"]),
        ({"pattern": "conv*"}, ["conv1", "conv2"]),
        ({"pattern": "?n2", "batchnorm": "train"}, ["bn2"]),
        ({"pattern": "bn2"}, []),
    ],
)
def test_layers_by_number_and_by_pattern(choice, trained):
    model = small_net()
    freeze(model)
    assert unfreeze(model, **choice) == trained


def test_a_pattern_freezes():
    model = small_net()
    assert freeze(model, pattern="*1") == ["conv1", "bn1"]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (
            {"pattern": "block*"},
            "no layer has a name like 'block[*]'; the last layers with weights: old_head, conv2, conv1",
        ),
        ({"last": 0}, "last"),
        ({"last": 4}, "3 layers have weights"),
        ({"last": 1, "pattern": "conv*"}, "last and pattern are given"),
        ({"from_layer": "conv2", "last": 1}, "from_layer and last are given"),
    ],
)
def test_choices_that_name_nothing_or_too_much_are_refused(choice, said):
    model = small_net()
    freeze(model)
    with pytest.raises(ArgumentError, match=said):
        unfreeze(model, **choice)
    assert model.trainable_weights == []


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


def test_an_unknown_layer_is_refused_with_layers_that_can_be_given():
    with pytest.raises(ArgumentError) as refusal:
        unfreeze(small_net(), "covn2")
    end = "the last layers with weights: old_head, conv2, conv1 (the beginning of a name is enough)"
    assert str(refusal.value) == f"there is no layer 'covn2' in the model; similar names: conv2, conv1; {end}"
    with pytest.raises(ArgumentError) as refusal:
        unfreeze(small_net(), "nosuchlayer")
    assert str(refusal.value) == f"there is no layer 'nosuchlayer' in the model; {end}"


def test_of_a_deep_net_the_last_layers_are_named():
    net = MobileNet(weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.25)
    end = "the last layers with weights: conv_pw_13, conv_dw_13, conv_pw_12, conv_dw_12, conv_pw_11, conv_dw_11 … "
    with pytest.raises(ArgumentError, match=end):
        unfreeze(net, "nosuchlayer")


def test_stages_of_the_bundled_net_and_blocks_of_vgg_are_beginnings_of_names():
    assert unfreeze(frozen(load_base("bundled").model), "stage3")[0].startswith("stage3")
    vgg = VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    assert unfreeze(frozen(vgg), "block5") == ["block5_conv1", "block5_conv2", "block5_conv3"]


def frozen(model):
    freeze(model)
    return model


def test_an_unknown_mode_is_refused():
    with pytest.raises(ArgumentError, match="batchnorm"):
        unfreeze(small_net(), "conv2", batchnorm="yes")
