"""Files as a person reads them: the order of the config, names where a file is silent, roles where they are certain."""

import pytest
from weight_cases import FILES

from minicnn.layers import BatchNormalization, Conv2D, Dense, Flatten, Input, SeparableConv2D
from minicnn.models import Model, Sequential
from minicnn.weights import LayerEntry, WeightEntry, WeightFile, open_weights
from minicnn.weights.contents import contents


def net():
    inner_input = Input((6, 6, 4))
    inner = Model(inner_input, BatchNormalization(scale=False, name="norm")(Conv2D(4, 3, name="inside")(inner_input)))
    inner.name = "inner"
    x = inputs = Input((6, 6, 3))
    x = SeparableConv2D(4, 3, padding="same", name="first")(x)
    x = BatchNormalization(name="second")(x)
    x = inner(Conv2D(4, 1, use_bias=False, name="third")(x))
    return Model(inputs, Dense(2, name="last")(Flatten()(x)))


def described(path):
    with open_weights(path) as file:
        return [(layer.name, [role for role, _ in layer.weights]) for layer in contents(file) if layer.weights]


EXPECTED = [
    ("first", ["depthwise_kernel", "pointwise_kernel", "bias"]),
    ("second", ["gamma", "beta", "moving_mean", "moving_variance"]),
    ("third", ["kernel"]),
    ("inside", ["kernel", "bias"]),
    ("norm", ["beta", "moving_mean", "moving_variance"]),
    ("last", ["kernel", "bias"]),
]


def test_an_archive_is_read_in_the_order_of_its_config(tmp_path):
    net().save(tmp_path / "net.keras")
    assert described(tmp_path / "net.keras") == EXPECTED


def test_without_a_config_roles_are_said_where_only_one_choice_fits(tmp_path):
    net().save_weights(tmp_path / "net.weights.h5")
    found = dict(described(tmp_path / "net.weights.h5"))
    assert found == dict(EXPECTED) | {"norm": [None] * 3}


def test_legacy_files_say_roles_in_names(tmp_path):
    net().save(tmp_path / "net.h5")
    found = described(tmp_path / "net.h5")
    assert [entry for entry in found if entry[0] != "inner"] == [
        entry for entry in EXPECTED if entry[0] not in ("inside", "norm")
    ]
    assert dict(found)["inner"] == [None] * 5  # "inside/kernel:0" and more: the whole name is what tells


@pytest.mark.parametrize(
    ("layer", "weight", "role"),
    [
        ("conv1", "conv1/kernel:0", "kernel"),
        ("fire2/squeeze", "fire2/squeeze_3/bias:0", "bias"),
        ("conv_2", "conv_2_1/kernel:0", "kernel"),
        ("convolution2d_1", "convolution2d_1_W", "kernel"),
        ("vgg", "block1_conv1/kernel:0", None),
        ("vgg", "vgg_1_2/kernel:0", None),
    ],
)
def test_roles_in_legacy_names(layer, weight, role):
    entry = LayerEntry(layer, layer, [WeightEntry(weight, (1,), "float32", lambda shape: None)])
    (found,) = contents(WeightFile("a.h5", "legacy weights", [entry]))
    assert [said for said, _ in found.weights] == [role]


def test_names_that_a_file_does_not_say_come_from_its_config(tmp_path):
    model = Sequential([Input((4,)), Dense(3, name="a"), Dense(2, name="b")])
    model.save(tmp_path / "net.keras")
    with open_weights(tmp_path / "net.keras") as file:
        for entry in file.layers:
            object.__setattr__(entry, "name", entry.path.rsplit("/", 1)[-1])
        assert [layer.name for layer in contents(file)] == ["a", "b"]


@pytest.mark.parametrize(
    "config",
    [
        None,
        {},
        {"config": 3},
        {"config": []},
        {"config": {"layers": "x"}},
        {"config": {"layers": [1, {}, {"config": []}]}},
    ],
)
def test_a_config_may_be_anything(tmp_path, config):
    net().save(tmp_path / "net.keras")
    with open_weights(tmp_path / "net.keras") as file:
        file.config = config
        assert {layer.name for layer in contents(file) if layer.weights} == {name for name, _ in EXPECTED}


@pytest.mark.parametrize(
    "path", sorted(p for p in FILES.glob("tiny*") if p.name.endswith((".h5", ".keras"))), ids=lambda path: path.name
)
def test_every_golden_file_is_described(path):
    with open_weights(path) as file:
        found = contents(file)
        assert sorted(w.name for layer in found for _, w in layer.weights) == sorted(
            w.name for layer in file.layers for w in layer.weights
        )
        assert all(
            role is not None for layer in found if layer.class_name in ("Conv2D", "Dense") for role, _ in layer.weights
        )
