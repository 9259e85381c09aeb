"""Pickles of plain data are read; pickles that do anything are refused, and nothing in them happens."""

import os
import pickle
import sys

import numpy as np
import pytest
from cifar_archives import RECONSTRUCT, array, text
from hypothesis import given, settings
from hypothesis import strategies as st

from minicnn.datasets.plain_pickle import read_plain_pickle
from minicnn.errors import FileFormatError

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
        | st.tuples(inner, inner)
        | st.tuples(inner, inner, inner, inner)
    ),
    max_leaves=20,
)
SEED = b"\x80\x02}(" + text("data") + array(np.arange(6, dtype=np.uint8).reshape(2, 3)) + text("a") + b"K\x01u."


@given(st.dictionaries(st.text(max_size=5), PLAIN), st.sampled_from([0, 1, 2]))
def test_plain_values(value, protocol):
    assert read_plain_pickle(pickle.dumps(value, protocol=protocol), "x") == value


def test_bytes_and_arrays():
    result = read_plain_pickle(SEED, "x")
    assert result[b"data"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert result[b"data"].dtype == np.uint8
    assert result[b"a"] == 1
    by_columns = read_plain_pickle(SEED.replace(b"tb\x89T", b"tb\x88T"), "x")
    assert by_columns[b"data"].tolist() == [[0, 2, 4], [1, 3, 5]]


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


HOSTILE = {
    "os.system": pickle.dumps({"x": Evil(os.system, "touch hacked")}, protocol=2),
    "eval": pickle.dumps({"x": Evil(eval, "open('hacked', 'w')")}, protocol=2),
    "open, newest protocol": pickle.dumps({"x": Evil(open, "hacked", "w")}),
    "old instance": b"(cos\nsystem\nU\x0ctouch hackedo.",
    "name that nobody calls": b"\x80\x02}U\x01xcos\nsystem\ns.",
    "instance by name": b"(S'touch hacked'\nios\nsystem\n.",
    "extension registry": b"\x80\x02\x82\x01.",
    "persistent id": b"Phacked\n.",
    "numpy function": b"\x80\x02}U\x01xcnumpy\nfromfile\nU\x06hacked\x85Rs.",
    "listed name called wrongly": b"\x80\x02}U\x01xcnumpy\nndarray\nK\x05\x85\x85Rs.",
    "call with a list in a list in a list": b"\x80\x02cnumpy\nndarray\n" + 5000 * b"]" + 4999 * b"a" + b"\x85R.",
    "array of objects": SEED.replace(b"U\x02u1", b"U\x02O8"),
    "array of floats": SEED.replace(b"U\x02u1", b"U\x02f8"),
    "shape larger than the values": SEED.replace(b"M\x02\x00", b"M\xff\xff"),
    "negative shape": SEED.replace(b"M\x02\x00M\x03\x00", b"J\xff\xff\xff\xffJ\xff\xff\xff\x7f"),
    "state of another form": b"\x80\x02}U\x01x" + RECONSTRUCT + b"}bs.",
    "attributes of a name": b"\x80\x02}U\x01xcnumpy\nndarray\n}U\x03foo K\x01sbs.",
    "empty": b"",
    "no end": b"\x80\x02}",
    "a list": pickle.dumps([1], protocol=2),
    "stack runs out": b"\x80\x02\x86.",
    "mark runs out": b"\x80\x02e.",
    "unknown number": b"\x80\x02h\x07.",
    "unhashable key": b"\x80\x02}]K\x01s.",
    "odd number of values": b"\x80\x02}(K\x01u.",
    "huge announced string": b"\x80\x02T\xff\xff\xff\x7f.",
    "too long": b"\x80\x02}" + b"q\x00" * 1_000_000 + b".",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileFormatError, match=r"not a pickle of plain data .* it was not run") as caught:
        read_plain_pickle(data, "some file")
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == []


_watched: list[str] = []
_watching = False


def _audit(event, arguments):
    if _watching and event in (
        "import",
        "exec",
        "compile",
        "open",
        "os.system",
        "subprocess.Popen",
        "pickle.find_class",
    ):
        _watched.append(event)


sys.addaudithook(_audit)


@settings(max_examples=200)
@given(st.data())
def test_damage_never_escapes(data):
    """Bytes changed anywhere: a dict or a FileFormatError, and no import, no file, no call."""
    global _watching
    damaged = bytearray(
        data.draw(st.sampled_from([SEED, *HOSTILE.values()]).filter(lambda case: 0 < len(case) < 10_000))
    )
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    _watched.clear()
    _watching = True
    try:
        result = read_plain_pickle(bytes(damaged), "x")
    except FileFormatError:
        result = {}
    finally:
        _watching = False
    assert isinstance(result, dict)
    assert _watched == []
