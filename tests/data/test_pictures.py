"""ImageFolder and ImageArrays: the same pixels for any threads and batches, bounded memory, an end that is clean."""

import gc
import os
import signal
import threading
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from minicnn.data import (
    Dataset,
    ImageArrays,
    ImageError,
    ImageFolder,
    Preparation,
    ResizeRule,
    ahead,
    augment,
    label_files,
)
from minicnn.errors import ArgumentError, DataError, DTypeError, ShapeError

CHANGES = augment.Pipeline([augment.Flip(), augment.Rotate(20), augment.Brightness(0.2), augment.Erase(0.3)], seed=5)


@pytest.fixture
def folder(tmp_path):
    """Twelve pictures in two classes, each of one colour of its own."""
    for i in range(12):
        place = tmp_path / ("cat" if i < 7 else "dog")
        place.mkdir(exist_ok=True)
        Image.new("RGB", (9 + i, 12), (20 * i, 0, 100)).save(place / f"{i}.png")
    return tmp_path


def by_number(data, batch_size=4, order=None):
    """{row: its pixels}."""
    rows = list(range(len(data))) if order is None else list(order)
    x = [row for batch, _ in data.batches(batch_size, order) for row in batch]
    return dict(zip(rows, x, strict=True))


def data_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("minicnn-data")]


def wait_for_threads_to_end():
    deadline = time.monotonic() + 5
    while data_threads() and time.monotonic() < deadline:
        time.sleep(0.005)
    return data_threads()


def test_batches_of_a_folder(folder):
    data = ImageFolder(folder, Preparation(ResizeRule(6), "unit"))
    assert isinstance(data, Dataset)
    assert (len(data), data.class_names, data.labels.tolist()) == (12, ("cat", "dog"), [0] * 7 + [1] * 5)
    batches = list(data.batches(5, order=[11, 0, 3, 4, 5, 6, 8]))
    assert [(x.dtype, x.shape) for x, _ in batches] == [(np.float32, (5, 6, 6, 3)), (np.float32, (2, 6, 6, 3))]
    assert [y.tolist() for _, y in batches] == [[1, 0, 0, 0, 0], [0, 1]]
    assert np.allclose(batches[0][0][:, 0, 0, 0] * 255, [220, 0, 60, 80, 100])
    assert list(data.batches(5, order=[])) == []
    with pytest.raises(ArgumentError, match="batch_size must be at least 1, got 0"):
        list(data.batches(0))


def test_a_rule_or_a_size_leaves_the_pixels_as_they_are(folder):
    ((x, y),) = ImageFolder(folder, 6, one_hot=True).batches(20)
    assert (x.dtype, x.shape, y.dtype) == (np.uint8, (12, 6, 6, 3), np.float32)
    assert np.array_equal(y, np.eye(2)[[0] * 7 + [1] * 5])


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("batch_size", [1, 4, 12])
def test_the_pixels_depend_on_seed_sample_and_epoch_alone(folder, threads, batch_size):
    expected = ImageFolder(folder, 8).augmented(CHANGES)
    expected.begin_epoch(3)
    reference = by_number(expected)
    data = ImageFolder(folder, 8, threads=threads).augmented(CHANGES)
    data.begin_epoch(3)
    order = np.random.default_rng(threads).permutation(12)
    found = by_number(data, batch_size, order)
    part = by_number(data.take([7, 2]), batch_size)
    assert all(np.array_equal(found[i], reference[i]) for i in range(12))
    assert np.array_equal(part[0], reference[7])
    assert np.array_equal(part[1], reference[2])
    data.begin_epoch(4)
    assert sum(np.array_equal(by_number(data)[i], reference[i]) for i in range(12)) < 6


def test_an_epoch_that_begins_while_batches_are_made_is_not_theirs(folder):
    data = ImageFolder(folder, 8, threads=1).augmented(CHANGES)
    expected = by_number(data, 2)
    batches = data.batches(2)
    found = [next(batches)[0]]
    data.begin_epoch(9)
    found += [x for x, _ in batches]
    assert np.array_equal(np.concatenate(found), np.stack(list(expected.values())))


