"""Splits: exact shares, copies together, the same for any order of the files."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.data import Split, conflicts, duplicates, leaks, split_remarks, stratified_folds, stratified_split
from minicnn.data.split import joined_keys
from minicnn.errors import ArgumentError, DataError, ShapeError

LABELS = st.lists(st.integers(0, 3), min_size=1, max_size=60)


def test_shares_are_exact():
    labels = np.repeat([0, 1, 2], [50, 10, 2])
    split = stratified_split(labels, 0.25)
    assert np.bincount(labels[split.validation]).tolist() == [12, 2, 1]
    assert np.bincount(labels[split.train]).tolist() == [38, 8, 1]
    assert sorted([*split.train, *split.validation]) == list(range(62))


@pytest.mark.parametrize("fraction", [0.01, 0.99])
def test_both_parts_keep_every_class(fraction):
    split = stratified_split([0, 0, 1, 1], fraction)
    assert len(split.train) == len(split.validation) == 2


def test_groups_larger_than_the_share():
    split = stratified_split([0] * 7, 0.1, keys=list("aaaabbb"))
    assert split.validation.tolist() == [4, 5, 6]


def test_the_seed_decides():
    labels = np.zeros(1000, int)
    first, again, other = (stratified_split(labels, 0.5, seed=seed).validation for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert 180 < len(np.intersect1d(first, other)) < 320, "two seeds agree no more than chance"


def test_frozen_division():
    """The division of a seed may never change between versions: published figures rest on it."""
    assert stratified_split([0] * 6 + [1] * 6, 0.5, seed=3).validation.tolist() == [1, 4, 5, 8, 9, 11]


@given(LABELS, st.integers(0, 9), st.floats(0.05, 0.95), st.randoms())
def test_any_labels(labels, seed, fraction, random):
    labels = np.array(labels)
    keys = [f"k{index}" for index in range(len(labels))]
    if np.bincount(labels)[np.unique(labels)].min() < 2:
        with pytest.raises(DataError, match="too few different pictures"):
            stratified_split(labels, fraction, keys=keys)
        return
    split = stratified_split(labels, fraction, seed=seed, keys=keys)
    for label in np.unique(labels):
        count = np.count_nonzero(labels == label)
        held_out = np.count_nonzero(labels[split.validation] == label)
        assert held_out == min(max(1, round(fraction * count)), count - 1)
    order = random.sample(range(len(labels)), len(labels))
    shuffled = stratified_split(labels[order], fraction, seed=seed, keys=[keys[i] for i in order])
    assert {order[i] for i in shuffled.validation} == set(split.validation.tolist())


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), min_size=1, max_size=50), st.integers(2, 5))
def test_copies_stay_together(samples, k):
    """Keys are shared within and between classes; a refusal is the only way out of an impossible division."""
    labels = np.array([label for label, _ in samples])
    keys = [str(key) for _, key in samples]
    try:
        splits = [stratified_split(labels, 0.3, keys=keys), *stratified_folds(labels, k, keys=keys)]
    except DataError:
        return
    for split in splits:
        assert leaks(split, keys) == []
        assert np.array_equal(np.sort(np.concatenate([split.train, split.validation])), np.arange(len(labels)))
        for part in (split.train, split.validation):
            assert np.array_equal(np.unique(labels[part]), np.unique(labels))
    assert np.array_equal(np.sort(np.concatenate([fold.validation for fold in splits[1:]])), np.arange(len(labels)))


@given(st.lists(st.integers(2, 20), min_size=1, max_size=4), st.integers(2, 6))
def test_folds_are_even(counts, k):
    labels = np.repeat(np.arange(len(counts)), counts)
    if min(counts) < k:
        with pytest.raises(DataError, match=f"{k} are needed"):
            stratified_folds(labels, k)
        return
    folds = stratified_folds(labels, k)
    per_class = np.array([np.bincount(labels[fold.validation], minlength=len(counts)) for fold in folds])
    assert np.all(per_class.max(axis=0) - per_class.min(axis=0) <= 1)
    assert np.ptp(per_class.sum(axis=1)) <= 1


def test_what_copies_in_another_class_have_decided_counts_first():
    keys = list("abcdefgh")
    held_out = [keys[i] for i in stratified_split([0] * 8, 0.5, keys=keys).validation]
    split = stratified_split(np.repeat([0, 1], 8), 0.5, keys=[*keys, *held_out, *"ijkl"])
    assert [row in split.validation for row in range(8, 16)] == [True] * 4 + [False] * 4


@pytest.mark.parametrize("seed", range(5))
def test_folds_make_up_for_copies_in_another_class(seed):
    labels = np.repeat([0, 1], 8)
    fold = stratified_folds(labels, 2, seed=seed, keys=[*"abcdefgh", *"abcdijkl"])[0]
    assert np.bincount(labels[fold.validation]).tolist() == [4, 4]
    assert {i for i in range(4) if i in fold.validation} == {i - 8 for i in range(8, 12) if i in fold.validation}


def test_copies_are_found():
    keys = ["a", "b", "a", "c", "b", "a"]
    assert duplicates(keys) == [[0, 2, 5], [1, 4]]
    assert conflicts([0, 1, 0, 0, 0, 0], keys) == [[1, 4]]
    assert leaks(Split(np.array([0, 1, 2]), np.array([3, 4, 5])), keys) == [(1, 4), (0, 5)]


def test_refused():
    with pytest.raises(DataError, match="class 'dog' has too few different pictures"):
        stratified_split([0, 0, 1, 1], keys=["a", "b", "c", "c"], class_names=["cat", "dog"])
    with pytest.raises(DataError, match="copies in other classes decide where all pictures of 'dog' go"):
        stratified_split([0, 0, 0, 0, 1, 1], keys=list("abcdab"), class_names=["cat", "dog"])
    with pytest.raises(DataError, match="no samples"):
        stratified_split([])
    for fraction in (0, 1, -0.1, float("nan")):
        with pytest.raises(ArgumentError, match="fraction"):
            stratified_split([0, 0], fraction)
    with pytest.raises(ArgumentError, match="at least 2 folds"):
        stratified_folds([0, 0], 1)
    with pytest.raises(ShapeError, match="2 labels but 1 keys"):
        stratified_split([0, 0], keys=["a"])
    with pytest.raises(ShapeError, match="integers"):
        stratified_split(np.zeros((2, 2)))


def _grouped(seed, count=60, groups=15):
    """Labels, groups that span classes, and keys of which some are copies across groups."""
    generator = np.random.default_rng(seed)
    names = [f"patient{number}" for number in generator.integers(0, groups, count)]
    keys = [str(number) for number in generator.integers(0, 10 * count, count)]
    return generator.integers(0, 2, count), names, keys


@pytest.mark.parametrize("seed", range(5))
def test_a_group_is_never_divided(seed):
    labels, groups, keys = _grouped(seed)
    folds = stratified_folds(labels, 3, seed=seed, keys=keys, groups=groups)
    assert sorted(i for fold in folds for i in fold.validation) == list(range(60))
    for split in (*folds, stratified_split(labels, 0.25, seed=seed, keys=keys, groups=groups)):
        for names in (groups, keys):
            assert {names[i] for i in split.train}.isdisjoint(names[i] for i in split.validation)
        assert set(labels[split.train]) == set(labels[split.validation]) == {0, 1}
    for fold in folds:
        assert abs(labels[fold.validation].mean() - labels.mean()) < 0.2
        assert len(fold.validation) <= max(24, Counter(joined_keys(keys, groups)).most_common(1)[0][1])


def test_the_order_of_the_files_does_not_matter_to_groups():
    labels, groups, keys = _grouped(1)
    order = np.random.default_rng(2).permutation(60)
    split = stratified_split(labels, keys=keys, groups=groups)
    again = stratified_split(labels[order], keys=[keys[i] for i in order], groups=[groups[i] for i in order])
    assert sorted(order[again.validation]) == split.validation.tolist()


def test_a_copy_joins_the_groups_it_lies_in():
    assert joined_keys(["1", "2", "2", "3", "3", "4"], ["a", "a", "b", "b", "c", "d"]) == [*"aaaaad"]
    assert joined_keys(None, ["x", "y"]) == ["x", "y"]
    assert joined_keys(["x"], None) == ["x"]


def test_groups_that_cannot_be_divided():
    with pytest.raises(DataError, match=r"class 0 has too few groups \(1\): 2 are needed"):
        stratified_split([0, 0, 1, 1], groups=["a", "a", "b", "c"])
    with pytest.raises(ShapeError, match="3 labels but 2 groups"):
        stratified_split([0, 1, 1], groups=["a", "b"])
    with pytest.raises(DataError, match="groups in other classes decide where all pictures of 1 go: divide the groups"):
        stratified_split([0, 0, 0, 0, 1, 1], groups=list("abcdab"))


def test_remarks_on_a_division():
    split = Split(np.array([0, 1, 2]), np.array([3, 4]))
    names, classes = [f"{letter}.png" for letter in "abcde"], ["cat", "dog", "cow"]
    assert split_remarks(split, [0, 1, 2, 0, 1], [*"12345"], names, classes) == [
        "no validation picture is of class 'cow': it is not judged"
    ]
    said = split_remarks(split, [0, 0, 1, 2, 2], [*"12312"], names, classes, ["p", "q", "r", "p", "s"])
    assert said == [
        "2 validation pictures are also among the training pictures, so the accuracy flatters: d.png is a.png, "
        "e.png is b.png; remove them from one",
        "group 'p' has pictures in both parts, so the accuracy flatters: move them",
        "no training picture is of class 'cow': it is not learned",
        "no validation picture is of class 'cat', 'dog': it is not judged",
    ]
    assert split_remarks(split, [0, 1, 2, 0, 1], [*"12345"], names, classes[:2]) == []
