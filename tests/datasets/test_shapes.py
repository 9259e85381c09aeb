"""The drawn shapes: repeatable, balanced, told apart by form and not by single pixels."""

import numpy as np
import pytest

from minicnn.data import ResizeRule, load_images, scan_folder
from minicnn.datasets import shapes
from minicnn.errors import ArgumentError, FileAccessError, MissingExtraError


def test_arrays():
    (x, y), (x_test, y_test) = shapes.load_data(3, test_per_class=2, size=24)
    assert x.shape == (18, 24, 24, 3)
    assert x.dtype == y.dtype == np.uint8
    assert y[:, 0].tolist() == [0, 1, 2, 3, 4, 5] * 3
    assert x_test.shape[0] == len(y_test) == 12
    assert len({picture.tobytes() for picture in [*x, *x_test]}) == 30, "no picture twice"


def test_same_seed_same_pictures():
    (few, _), _ = shapes.load_data(2, size=16)
    (many, _), (test, _) = shapes.load_data(3, test_per_class=2, size=16)
    assert np.array_equal(many[:12], few)
    (other, _), _ = shapes.load_data(2, size=16, seed=1)
    assert not np.array_equal(other, few)
    assert not np.array_equal(test, few)


def test_shapes_cover_what_they_should():
    """The area of each shape of radius 1, from its formula, against the pixels that its function takes in."""
    axis = np.linspace(-1.2, 1.2, 1201)
    u, v = np.meshgrid(axis, axis)
    cell = (axis[1] - axis[0]) ** 2
    area = {name: cell * np.count_nonzero(function(u, v) < 0) for name, function in shapes._SHAPES.items()}
    expected = {
        "circle": np.pi * 0.8**2,
        "ring": np.pi * (0.95**2 - 0.55**2),
        "square": 1.44**2,
        "cross": 2 * 2 * 0.5 - 0.5**2,
        "star": np.pi * (0.45**2 + 0.45 * 0.55 + 0.55**2 / 3),
        "triangle": 3 * np.sqrt(3) / 4,
    }
    assert tuple(area) == shapes.CLASS_NAMES
    assert area == pytest.approx(expected, rel=0.01)


def test_single_pixels_say_little():
    """A least-squares classifier on raw pixels stays far below what form makes possible (chance is 0.17)."""
    (x, y), (x_test, y_test) = shapes.load_data(60, test_per_class=30, size=16)

    def rows(pictures):
        return np.hstack([pictures.reshape(len(pictures), -1) / 127.5 - 1, np.ones((len(pictures), 1))])

    a = rows(x)
    solution = np.linalg.solve(a.T @ a + 100 * np.eye(a.shape[1]), a.T @ np.eye(6)[y[:, 0]])
    accuracy = np.mean(np.argmax(rows(x_test) @ solution, axis=1) == y_test[:, 0])
    assert accuracy < 0.4


def test_folder(tmp_path):
    folder = shapes.write(tmp_path / "deep" / "shapes", per_class=2, size=20, seed=3)
    scanned = scan_folder(folder)
    assert scanned.class_names == shapes.CLASS_NAMES
    assert set(scanned.counts().values()) == {2}
    loaded = load_images(scanned.files, ResizeRule(20))
    (x, y), _ = shapes.load_data(2, size=20, seed=3)
    order = np.argsort(y[:, 0], kind="stable")
    assert np.array_equal(loaded.images, x[order])
    assert [path.name for path in folder.parent.iterdir()] == ["shapes"]


def test_write_is_all_or_nothing(tmp_path, monkeypatch):
    def full(folder, x, y):
        (folder / "circle").mkdir(parents=True)
        raise OSError(28, "No space left on device")

    (tmp_path / "empty").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(shapes, "_write_files", full)
        with pytest.raises(FileAccessError, match=r"new cannot be written \(No space left"):
            shapes.write(tmp_path / "new", 1, size=8)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    shapes.write(tmp_path / "empty", 1, size=8)
    with pytest.raises(FileAccessError, match="empty exists and is not an empty folder"):
        shapes.write(tmp_path / "empty", 1, size=8)
    for name, said in (("a\0b", r"a\\x00b cannot be written \(embedded null byte"), ("x" * 256, "File name too long")):
        with pytest.raises(FileAccessError, match=said):
            shapes.write(tmp_path / name, 1, size=8)


def test_wrong_arguments(tmp_path, monkeypatch):
    for arguments in ((0, 8), (1, 4), (1, 5000)):
        with pytest.raises(ArgumentError, match="shapes need"):
            shapes.write(tmp_path / "x", arguments[0], size=arguments[1])
    with pytest.raises(ArgumentError, match="'blob' is unknown; use one of circle, cross"):
        shapes.draw("blob", 8, np.random.default_rng(0))
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(MissingExtraError, match="Pillow"):
        shapes.write(tmp_path / "x", 1, size=8)
    assert list(tmp_path.iterdir()) == []