def test_mixing_gives_rows_of_shares(folder):
    data = ImageFolder(folder, Preparation(ResizeRule(6), "none")).augmented(augment.Pipeline([augment.MixUp(1)]))
    ((x, y),) = data.batches(12)
    assert (x.dtype, y.dtype, y.shape) == (np.float32, np.float32, (12, 2))
    reds = 20.0 * np.arange(12)
    shares = y[7][1], y[0][0]  # of the first dog, with the last cat before it; of the first cat, with the last dog
    assert np.allclose(x[7, 0, 0, 0], shares[0] * reds[7] + (1 - shares[0]) * reds[6])
    assert np.allclose(x[0, 0, 0, 0], shares[1] * reds[0] + (1 - shares[1]) * reds[11])


def test_mixtures_of_grey_pictures():
    images = np.arange(4, dtype=np.uint8).reshape(4, 1, 1) * np.full((4, 5, 6), 60, np.uint8)
    data = ImageArrays(images, [0, 1, 0, 1], Preparation(ResizeRule((5, 6)), "none", channels=1))
    ((plain, _),) = data.batches(4)
    assert plain.shape == (4, 5, 6, 1)
    assert plain[:, 0, 0, 0].tolist() == [0, 60, 120, 180]
    ((x, y),) = data.augmented(augment.Pipeline([augment.MixUp(1)])).batches(4)
    share = y[:, 0] * [1, 0, 1, 0] + y[:, 1] * [0, 1, 0, 1]
    assert np.allclose(x[1:, 0, 0, 0], 60 * (np.arange(1, 4) - (1 - share[1:])), atol=0.5)


def test_at_most_two_batches_are_made_ahead():
    read, used = [], []

    def portions():
        for i in range(20):
            assert i <= len(used) + ahead.AHEAD + 1
            yield np.array([2 * i, 2 * i + 1])

    def remember(row):
        read.append(row)
        return row

    for rows in ahead.made_ahead(portions(), remember, lambda rows, found: found, 3):
        used.append(rows)
        assert max(read) < 2 * (len(used) + ahead.AHEAD)
    assert used == [[2 * i, 2 * i + 1] for i in range(20)]
    assert sorted(read) == list(range(40))


def test_the_next_batches_are_made_while_one_is_used():
    seen = threading.Event()

    def read(row):
        if row == 2:
            seen.set()

    batches = ahead.made_ahead(np.arange(9).reshape(9, 1), read, lambda rows, found: None, 1)
    next(batches)
    assert seen.wait(5)
    batches.close()


@pytest.mark.parametrize("end", ["close", "drop", "raise", "use up"])
def test_the_threads_end_with_the_batches(folder, end):
    batches = ImageFolder(folder, 8).batches(1)
    next(batches)
    assert data_threads()
    if end == "close":
        batches.close()
    elif end == "raise":
        with pytest.raises(KeyboardInterrupt):
            batches.throw(KeyboardInterrupt)
    elif end == "use up":
        list(batches)
    del batches
    gc.collect()
    assert wait_for_threads_to_end() == []


def test_what_no_thread_has_begun_is_left_when_the_batches_end():
    begun, hold = [], threading.Event()

    def read(row):
        begun.append(row)
        if row:
            hold.wait(5)

    batches = ahead.made_ahead(np.arange(12).reshape(12, 1), read, lambda rows, found: None, 1)
    next(batches)
    threading.Timer(0.05, hold.set).start()
    batches.close()
    assert begun in ([0], [0, 1])


def test_ctrl_c_while_waiting_for_a_batch_ends_the_threads(monkeypatch):
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread alone")
    hold, begun, stopped = threading.Event(), [], threading.Event()

    def ctrl_c(*_):
        if not stopped.is_set():
            stopped.set()
            raise KeyboardInterrupt

    def read(row):
        begun.append(row)
        while row and not hold.wait(0.01):  # until one comes while the main thread sleeps: only that one wakes it
            os.kill(os.getpid(), signal.SIGINT)

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait=True, *, cancel_futures=False):
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            hold.set()
            super().shutdown(wait)

    monkeypatch.setattr(ahead, "ThreadPoolExecutor", Pool)
    before = signal.signal(signal.SIGINT, ctrl_c)
    try:
        with pytest.raises(KeyboardInterrupt):
            list(ahead.made_ahead(np.arange(12).reshape(12, 1), read, lambda rows, found: None, 1))
    finally:
        hold.set()
        left = wait_for_threads_to_end()
        signal.signal(signal.SIGINT, before)
    assert left == []
    assert begun == [0, 1]


def paths_in(folder):
    return [folder / ("cat" if i < 7 else "dog") / f"{i}.png" for i in range(12)]


