"""Reading many files: order, problems, threads and memory."""

import hashlib
import threading
import time

import numpy as np
import pytest
from PIL import Image

from minicnn.data import FolderDataset, ImageError, ResizeRule, check_images, image_batches, load, load_images


@pytest.fixture
def files(tmp_path):
    """Ten pictures of one grey each; number 3 is no picture, 6 is missing, 8 has alpha."""
    paths = [tmp_path / f"{i}.png" for i in range(10)]
    for i, path in enumerate(paths):
        Image.new("L", (4 + i, 9), 20 * i).save(path)
    paths[3].write_text("hello")
    paths[6].unlink()
    Image.new("LA", (3, 3), (0, 0)).save(paths[8])
    return paths


@pytest.mark.parametrize("threads", [None, 1, 4])
def test_bad_files_are_left_out_and_listed(files, threads):
    calls = []
    loaded = load_images(files, ResizeRule((2, 5)), threads=threads, progress=lambda *call: calls.append(call))
    good = [0, 1, 2, 4, 5, 7, 8, 9]
    assert loaded.indices.tolist() == good
    assert loaded.images.shape == (8, 2, 5, 3)
    assert loaded.images[:, 0, 0, 0].tolist() == [255 if i == 8 else 20 * i for i in good]
    assert loaded.images.min(axis=(1, 2, 3)).tolist() == loaded.images.max(axis=(1, 2, 3)).tolist()
    assert loaded.hashes == tuple(hashlib.sha256(files[i].read_bytes()).hexdigest() for i in good)
    assert [(note.path, note.kind) for note in loaded.notes] == [(files[8], "alpha")]
    assert [(problem.path, problem.kind) for problem in loaded.problems] == [
        (files[3], "not-an-image"),
        (files[6], "missing"),
    ]
    assert calls == [(done, 10) for done in range(1, 11)]
    assert check_images(files, threads=threads) == (loaded.problems, loaded.notes)


def test_progress_is_called_by_one_thread_at_a_time(files):
    inside = threading.Lock()

    def progress(done, count):
        assert inside.acquire(blocking=False)
        time.sleep(0.002)
        inside.release()

    load_images(files, ResizeRule(4), threads=8, progress=progress)


def test_batches(files):
    rule = ResizeRule(4)
    batches = list(image_batches(files, rule, batch_size=4))
    assert [batch.indices.tolist() for batch in batches] == [[0, 1, 2], [0, 1, 3], [0, 1]]
    together = np.concatenate([batch.images for batch in batches])
    assert np.array_equal(together, load_images(files, rule).images)


def test_nothing_to_read():
    loaded = load_images([], ResizeRule(4))
    assert loaded.images.shape == (0, 4, 4, 3)
    assert list(image_batches([], ResizeRule(4))) == []


def test_one_large_picture_at_a_time(files, monkeypatch):
    """With the limit at 0 every picture is large: the threads take turns, and none waits for ever."""
    monkeypatch.setattr("minicnn.data.decode._LARGE_PIXELS", 0)
    assert len(load_images(files, ResizeRule(4), threads=4).images) == 8


def test_a_fault_of_the_program_is_not_a_bad_file(files, monkeypatch):
    def broken(path, rule):
        raise KeyError("bug")

    monkeypatch.setattr(load, "read_picture", broken)
    with pytest.raises(KeyError, match="bug"):
        load_images(files, ResizeRule(4))


def test_folder_dataset(files):
    data = FolderDataset(files, np.arange(10), ResizeRule(4), preprocess=lambda x: x / np.float32(255))
    assert len(data) == 10
    (x, y), (last_x, last_y) = data.batches(2, order=[9, 1, 8])
    assert x.dtype == np.float32
    assert x[:, 0, 0, 0].tolist() == [np.float32(180 / 255), np.float32(20 / 255)]
    assert y.tolist() == [9, 1]
    assert last_x.shape == (1, 4, 4, 3)
    assert last_y.tolist() == [8]
    with pytest.raises(ImageError, match=r"3\.png: is not a picture"):
        list(data.batches(4))
