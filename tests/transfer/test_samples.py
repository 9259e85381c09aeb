"""What samples come to: pictures, tables, arrays and datasets, with their names, groups and divisions."""

from typing import Any

import numpy as np
import pytest

from minicnn.data import ImageArrays, ImageFolder, augment, read_table, stratified_folds
from minicnn.errors import ArgumentError, DataError, DTypeError
from minicnn.preparation import Preparation, ResizeRule
from minicnn.transfer import Policy, compare, finetune
from minicnn.transfer.base import Base
from minicnn.transfer.compare_arms import METHODS
from minicnn.transfer.labelled import labelled
from minicnn.transfer.samples import AsGiven, samples_of

pytestmark = pytest.mark.numpy_only

RULE = ResizeRule(8)
NO_NET: Any = None
UNPREPARED: Any = AsGiven()
BASE, BARE = (Base(NO_NET, "base", preparation, "") for preparation in (Preparation(RULE, "tf"), UNPREPARED))
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
LABELS = np.arange(12) % 2
GROUPS = [f"patient {i // 4}" for i in range(12)]  # of each class two pictures a patient


@pytest.fixture
def table(tmp_path):
    """Twelve pictures of three patients."""
    from PIL import Image

    lines = ["file,label,group"]
    for i, pixels in enumerate(PIXELS):
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
        lines.append(f"{i}.png,{'ab'[LABELS[i]]},{GROUPS[i]}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    return tmp_path / "labels.csv"


def apart(split, groups=GROUPS):
    """Whether no group is on both sides of a division."""
    sides = ({groups[i] for i in rows} for rows in (split.train, split.validation))
    return not set.intersection(*sides)


def test_a_table_keeps_groups_together(table, net_file):
    result = finetune(net_file, table, Policy(unfreeze=None, head_epochs=1), validation=0.3)
    assert apart(result.split)
    assert result.class_names == ("a", "b")


def test_compare_keeps_groups_together(table, monkeypatch):
    seen = []

    def method(task, base):
        return lambda split: seen.append(split) or np.eye(2)[LABELS[split.validation]]

    monkeypatch.setitem(METHODS, "scratch", method)
    compare(read_table(table), [], ["scratch"], folds=3, cache=False)
    assert len(seen) == 3
    assert all(map(apart, seen))


def test_choices_inside_the_training_part_keep_groups_together(table):
    pictures = labelled(table, RULE)
    assert all(map(apart, stratified_folds(LABELS, 3, keys=pictures.keys)))
    assert labelled((PIXELS, LABELS)).keys == labelled((PIXELS, LABELS)).hashes


@pytest.mark.parametrize("prepared", [True, False])
def test_a_dataset_brings_its_names_groups_and_division(table, prepared):
    found = samples_of(ImageFolder(table, BASE.preparation if prepared else RULE), BASE)
    assert found.class_names == ("a", "b")
    assert len(set(found.keys)) == 3
    assert isinstance(found.preparation, AsGiven) == prepared
    np.testing.assert_array_equal(found.images, BASE.preparation(PIXELS) if prepared else PIXELS)


def test_labels_are_names_numbers_or_one_hot_rows():
    names = samples_of((PIXELS, np.array(["cat", "dog"])[LABELS]), BASE)
    assert names.class_names == ("cat", "dog")
    for labels in (LABELS, LABELS.astype(float), LABELS == 1, LABELS[:, None], np.eye(2)[LABELS]):
        for x, base in ((PIXELS, BASE), (PIXELS / 255, BASE), (PIXELS, BARE)):
            np.testing.assert_array_equal(samples_of((x, labels), base).labels, LABELS)
    np.testing.assert_array_equal(names.labels, LABELS)


def test_pictures_may_be_grey_or_of_any_size():
    grey = samples_of((PIXELS[..., 0], LABELS), BASE)
    np.testing.assert_array_equal(grey.images, np.repeat(PIXELS[..., :1], 3, axis=3))
    mixed = samples_of(([PIXELS[0, :5], *PIXELS[1:]], LABELS), BASE)
    assert mixed.images.shape == (12, 8, 8, 3)


def test_arrays_that_look_alike_in_memory_are_told_apart():
    zeros = np.zeros((2, 4), np.float32), np.zeros((2, 8), np.int16), np.zeros((2, 2, 2), np.float32)
    hashes = {hash for x in zeros for hash in samples_of((x, [0, 1]), BARE).hashes}
    assert len(hashes) == 3


@pytest.mark.parametrize(
    ("data", "names", "error", "said"),
    [
        ((PIXELS, np.eye(3)[LABELS]), None, DataError, "class '2' has no pictures"),
        ((PIXELS / 255, LABELS), ["a", "b", "c"], DataError, "class 'c' has no pictures"),
        ((PIXELS, np.full((12, 2), 0.5)), None, DataError, "no one-hot rows"),
        ((PIXELS, np.eye(3)[np.arange(12) % 3]), ["a", "b"], DataError, "3 columns for the 2 classes"),
        ((PIXELS, LABELS), ["a", "a"], DataError, "names of their own"),
        ((PIXELS, LABELS + 0.5), None, DataError, "whole numbers; they are float64 such as 0.5"),
        ((PIXELS[:0], LABELS[:0]), None, DataError, "no labels"),
        ((np.full((12, 8, 8, 3), np.nan), LABELS), None, DataError, "sample 0 holds NaN or infinity"),
        ((PIXELS, LABELS[1:]), None, DataError, "12 pictures but 11 labels"),
        (ImageArrays(PIXELS, LABELS).augmented(augment.Pipeline([])), None, ArgumentError, "Policy"),
    ],
)
def test_refusals(data, names, error, said):
    with pytest.raises(error, match=said):
        samples_of(data, BASE, names)


@pytest.mark.parametrize("read", [lambda data: samples_of(data, BASE), labelled], ids=["samples_of", "labelled"])
def test_files_are_not_taken_for_pictures(read):
    with pytest.raises(
        DataError, match=r"^these are files, not pictures: give minicnn.data.label_files\(files, labels\)"
    ):
        read((["a.png", "b.png"], ["cat", "dog"]))


def test_pictures_of_pillow_are_prepared_as_arrays_are():
    from PIL import Image

    given = [Image.fromarray(pixels) for pixels in PIXELS]
    np.testing.assert_array_equal(samples_of((given, LABELS), BASE).images, PIXELS)
    assert samples_of((given, LABELS), BASE).preparation == BASE.preparation


@pytest.mark.parametrize("x", [PIXELS.astype(int), PIXELS.tolist()], ids=["int64", "lists"])
def test_whole_numbers_that_are_no_pixels_are_refused_where_pictures_are_prepared(x):
    with pytest.raises(DTypeError, match=r"^pictures are uint8 .*, or floats as the network takes them; got int64$"):
        samples_of((x, LABELS), BASE)
    assert len(samples_of((x, LABELS), BARE).images) == 12
