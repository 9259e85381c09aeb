"""A sample is computed in the same way in every batch, however a plan cuts batches and images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_nets import images, nets, plan_of, randomize
from strategies import LAYOUTS, lay_out

from minicnn import layers as L
from minicnn.models import Model
from minicnn.models.plan import stages, stripes


def wide_net(size: int) -> Model:
    """Layers whose default rung could depend on the number of images: convolutions of many channels, dense layers."""
    x = L.Input((size, size, 16))
    y = L.Conv2D(24, 3, padding="same", activation="relu")(x)
    y = L.Conv2D(24, 3, 2, padding="same", activation="relu6")(L.Add()([y, L.Conv2D(24, 1)(x)]))
    y = L.Dense(40, activation="relu")(L.Flatten()(L.DepthwiseConv2D(3, padding="same")(y)))
    model = Model(x, L.Dense(10, activation="softmax")(y))
    randomize(model, 0)
    return model


WIDE = {size: wide_net(size) for size in (2, 4, 7, 13)}


@given(size=st.sampled_from(sorted(WIDE)), count=st.integers(1, 40), data=st.data())
def test_a_sample_does_not_depend_on_its_batch(size, count, data):
    x = np.random.default_rng(count).standard_normal((count, size, size, 16), np.float32)
    start = data.draw(st.integers(0, count - 1))
    stop = data.draw(st.integers(start + 1, count))
    plan = plan_of(WIDE[size])
    np.testing.assert_array_equal(plan.run([x[start:stop]])[0], plan.run([x])[0][start:stop])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_how_inputs_lie_in_memory_changes_no_bit(layout, dtype):
    x = np.random.default_rng(0).integers(0, 255, (3, 7, 7, 16)).astype(dtype)
    laid_out = lay_out(x, layout)
    laid_out.flags.writeable = False
    np.testing.assert_array_equal(WIDE[7].predict(laid_out), WIDE[7].predict(x))
    WIDE[7].compile("sgd", "mse")
    weights, y = WIDE[7].get_weights(), np.zeros((3, 10))
    found = WIDE[7].train_on_batch(laid_out, y)
    WIDE[7].set_weights(weights)
    assert found == WIDE[7].train_on_batch(x, y)
    WIDE[7].set_weights(weights)


def narrow_and_wide(strides: int, padding: str) -> Model:
    """Chains of convolutions from one narrow place to the next, as in mobile networks, one of them with a shortcut."""
    x = L.Input((23, 17, 3))
    y = L.Conv2D(8, 3, strides, padding="same", activation="relu6")(x)
    z = L.DepthwiseConv2D(3, padding="same", activation="relu6")(L.Conv2D(24, 1, activation="relu6")(y))
    y = L.Add()([y, L.Conv2D(8, 1)(z)])
    z = L.DepthwiseConv2D(5, strides, padding=padding, activation="relu")(L.Conv2D(40, 1, activation="relu")(y))
    z = L.Conv2D(16, (3, 2), 2, padding="same")(z)
    model = Model(x, [L.Conv2D(4, 1)(z), L.GlobalAveragePooling2D()(z)])
    randomize(model, 0)
    return model


def pooled(pool_size: int, padding: str) -> Model:
    """Chains of 3x3 convolutions, in tiles of several rows where there are channels enough, and poolings."""
    x = L.Input((23, 17, 3))
    y = L.Conv2D(16, 3, padding="same", activation="relu")(x)
    y = L.Add()([y, L.Conv2D(16, 3, padding="same")(y)])  # a shortcut around one layer
    for filters in (32, 24):
        y = L.Conv2D(32, 3, padding=padding, activation="relu")(y)
        y = L.MaxPooling2D(pool_size, 2, padding)(L.Conv2D(filters, 3, padding="same")(y))
    model = Model(x, [y, L.GlobalAveragePooling2D()(y)])
    randomize(model, 0)
    return model


CHAINED = {options: narrow_and_wide(*options) for options in ((1, "valid"), (1, "same"), (2, "same"))}
CHAINED |= {
    ("pooled", *options): pooled(*options) for options in ((2, "valid"), (3, "same"), (2, "same"), (3, "valid"))
}


@given(
    options=st.sampled_from(list(CHAINED)),
    count=st.integers(1, 7),
    stripe=st.integers(1_000, 10_000),
    cache=st.integers(1_000, 100_000),
)
def test_stripes_and_slices_change_no_bit(options, count, stripe, cache):
    x = [np.random.default_rng(count).standard_normal((count, 23, 17, 3), np.float32)]
    expected = plan_of(CHAINED[options]).run(x)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripes, "STRIPE", stripe)
        patch.setattr(stages, "CACHE", cache)
        for found in (plan_of(CHAINED[options]).run(x), plan_of(CHAINED[options]).run([x[0][:1]])):
            for a, b in zip(found, expected):
                np.testing.assert_array_equal(a, b[: len(a)])


def test_a_chain_in_stripes_needs_no_room_for_what_lies_within(monkeypatch):
    monkeypatch.setattr(stripes, "STRIPE", 4_000)
    plan = plan_of(CHAINED[1, "same"])
    plan.run([np.zeros((1, 23, 17, 3), np.float32)])
    ((stage,),) = plan._stages.values()
    wide = [item.output for item in plan.instructions if item.output.shape[-1] in (24, 40)]
    assert len(wide) == 4
    assert not any(id(value) in stage.rest.memory.of for value in wide)
    assert all(scratch.nbytes < 20_000 for scratch in stage.rest.scratch)


@settings(max_examples=20)
@given(nets())
def test_no_layer_mixes_samples(model):
    plan, x = plan_of(model), images(5)
    for alone, together in zip(plan.run([x[3:4]]), plan.run([x])):
        np.testing.assert_array_equal(alone, together[3:4])
