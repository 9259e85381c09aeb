"""The feature cache: what was kept comes back, damage is never read, the limit holds, two processes get on."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from minicnn.errors import FileAccessError
from minicnn.transfer.feature_cache import FeatureCache, decode, encode
from minicnn.transfer.kept_features import KeptFeatures

KEY, OTHER, THIRD = "a" * 64, "b" * 64, "c" * 64
ONE = np.arange(12, dtype=np.float32).reshape(3, 4)


def used(path, seconds_ago):
    """Make a file look unused since then."""
    moment = time.time() - seconds_ago
    os.utime(path, (moment, moment))


def only_file(cache):
    (path,) = (path for path in cache.folder.rglob("*") if path.is_file())
    return path


@given(
    arrays.arrays(
        st.sampled_from(["<f4", "<f8", "u1"]), arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    )
)
def test_every_array_comes_back_bit_for_bit(array):
    back = decode(encode(array))
    assert back is not None
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_noticed(position, flip):
    data = bytearray(encode(ONE))
    data[position % len(data)] ^= flip
    assert decode(bytes(data)) is None


@given(st.integers(0, 10_000))
def test_a_cut_file_is_noticed(length):
    data = encode(ONE)
    assert decode(data[: length % len(data)]) is None


def test_kept_arrays_come_back_and_unknown_keys_are_none(tmp_path):
    cache = FeatureCache(tmp_path / "new" / "cache")
    assert cache.get(KEY) is None
    cache.put(KEY, ONE)
    np.testing.assert_array_equal(cache.get(KEY), ONE)
    np.testing.assert_array_equal(FeatureCache(cache.folder).get(KEY), ONE)
    assert cache.get(OTHER) is None


def test_a_damaged_file_is_removed_and_can_be_kept_again(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.put(KEY, ONE)
    path = only_file(cache)
    path.write_bytes(path.read_bytes()[:-1])
    assert cache.get(KEY) is None
    assert not path.exists()
    cache.put(KEY, ONE)
    np.testing.assert_array_equal(cache.get(KEY), ONE)


def test_the_longest_unused_go_first(tmp_path):
    size = len(encode(ONE))
    cache = FeatureCache(tmp_path, limit=2 * size)
    for age, key in ((300, KEY), (200, OTHER), (100, THIRD)):
        cache.put(key, ONE)
        used(cache._path(key), age)
    assert cache.get(KEY) is not None  # now the one used last
    cache.trim()
    assert [cache.get(key) is not None for key in (KEY, OTHER, THIRD)] == [True, False, True]


def test_trimming_clears_what_a_killed_process_left_but_not_what_another_writes(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.put(KEY, ONE)
    folder = cache._path(KEY).parent
    old, new = folder / ".old.tmp", folder / ".new.tmp"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    used(old, 7200)
    cache.trim()
    assert not old.exists()
    assert new.exists()


def test_a_folder_that_cannot_be_written_is_mentioned_once(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    cache = FeatureCache(blocked)
    with pytest.warns(UserWarning, match="features are not cached"):
        cache.put(KEY, ONE)
    cache.put(OTHER, ONE)
    assert cache.get(KEY) is None


def test_names_that_no_folder_can_have(tmp_path):
    with pytest.raises(FileAccessError, match=r"^a\\x00b cannot be the name of a folder"):
        FeatureCache("a\0b")
    cache = FeatureCache(tmp_path / ("x" * 256))
    assert cache.get(KEY) is None
    assert cache.keys("ab-") == []
    kept = KeptFeatures(cache, KEY, ["one"])
    assert list(kept.read()) == []
    with pytest.warns(UserWarning, match="features are not cached in .*File name too long"):
        kept.keep(np.arange(1), [ONE[:1]], np.arange(1))


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path)

    def refuse(source, target):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.warns(UserWarning, match="no space left"):
        cache.put(KEY, ONE)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


WRITER = """
import sys, numpy as np
from minicnn.transfer.feature_cache import FeatureCache
cache = FeatureCache(sys.argv[1], limit=20_000)
for turn in range(40):
    for i in range(8):
        key = f"{i:02d}" * 32
        found = cache.get(key)
        assert found is None or (found == i).all(), found
        cache.put(key, np.full((50, 20), i, np.float32))
    cache.trim()
"""


def test_two_processes_share_a_cache_that_is_trimmed_all_the_time(tmp_path):
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stderr=subprocess.PIPE) for _ in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    assert not list(tmp_path.rglob("*.tmp"))
