"""The wrong answers of a report: those of the highest loss first, with pictures of whatever the network takes."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from minicnn.data import label_files
from minicnn.transfer.mistakes import MOST, drawable, worst_mistakes
from minicnn.transfer.pictures import Pictures
from minicnn.transfer.samples import AsGiven, Samples


def samples(images, classes=2):
    labels = np.ones(len(images), np.int64)
    return Samples(images, labels, ["x", "y", "z"][:classes], ["a"] * len(images), AsGiven())


def test_those_of_the_highest_loss_come_first():
    probabilities = np.array([[0.6, 0.4, 0.0], [0.45, 0.15, 0.4], [0.1, 0.8, 0.1], [0.7, 0.3, 0.0]])
    found = worst_mistakes(samples(np.zeros((5, 8, 8, 3), np.uint8), 3), np.array([4, 3, 1, 0]), probabilities)
    assert [mistake.file for mistake in found] == ["sample 3", "sample 0", "sample 4"]
    assert [mistake.probability for mistake in found] == [0.45, 0.7, 0.6]


def test_they_are_few():
    n = MOST + 5
    found = worst_mistakes(samples(np.zeros((n, 8, 8, 3), np.uint8)), np.arange(n), np.array([[0.6, 0.4]] * n))
    assert len(found) == MOST


@pytest.mark.parametrize("shape", [(10, 12, 3), (10, 12, 1), (3, 10, 12), (1, 10, 12), (10, 12, 5)])
def test_whatever_a_network_takes_is_drawn(shape):
    images = np.random.default_rng(0).normal(5, 2, (2, *shape)).astype(np.float32)
    (mistake, _) = worst_mistakes(samples(images), np.arange(2), np.array([[0.6, 0.4]] * 2))
    assert Image.open(io.BytesIO(mistake.picture)).size == (12, 10)
    drawn = drawable(images[0])
    assert drawn.shape == (10, 12, 3)
    assert 5 in shape or (drawn.min(), drawn.max()) == (0, 255)


def test_a_file_that_is_gone_after_training_is_drawn_as_it_was_read(tmp_path):
    images = np.full((2, 10, 12, 3), 200, np.uint8)
    folder = label_files([tmp_path / "gone.png", tmp_path / "gone_too.png"], ["x", "y"])
    pictures = Pictures(folder, images, ("a", "b"), [], [])
    found = worst_mistakes(replace(samples(images), pictures=pictures), np.arange(2), np.array([[0.6, 0.4]] * 2))
    assert [Image.open(io.BytesIO(mistake.picture)).size for mistake in found] == [(12, 10)] * 2
