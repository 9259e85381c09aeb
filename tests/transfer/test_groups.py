"""Layer groups of real networks, and of small ones that no rule was made for."""

import pytest
from transfer_cases import small_net

from minicnn.applications import VGG16, EfficientNetB0, MobileNet, ResNet50
from minicnn.layers import BatchNormalization, Conv2D, Dense, Flatten, GlobalAveragePooling2D, Input, MaxPooling2D
from minicnn.models import Sequential
from minicnn.transfer import freeze, layer_groups, load_base, unfreeze
from minicnn.transfer.freeze import leaf_layers

pytestmark = pytest.mark.numpy_only

BODY = {"weights": None, "include_top": False, "input_shape": (64, 64, 3)}


def firsts(model, **options):
    return [group.layers[0].name for group in layer_groups(model, **options)]


def test_blocks_of_vgg_and_stages_of_resnet_are_groups():
    assert firsts(VGG16(**BODY)) == [f"block{number}_conv1" for number in range(1, 6)]
    assert firsts(ResNet50(**BODY)) == ["conv1_conv", *(f"conv{number}_block1_0_conv" for number in range(2, 6))]


def test_blocks_without_numbers_of_stages_are_grouped_by_their_maps():
    assert firsts(MobileNet(alpha=0.25, **BODY)) == ["conv1", *(f"conv_dw_{number}" for number in (2, 4, 6, 12))]


def test_a_squeeze_to_one_pixel_stays_in_its_stage():
    names = [group.name for group in layer_groups(EfficientNetB0(**BODY))]
    assert len(names) == 5
    assert names[-1] == "block6a_dwconv … top_bn"


def test_the_classifier_is_a_group_of_its_own():
    model = VGG16(weights=None, input_shape=(32, 32, 3), classes=3)
    assert [layer.name for layer in layer_groups(model)[-1].layers] == ["fc1", "fc2", "predictions"]


def test_every_layer_with_weights_is_in_one_group():
    model = load_base("bundled").model
    grouped = [layer for group in layer_groups(model) for layer in group.layers]
    assert {id(layer) for layer in grouped} == {id(layer) for layer in leaf_layers(model) if layer.weights}
    assert len(grouped) == len({id(layer) for layer in grouped})
    learnable = sum(p.size for p in model.weights if p.learnable)
    assert sum(group.size for group in layer_groups(model)) == learnable


def test_maps_of_one_size_are_divided_evenly_with_their_norms():
    layers = [layer for i in range(4) for layer in (Conv2D(2, 3, padding="same", name=f"c{i}"), BatchNormalization())]
    model = Sequential([Input((8, 8, 3)), *layers])
    assert firsts(model, most=2) == ["c0", "c2"]
    assert firsts(small_net()) == ["conv1", "conv2", "old_head"]


def test_too_many_stages_become_one_at_the_bottom():
    assert firsts(VGG16(**BODY), most=3) == ["block1_conv1", "block4_conv1", "block5_conv1"]


def test_nested_models_and_free_sides():
    inner = Sequential([Input((None, None, 3)), Conv2D(2, 3, name="a"), MaxPooling2D(), Conv2D(2, 3, name="b")])
    model = Sequential([inner, GlobalAveragePooling2D(), Dense(2, name="end")])
    assert firsts(model) == ["a", "b", "end"]


def test_a_net_of_vectors_is_one_head():
    assert firsts(Sequential([Input((4,)), Dense(3, name="one"), Dense(2, name="two")])) == ["one"]
    assert layer_groups(Sequential([Input((4, 4, 1)), Flatten()])) == []


def test_the_summary_shows_groups():
    model, lines = small_net(), []
    freeze(model)
    unfreeze(model, "conv2")
    model.summary(print_fn=lines.append, groups=layer_groups(model))
    row = {line.split()[0]: line for line in lines}
    assert lines[1].endswith("group")
    assert row["conv1"].endswith("  1")
    assert row["bn2"].endswith("  2")
    assert not row["add"].endswith(("1", "2", "3"))
    assert lines[-3:] == [
        "group 1  conv1 … bn1   weights 240   trainable 0",
        "group 2  conv2 … bn2   weights 600   trainable 584",
        "group 3  old_head   weights 36   trainable 36",
    ]
