"""Which stored array goes to which weight: by name, by order, inside nested models; and when a file is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from weight_cases import memory_file

from minicnn.errors import ArgumentError, WeightsMismatchError
from minicnn.weights import (
    LayerEntry,
    LayerSpec,
    WeightSpec,
    match,
    open_weights,
    save_keras_weights,
    save_legacy_weights,
)
from minicnn.weights.spec import leaves


def conv(name, shape=(3, 3, 2, 4), bias=True):
    weights = [WeightSpec("kernel", shape)] + ([WeightSpec("bias", shape[-1:])] if bias else [])
    return LayerSpec(name, "Conv2D", weights)


def dense(name, shape=(4, 3)):
    return LayerSpec(name, "Dense", [WeightSpec("kernel", shape), WeightSpec("bias", shape[-1:])])


def norm(name, channels=4, trainable=True):
    weights = [WeightSpec(w, (channels,), trainable) for w in ("gamma", "beta")]
    return LayerSpec(
        name,
        "BatchNormalization",
        weights + [WeightSpec(w, (channels,), False) for w in ("moving_mean", "moving_variance")],
    )


def model(*layers, name="net"):
    return LayerSpec(name, "Functional", layers=layers)


def stored(spec, start=0, rename=lambda name: name):
    """A legacy file in memory of a flat model: every array is filled with its own number."""
    count = iter(range(start, 10_000))
    return memory_file(
        {
            rename(layer.name): {f"{layer.name}/{w.name}:0": np.full(w.shape, next(count)) for w in layer.weights}
            for layer in spec.layers
        }
    )


def values(plan):
    """{index: the number its array is filled with}."""
    return {index: float(array.flat[0]) for index, array in plan.read()}


NET = model(conv("conv1"), norm("bn1"), LayerSpec("relu", "ReLU"), conv("conv2", (3, 3, 4, 4)), dense("predictions"))
BODY = model(*NET.layers[:-1])


def test_names_win_over_order():
    file = stored(NET)
    file.layers.reverse()
    plan = match(file, NET)
    assert plan.report.matched_by == "name"
    assert values(plan) == {i: i for i in range(10)}


def test_layers_that_keras_has_renamed_go_by_name():
    older = {"conv1": "Conv", "bn1": "Conv/BatchNorm", "conv2": "block/conv", "predictions": "Logits"}
    newer = model(conv("conv"), norm("conv_bn"), conv("block_conv", (3, 3, 4, 4)), dense("other"))
    file = stored(NET, rename=lambda name: older.get(name, name))
    plan = match(file, newer, by_name=True)
    assert plan.report.loaded == ["conv", "conv_bn", "block_conv"]
    assert values(plan) == {i: i for i in range(8)}


def test_a_name_that_two_layers_would_have_had_is_nobodys():
    twice = model(conv("a/b"), conv("a_b"))
    assert match(stored(twice), twice).report.loaded == ["a/b", "a_b"]
    with pytest.raises(WeightsMismatchError):
        match(stored(twice), model(conv("A_b")), by_name=True)


def test_without_common_names_the_order_decides():
    plan = match(stored(NET, rename=lambda name: f"old_{name}"), NET)
    assert plan.report.matched_by == "order"
    assert values(plan) == {i: i for i in range(10)}


def test_shifted_automatic_names_are_not_taken_by_name():
    # the file counts from 1, the model from nothing: "conv2d_1" is on both sides but not the same layer
    spec = model(*(conv(name, (3, 3, 4, 4)) for name in ("conv2d", "conv2d_1", "conv2d_2")))
    names = {"conv2d": "conv2d_1", "conv2d_1": "conv2d_2", "conv2d_2": "conv2d_3"}
    plan = match(stored(spec, rename=names.get), spec)
    assert plan.report.matched_by == "order"
    assert values(plan) == {i: i for i in range(6)}


def test_weights_of_a_layer_go_by_role_not_by_place():
    file = memory_file(
        {"bn": {f"bn/{w}:0": np.full(4, i) for i, w in enumerate(["moving_variance", "beta", "moving_mean", "gamma"])}}
    )
    assert values(match(file, model(norm("bn")))) == {0: 3, 1: 1, 2: 2, 3: 0}


def test_depthwise_kernels_have_two_names():
    spec = model(LayerSpec("dw", "DepthwiseConv2D", [WeightSpec("kernel", (3, 3, 4, 1)), WeightSpec("bias", (4,))]))
    file = memory_file({"dw": {"dw/bias:0": np.ones(4), "dw/depthwise_kernel:0": np.zeros((3, 3, 4, 1))}})
    assert values(match(file, spec)) == {0: 0, 1: 1}


def test_missing_layers_are_refused_or_reported():
    file = stored(NET)
    del file.layers[1]
    with pytest.raises(WeightsMismatchError, match=r"'bn1' \(4,\) \(4,\) \(4,\) \(4,\) is not in the file"):
        match(file, NET)
    plan = match(file, NET, strict=False)
    assert plan.report.missing == ["bn1"]
    assert sorted(values(plan)) == [0, 1, 6, 7, 8, 9]


def test_no_match_at_all_is_always_an_error():
    file = stored(model(dense("other", (7, 7))))
    for options in ({}, {"strict": False}, {"by_name": True}, {"on_mismatch": "skip"}):
        with pytest.raises(WeightsMismatchError, match="another architecture than the model 'net': no layer fits"):
            match(file, NET, **options)


def test_by_name_never_falls_back_to_order():
    file = stored(NET, rename=lambda name: f"old_{name}")
    with pytest.raises(WeightsMismatchError):
        match(file, NET, by_name=True)
    assert match(file, NET, strict=False).report.matched_by == "order"


def test_a_model_without_weights_needs_none():
    empty = model(LayerSpec("flatten", "Flatten"))
    for options in ({}, {"strict": False}, {"by_name": True}):
        assert match(stored(empty), empty, **options).assignments == []
    with pytest.raises(WeightsMismatchError):
        match(stored(NET), empty)


@pytest.mark.parametrize("policy", ["skip", "reinit"])
@pytest.mark.parametrize("rename", [lambda name: name, lambda name: f"old_{name}"], ids=["name", "order"])
def test_a_head_of_another_size_is_skipped_whole(policy, rename):
    file = stored(NET, rename=rename)
    smaller = model(*NET.layers[:-1], dense("predictions", (4, 2)))
    with pytest.raises(
        WeightsMismatchError, match=r"\(4, 3\) in the file, \(4, 2\) in the model.*number of classes.*include_top=False"
    ):
        match(file, smaller)
    plan = match(file, smaller, on_mismatch=policy)
    assert plan.report.mismatched == ["predictions"]
    assert values(plan) == {i: i for i in range(8)}


def test_where_other_layers_fit_by_name_skipping_is_the_remedy():
    wider = model(conv("conv1", (3, 3, 1, 4)), *NET.layers[1:])
    with pytest.raises(WeightsMismatchError, match=r"does not fit .*: 3 of 4 layers fit.*on_mismatch='skip' loads the"):
        match(stored(NET), wider)
    assert match(stored(NET), wider, on_mismatch="skip").report.mismatched == ["conv1"]


def test_by_order_only_the_end_may_differ():
    other = model(conv("a", (1, 1, 2, 4)), norm("b"), conv("c", (3, 3, 4, 4)), dense("d"))
    with pytest.raises(WeightsMismatchError):
        match(stored(NET, rename=lambda name: f"old_{name}"), other, on_mismatch="skip")


@pytest.mark.parametrize("rename", [lambda name: name, lambda name: f"old_{name}"], ids=["name", "order"])
def test_a_head_after_the_body_is_left_out_when_allowed(rename):
    file = stored(NET, rename=rename)
    with pytest.raises(WeightsMismatchError, match="more layers than the model"):
        match(file, BODY)
    plan = match(file, BODY, allow_head=True)
    assert plan.report.unexpected == [rename("predictions")]
    assert values(plan) == {i: i for i in range(8)}


def test_a_layer_before_the_end_is_no_head():
    deeper = model(
        conv("conv1"), norm("bn1"), conv("extra", (3, 3, 4, 4)), conv("conv2", (3, 3, 4, 4)), dense("predictions")
    )
    with pytest.raises(WeightsMismatchError, match="'extra'"):
        match(stored(deeper), BODY, allow_head=True)


def test_a_layer_before_the_end_is_no_head_under_automatic_names_either():
    body = model(conv("conv2d", (3, 3, 4, 4)), conv("conv2d_2", (3, 3, 4, 4)))
    deeper = model(*(conv(name, (3, 3, 4, 4)) for name in ("conv2d", "conv2d_1", "conv2d_2")))
    with pytest.raises(WeightsMismatchError, match="'conv2d_1'"):
        match(stored(deeper), body, allow_head=True)


def test_the_order_is_not_believed_against_given_names():
    file = stored(model(conv("stem", (3, 3, 4, 4)), conv("left", (3, 3, 4, 4)), conv("right", (3, 3, 4, 4))))
    spec = model(conv("stem", (3, 3, 4, 4)), conv("right", (3, 3, 4, 4)), conv("new", (3, 3, 4, 4)))
    with pytest.raises(WeightsMismatchError, match="'new'"):
        match(file, spec)


def test_a_file_without_head_says_include_top():
    with pytest.raises(WeightsMismatchError, match=r"'predictions'.*lacks the last layers.*include_top=False"):
        match(stored(BODY), NET)


def test_a_weight_too_many_names_both_sides():
    plain = model(conv("conv1", bias=False), *NET.layers[1:])
    with pytest.raises(
        WeightsMismatchError, match=r"weights \(3, 3, 2, 4\) \(4,\) in the file, kernel \(3, 3, 2, 4\) in the model"
    ):
        match(stored(NET), plain)


def test_unknown_policies_are_refused():
    with pytest.raises(ArgumentError, match="on_mismatch"):
        match(stored(NET), NET, on_mismatch="ignore")


# Nested models in legacy files: one entry, all weights in one list.


def nested(inner, outer="base"):
    return model(LayerSpec(outer, "Functional", layers=inner), dense("top"))


def flattened(inner, order, name=lambda layer, weight: f"{layer}/{weight}:0", outer="base"):
    """A file of `nested(inner)`; `order` sorts the inner weights as Keras would have."""
    slots = [(layer.name, w) for layer in inner for w in layer.weights]
    numbered = sorted(enumerate(slots), key=lambda item: order(item[1][1]))
    inside = {name(layer, w.name): np.full(w.shape, i) for i, (layer, w) in numbered}
    count = len(slots)
    return memory_file(
        {outer: inside, "top": {"top/kernel:0": np.full((4, 3), count), "top/bias:0": np.full(3, count + 1)}}
    )


INNER = [conv("conv1", (3, 3, 4, 4)), norm("bn1"), conv("conv2", (3, 3, 4, 4)), norm("bn2")]
KERAS_ORDERS = {
    "trainable": lambda weight: weight.name.startswith("moving"),
    "frozen": lambda weight: False,
    "partly frozen": lambda weight: (weight.name != "kernel", weight.name.startswith("moving")),
}


@pytest.mark.parametrize("order", KERAS_ORDERS.values(), ids=KERAS_ORDERS)
@pytest.mark.parametrize("prefix", ["", "outer/base/"])
def test_nested_weights_go_by_name_in_any_order(order, prefix):
    file = flattened(INNER, order, lambda layer, weight: f"{prefix}{layer}/{weight}")
    plan = match(file, nested(INNER))
    assert values(plan) == {i: i for i in range(14)}
    assert plan.report.loaded == ["base/conv1", "base/bn1", "base/conv2", "base/bn2", "top"]


@pytest.mark.parametrize("order", KERAS_ORDERS.values(), ids=KERAS_ORDERS)
def test_nested_weights_may_have_a_number_more(order):
    file = flattened(INNER, order, lambda layer, weight: f"{layer}_1/{weight}:0")
    assert values(match(file, nested(INNER))) == {i: i for i in range(14)}


@pytest.mark.parametrize("order", ["trainable", "frozen"])
def test_nested_weights_with_other_names_go_by_an_order_of_keras(order):
    file = flattened(INNER, KERAS_ORDERS[order], lambda layer, weight: f"x{layer}y/{weight}:0")
    assert values(match(file, nested(INNER))) == {i: i for i in range(14)}


def test_shifted_numbers_inside_a_nested_model_are_not_taken_by_name():
    inner = [conv(name, (3, 3, 4, 4)) for name in ("conv2d", "conv2d_1", "conv2d_2")]
    names = {"conv2d": "conv2d_1", "conv2d_1": "conv2d_2", "conv2d_2": "conv2d_3"}
    file = flattened(inner, lambda weight: False, lambda layer, weight: f"{names[layer]}/{weight}:0")
    assert values(match(file, nested(inner))) == {i: i for i in range(8)}


def test_nested_weights_in_no_order_of_keras_are_refused():
    file = flattened(INNER, lambda weight: weight.name, lambda layer, weight: f"x{layer}y/{weight}:0")
    with pytest.raises(WeightsMismatchError, match="base/"):
        match(file, nested(INNER))


def test_equal_names_in_two_inner_models_are_told_apart_by_their_models():
    twins = [LayerSpec(side, "Sequential", layers=[conv("conv", (3, 3, 4, 4))]) for side in ("left", "right")]
    spec = model(LayerSpec("base", "Functional", layers=twins))
    slots = [("right", "kernel", 2), ("right", "bias", 3), ("left", "kernel", 0), ("left", "bias", 1)]
    shapes = {"kernel": (3, 3, 4, 4), "bias": (4,)}
    file = memory_file({"base": {f"net/base/{side}/conv/{w}": np.full(shapes[w], i) for side, w, i in slots}})
    assert values(match(file, spec)) == {i: i for i in range(4)}


def test_a_name_that_two_inner_models_have_is_nobodys():
    twins = [LayerSpec(side, "Sequential", layers=[conv("conv", (3, 3, 4, 4))]) for side in ("left", "right")]
    file = memory_file({"base": {"conv/kernel": np.zeros((3, 3, 4, 4)), "conv/bias": np.zeros(4)}, "top": {}})
    with pytest.raises(WeightsMismatchError, match="no layer fits"):
        match(file, model(LayerSpec("base", "Functional", layers=twins)), strict=False)


def test_inner_layer_names_may_contain_slashes():
    inner = [conv("conv1/conv", (3, 3, 4, 4)), norm("conv1/bn")]
    assert values(match(flattened(inner, lambda weight: False), nested(inner))) == {i: i for i in range(8)}


def test_a_changed_layer_inside_a_nested_model_is_named():
    changed = [INNER[0], norm("bn1"), conv("conv2", (5, 5, 4, 4)), norm("bn2")]
    with pytest.raises(WeightsMismatchError, match="'base/conv2'"):
        match(flattened(INNER, KERAS_ORDERS["frozen"]), nested(changed))
    plan = match(flattened(INNER, KERAS_ORDERS["frozen"]), nested(changed), on_mismatch="skip")
    assert plan.report.mismatched == ["base/conv2"]
    assert sorted(values(plan)) == [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13]


# Keras 3 files.


@pytest.fixture
def keras3(tmp_path):
    """Write a model as .weights.h5, arrays filled with their numbers, and open it."""

    def write(spec):
        weights = [w for leaf in leaves(spec) for w in leaf.layer.weights]
        save_keras_weights(tmp_path / "a.weights.h5", spec, [np.full(w.shape, i, "f4") for i, w in enumerate(weights)])
        return open_weights(tmp_path / "a.weights.h5")

    return write


def renamed(spec, prefix):
    return LayerSpec(
        prefix + spec.name, spec.class_name, spec.weights, spec.layers and [renamed(l, prefix) for l in spec.layers]
    )


@pytest.mark.parametrize(("prefix", "matched_by"), [("", "name"), ("other_", "path")])
def test_keras3_groups_by_name_then_by_numbered_class(keras3, prefix, matched_by):
    spec = model(LayerSpec("base", "Functional", layers=INNER), *NET.layers)
    with keras3(spec) as file:
        plan = match(file, renamed(spec, prefix))
        assert plan.report.matched_by == matched_by
        assert values(plan) == {i: i for i in range(22)}


def test_keras3_head(keras3):
    with keras3(NET) as file:
        with pytest.raises(WeightsMismatchError, match="'predictions'"):
            match(file, BODY)
        assert match(file, BODY, allow_head=True).report.unexpected == ["predictions"]


def test_keras3_more_than_ten_of_a_class(keras3):
    spec = model(*(dense(f"d{i}", (2, 2)) for i in range(25)))
    with keras3(spec) as file:
        assert [entry.name for entry in file.layers] == [f"d{i}" for i in range(25)]
        assert values(match(file, renamed(spec, "x"))) == {i: i for i in range(50)}


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=6), depth=st.integers(0, 3), legacy=st.booleans())
def test_whatever_is_written_is_matched_again(tmp_path_factory, sizes, depth, legacy):
    layers = [layer for i, n in enumerate(sizes) for layer in (conv(f"c{i}", (1, 1, 2, n)), norm(f"n{i}", n))]
    for level in range(depth):
        layers = [LayerSpec(f"m{level}", "Functional", layers=layers), dense(f"d{level}")]
    spec = model(*layers)
    weights = [w for leaf in leaves(spec) for w in leaf.layer.weights]
    path = tmp_path_factory.mktemp("written") / "a.weights.h5"
    (save_legacy_weights if legacy else save_keras_weights)(
        path, spec, [np.full(w.shape, i, "f4") for i, w in enumerate(weights)]
    )
    with open_weights(path) as file:
        assert values(match(file, spec)) == {i: i for i in range(len(weights))}


def test_the_report_is_an_aligned_table():
    file = stored(NET)
    file.layers[1] = LayerEntry("extra", "extra", file.layers[1].weights)
    text = str(match(file, NET, strict=False).report)
    head, titles, *rows = text.splitlines()
    assert "3 loaded, 1 missing, 1 unexpected" in head
    assert "by name" in head
    column = titles.index("file layer")
    assert [row[column:].split()[0] for row in rows] == ["conv1", "-", "conv2", "predictions", "extra"]
    assert "3×3×2×4 4" in rows[0]
