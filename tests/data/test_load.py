"""Reading many files: order, problems, threads and memory."""

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from minicnn.data import ResizeRule, check_images, image_batches, load, load_images
from minicnn.data.images import read_picture


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


@pytest.mark.parametrize(
    ("threads", "processors", "expected"), [(None, 3, 3), (None, 64, 8), (None, None, 1), (5, 3, 5), (12, 3, 12)]
)
def test_there_is_a_thread_a_processor_up_to_eight_or_as_many_as_asked_for(
    files, monkeypatch, threads, processors, expected
):
    counts = []
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    monkeypatch.setattr(load, "ThreadPoolExecutor", lambda count: counts.append(count) or ThreadPoolExecutor(count))
    check_images(files, threads=threads)
    assert counts == [expected]


def test_after_an_interrupt_the_files_that_no_thread_has_begun_are_left(files, monkeypatch):
    stopped, begun = threading.Event(), []

    def read(path, rule):
        begun.append(path)
        stopped.wait(60)
        return read_picture(path, rule)

    class Interrupted(ThreadPoolExecutor):
        """Ctrl-C comes when three files wait for the one thread, which has begun the first."""

        def submit(self, function, index):
            if index == 3:
                raise KeyboardInterrupt
            return super().submit(function, index)

        def shutdown(self, wait=True, **options):
            super().shutdown(wait=False, **options)
            stopped.set()
            super().shutdown(wait)

    monkeypatch.setattr(load, "read_picture", read)
    monkeypatch.setattr(load, "ThreadPoolExecutor", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        check_images(files, threads=1)
    assert stopped.is_set()
    assert len(begun) <= 1