def test_a_bad_file_is_named_in_its_batch_and_the_first_of_several(folder):
    (folder / "cat" / "5.png").write_text("hello")
    (folder / "cat" / "4.png").unlink()
    data = ImageFolder(label_files(paths_in(folder), ["cat"] * 7 + ["dog"] * 5), 8, threads=3)
    batches = data.batches(3)
    assert len(next(batches)[0]) == 3
    with pytest.raises(ImageError, match=r"4\.png: no such file"):
        next(batches)
    assert wait_for_threads_to_end() == []


def test_an_augmentation_that_fails_names_the_file(folder):
    def broken(image):
        raise RuntimeError("no such filter")

    data = ImageFolder(folder, 8).augmented(augment.Pipeline([augment.Adapted(broken)]))
    with pytest.raises(DataError, match=r"0\.png: its augmentation failed \(RuntimeError: no such filter\)"):
        list(data.batches(4))
    wrong = ImageFolder(folder, 8).augmented(augment.Pipeline([augment.Adapted(lambda image: image[..., 0])]))
    with pytest.raises(DataError, match=r"0\.png: augmentation takes and gives pictures \(H,W,3\)"):
        list(wrong.batches(4))


def test_pictures_are_taken_by_their_places_or_by_a_mask(folder):
    for data in (ImageFolder(folder, 8), ImageArrays(np.zeros((12, 4, 4, 3), np.uint8), np.arange(12) % 2)):
        dogs = data.take(data.labels == 1)
        assert dogs.labels.tolist() == [1] * np.count_nonzero(data.labels)
        assert [dogs.name(row) for row in range(len(dogs))] == [data.name(row) for row in np.flatnonzero(data.labels)]
        assert data.take([-1]).numbers.tolist() == [11]
        assert len(data.take([])) == 0
        for wrong in ([12], [0.5], data.labels[:5] == 1):
            with pytest.raises(DataError, match=r"pictures 0 to 11: take such numbers, or a mask \(12,\)"):
                data.take(wrong)


def test_divisions_keep_copies_together_and_the_changes_of_a_picture(folder):
    (folder / "cat" / "copy.png").write_bytes((folder / "cat" / "2.png").read_bytes())
    data = ImageFolder(folder, 8).augmented(CHANGES)
    reference = by_number(data)
    for train, validation in (data.split(0.3, seed=1), *data.folds(3)):
        assert len(train) + len(validation) == len(data) == 13
        assert {*train.hashes}.isdisjoint(validation.hashes)
        assert set(validation.labels.tolist()) == {0, 1}
        for part in (train, validation):
            found = by_number(part)
            assert all(np.array_equal(found[i], reference[number]) for i, number in enumerate(part.numbers))
            assert [part.name(i) for i in range(len(part))] == [data.name(number) for number in part.numbers]


def test_a_given_division_is_taken_and_what_is_wrong_with_it_is_said(tmp_path):
    for part, count in (("train", 3), ("val", 2)):
        for label in ("a", "b"):
            (tmp_path / part / label).mkdir(parents=True)
            for i in range(count):
                shade = 40 * i + (100 if label == "b" else 0) + (7 if part == "val" and i else 0)
                Image.new("L", (5, 5), shade).save(tmp_path / part / label / f"{i}.png")
    with pytest.warns(UserWarning, match="2 validation pictures are also among the training pictures") as said:
        train, validation = ImageFolder(tmp_path, 5).split()
    assert len(said) == 1
    assert (len(train), len(validation)) == (6, 4)
    assert train.split_given is None


def test_a_digest_tells_other_pictures_and_other_changes(folder):
    data = ImageFolder(folder, 8)
    digests = [data.digest(), data.augmented(CHANGES).digest(), data.take(range(11)).digest()]
    digests += [ImageFolder(folder, 9).digest(), data.augmented(augment.Pipeline(CHANGES.steps, seed=6)).digest()]
    assert data.digest() == ImageFolder(folder, 8).digest()
    changed = augment.Pipeline([augment.Adapted(lambda image: image)])
    assert data.augmented(changed).digest() == data.augmented(augment.Pipeline(changed.steps)).digest()
    Image.new("RGB", (5, 5), (1, 2, 3)).save(folder / "cat" / "0.png")
    digests.append(ImageFolder(folder, 8).digest())
    (folder / "cat" / "0.png").rename(folder / "dog" / "0.png")
    digests.append(ImageFolder(folder, 8).digest())
    assert len(set(digests)) == len(digests)


