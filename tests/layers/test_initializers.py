"""Initializers have their distribution, and a stream of their own."""

import math

import numpy as np
import pytest

from minicnn.errors import ArgumentError
from minicnn.layers import Conv2D, Dense, Input, initializers
from minicnn.layers.initializers import CLASSES, SHORT_NAMES, fans, get
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only
SHAPE = (3, 3, 64, 128)  # fans 576 and 1152
CUT = 0.8796256610342398  # standard deviation of a Gaussian cut at 2


@pytest.mark.parametrize(
    ("name", "deviation", "largest"),
    [
        ("glorot_uniform", math.sqrt(2 / 1728), math.sqrt(6 / 1728)),
        ("glorot_normal", math.sqrt(2 / 1728), 2 * math.sqrt(2 / 1728) / CUT),
        ("he_uniform", math.sqrt(2 / 576), math.sqrt(6 / 576)),
        ("he_normal", math.sqrt(2 / 576), 2 * math.sqrt(2 / 576) / CUT),
        ("lecun_uniform", math.sqrt(1 / 576), math.sqrt(3 / 576)),
        ("lecun_normal", math.sqrt(1 / 576), 2 * math.sqrt(1 / 576) / CUT),
        ("random_normal", 0.05, 0.4),
        ("truncated_normal", 0.05 * CUT, 0.1),
        ("random_uniform", 0.1 / math.sqrt(12), 0.05),
    ],
)
def test_distributions(name, deviation, largest):
    draws = get(name)(SHAPE)
    assert draws.dtype == np.float32
    assert abs(draws.mean()) < 0.02 * deviation
    assert abs(draws.std() / deviation - 1) < 0.01
    assert np.abs(draws).max() <= largest * 1.0001
    if name != "random_normal":
        assert np.abs(draws).max() > 0.98 * largest


def test_variance_scaling_without_truncation():
    draws = initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal", seed=1)(SHAPE)
    assert abs(draws.std() / math.sqrt(2 / 1152) - 1) < 0.01
    assert np.abs(draws).max() > 3 * draws.std()


def test_fans():
    assert fans((3, 3, 64, 128)) == (576, 1152)
    assert fans((5, 7)) == (5, 7)
    assert fans((4,)) == (4, 4)
    assert fans(()) == (1, 1)


def test_constants():
    assert get("zeros")((2,)).tolist() == [0, 0]
    assert get("ones")((2,)).tolist() == [1, 1]
    assert initializers.Constant(3)((2,), np.float64).tolist() == [3, 3]


@pytest.mark.parametrize("name", list(CLASSES))
def test_config_round_trip(name):
    first = CLASSES[name](seed=5) if "seed" in CLASSES[name]().get_config() else CLASSES[name]()
    again = get(initializers.serialize(first))
    assert type(again) is type(first)
    assert again.get_config() == first.get_config()
    np.testing.assert_array_equal(again((4, 5)), first((4, 5)))


def test_every_short_name_leads_somewhere():
    assert {type(get(name)).__name__ for name in SHORT_NAMES} == set(SHORT_NAMES.values())
    assert get("HeNormal").get_config() == {"seed": None}


def test_two_weights_do_not_share_a_stream():
    set_random_seed(0)
    first, second = Dense(8), Dense(8)
    for layer in (first, second):
        layer(Input((8,)))
    assert (first.get_weights()[0] != second.get_weights()[0]).all()


def test_a_seed_decides_the_weights_in_whatever_order_they_are_looked_at():
    def kernels(order):
        set_random_seed(1)
        made = [Conv2D(2, 3), Conv2D(2, 3), Dense(4)]
        for layer, shape in zip(made, [(5, 5, 1), (5, 5, 1), (3,)]):
            layer(Input(shape))
        found = {i: made[i].get_weights()[0] for i in order}
        return [found[i] for i in range(3)]

    for a, b in zip(kernels([0, 1, 2]), kernels([2, 0, 1])):
        np.testing.assert_array_equal(a, b)


def test_unknown_names_are_refused():
    with pytest.raises(ArgumentError, match="unknown initializer 'orthogonally'; known are Zeros"):
        get("orthogonally")


@pytest.mark.parametrize("shape", [(3, 3, 4, 5), (2, 7), (7, 2)])
def test_orthogonal_rows_or_columns(shape):
    matrix = initializers.get({"class_name": "Orthogonal", "config": {"gain": 2.0}})(shape, np.float64)
    flat = matrix.reshape(-1, shape[-1])
    product = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_identity():
    np.testing.assert_array_equal(initializers.get("identity")((2, 3)), [[1, 0, 0], [0, 1, 0]])
    for name, shape in (("identity", (3,)), ("orthogonal", (3,))):
        with pytest.raises(ArgumentError, match="shape is"):
            initializers.get(name)(shape)
