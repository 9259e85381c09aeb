"""Plain data as text and arrays, and what is none."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.errors import ArgumentError, FileFormatError
from minicnn.training.plain import pack, unpack

pytestmark = pytest.mark.numpy_only

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(2**200), 2**200), st.floats(), st.text())
DATA = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.text().filter(lambda key: key != "$"), inner, max_size=4),
        st.lists(st.floats(), min_size=64, max_size=66),
    ),
)


def equal(a, b):
    if isinstance(a, float):
        return type(b) is float and (
            math.isnan(a) if math.isnan(b) else a == b and math.copysign(1, a) == math.copysign(1, b)
        )
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


@given(DATA)
def test_what_goes_in_comes_out(value):
    text, arrays = pack(value)
    assert equal(value, unpack(text, arrays))
    json.loads(text, parse_constant=pytest.fail)


def test_arrays_and_the_numbers_of_numpy_stay_what_they_are():
    value = {
        "a": np.ones((2, 3), np.float16),
        "b": [np.float32(0.1), np.int64(3)],
        "c": np.array(True),
        "d": np.float64(2),
    }
    found = unpack(*pack(value))
    assert found["a"].dtype == np.float16
    assert [type(item) for item in found["b"]] == [np.float32, np.int64]
    assert found["b"] == value["b"]
    assert found["c"].shape == ()
    assert type(found["d"]) is np.float64


def test_the_states_of_random_generators_are_plain():
    for kind in (np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64):
        generator, other = np.random.Generator(kind(1)), np.random.Generator(kind(2))
        generator.integers(9, size=3, dtype=np.int32)
        other.bit_generator.state = unpack(*pack(generator.bit_generator.state))
        assert (generator.standard_normal(5) == other.standard_normal(5)).all()


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", 1j, {1: 2}, {"$": 1}, np.array(["a"]), np.array([1j])])
def test_what_is_not_plain_is_refused_by_its_place(value):
    with pytest.raises(ArgumentError, match=r"^state\.a\[1\] is .*cannot be kept in a file"):
        pack({"a": [0, value]})


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"$":"code"}', '{"$":"array"}', '{"$":"array","at":7}', '{"$":"array","at":"x"}',
     '{"$":"float","value":"x"}', '{"$":"tuple"}', '{"$":["x"]}', "[" * 9999],
)  # fmt: skip
def test_a_text_of_others_is_refused(text):
    with pytest.raises(FileFormatError, match="it holds no plain data"):
        unpack(text, [])