def test_all_pictures_equal_are_refused(tmp_path):
    files = []
    for i in range(4):
        Image.new("L", (5, 5), 9).save(tmp_path / f"{i}.png")
        files.append(tmp_path / f"{i}.png")
    data = ImageFolder(label_files(files, ["a", "a", "b", "b"]), 5)
    with pytest.raises(DataError, match="all 4 pictures are the same one"):
        data.split()
    with pytest.raises(DataError, match="all 4 pictures are the same one"):
        ImageArrays(np.zeros((4, 5, 5, 3), np.uint8), [0, 0, 1, 1]).folds(2)


def test_arrays_and_their_names():
    images = [np.full((4 + i, 5, 3), i, np.uint8) for i in range(4)]
    data = ImageArrays(images, ["dog", "cat", "dog", "cat"], ResizeRule(3))
    assert data.class_names == ("cat", "dog")
    ((x, y),) = data.batches(4)
    assert (x[:, 0, 0, 0].tolist(), y.tolist()) == ([0, 1, 2, 3], [1, 0, 1, 0])
    assert data.metadata() == {"class_names": ["cat", "dog"]}
    with pytest.raises(ShapeError, match=r"one size: picture 0 of \(4, 5, 3\) and picture 1 of \(5, 5, 3\)"):
        list(ImageArrays(images, [0, 1, 0, 1]).batches(4))
    with pytest.raises(DTypeError, match=r"picture 0: pictures are uint8 .*; got float32"):
        list(ImageArrays(np.zeros((2, 3, 3, 3), np.float32), [0, 1]).batches(2))


@pytest.mark.parametrize(
    ("labels", "options", "said"),
    [
        ([0, 1], {}, "3 pictures but 2 labels: each needs one"),
        ([0, 1, 1], {"groups": ["x"]}, "3 pictures but 1 groups"),
        ([0, 1, 3], {"class_names": "abc"}, "label '3' is none of the classes 'a', 'b', 'c', first of sample 2"),
        ([0, 1, -1], {}, "label '-1' is none of the classes"),
        ([0, 1, 1], {"class_names": "abc"}, "class 'c' has no pictures"),
        ([0, 2, 2], {}, "class '1' has no pictures"),
        (["a", "b", "z"], {"class_names": "ab"}, "label 'z' is none of the classes 'a', 'b'"),
        ([0, 0, 0], {}, "one class, '0': a classifier needs at least two"),
        ([0.5, 1, 1], {}, "labels must be whole numbers; they are float64 such as 0.5"),
    ],
)
def test_labels_that_do_not_match(labels, options, said):
    with pytest.raises(DataError, match=said):
        ImageArrays(np.zeros((3, 4, 4, 3), np.uint8), labels, **options)


def test_wrong_arguments(folder):
    with pytest.raises(ArgumentError, match="augmented takes a Pipeline"):
        ImageFolder(folder, 8).augmented([augment.Flip()])
    with pytest.raises(ArgumentError, match="ImageFolder: threads must be a whole number of at least 1; it is 0"):
        ImageFolder(folder, 8, threads=0)
    with pytest.raises(DataError, match="no class folders"):
        ImageFolder(folder / "cat", 8)


def test_large_and_tiny_pictures(tmp_path):
    """1 x 1 pixels are read; a header of 20,000 x 20,000 is refused before a pixel is decoded."""
    Image.new("RGB", (1, 1), (9, 8, 7)).save(tmp_path / "tiny.png")
    Image.new("L", (20, 20)).save(tmp_path / "other.png")
    data = bytearray((tmp_path / "other.png").read_bytes())
    data[16:24] = (20_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    (tmp_path / "huge.png").write_bytes(data)
    photos = ImageFolder(label_files([tmp_path / "tiny.png", tmp_path / "huge.png"], ["a", "b"]), 4)
    batches = photos.augmented(CHANGES).batches(1)
    assert next(batches)[0].shape == (1, 4, 4, 3)
    with pytest.raises(ImageError, match=r"huge\.png: has 400,000,000 pixels, the limit is 120,000,000"):
        next(batches)


def test_a_warning_of_pillow_stays_silent_while_two_sets_are_read_in_turns(folder):
    first, second = ImageFolder(folder, 8).batches(2), ImageFolder(folder, 8).batches(2)
    next(first), next(second)
    first.close()
    warnings.warn_explicit("broken EXIF", UserWarning, "x.py", 1, module="PIL.Image")  # an error but for the filter
    second.close()
    with pytest.raises(UserWarning):
        warnings.warn_explicit("broken EXIF", UserWarning, "x.py", 1, module="PIL.Image")
