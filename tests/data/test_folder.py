"""Folders of pictures: what is found, what is left out and said, what is refused."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicnn.data import scan_folder
from minicnn.data.order import natural_key
from minicnn.data.problems import as_text
from minicnn.errors import DataError, FileAccessError, MinicnnError

JPEG_START = b"\xff\xd8\xff\xe0"


def make(root: Path, *names: str) -> Path:
    """Empty files with these names, or empty folders where a name ends in a slash."""
    for name in names:
        path = root / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_bytes(b"")
    return root


def relative(folder):
    return [file.relative_to(folder.root).as_posix() for file in folder.files]


def kinds(folder):
    return {problem.path.relative_to(folder.root).as_posix(): problem.kind for problem in folder.problems}


def test_classes_files_and_labels(tmp_path):
    make(tmp_path, "c10/b.PNG", "c10/a.jpeg", "c2/x2.webp", "c2/x10.gif", "c2/deep/er/x1.tif", "C1/z.bmp")
    folder = scan_folder(tmp_path)
    assert folder.class_names == ("C1", "c2", "c10")
    assert relative(folder) == ["C1/z.bmp", "c2/deep/er/x1.tif", "c2/x2.webp", "c2/x10.gif", "c10/a.jpeg", "c10/b.PNG"]
    assert folder.labels.tolist() == [0, 1, 1, 1, 2, 2]
    assert folder.labels.dtype == np.int64
    assert folder.counts() == {"C1": 1, "c2": 3, "c10": 2}
    assert len(folder) == 6
    assert folder.split is None
    assert folder.problems == ()


def test_classes_that_differ_by_a_number_at_the_end(tmp_path):
    make(tmp_path, *(f"rose{end}/1.jpg" for end in ("10", "", "2", "02")))
    assert scan_folder(tmp_path).class_names == ("rose", "rose02", "rose2", "rose10")


@given(st.permutations(["", "0", "rose", "rose2", "rose02", "rose10", "2", "10", "2rose", "rose2a", "rose10.1"]))
def test_natural_order_is_one_order(names):
    ordered = ["", "0", "2", "2rose", "10", "rose", "rose02", "rose2", "rose2a", "rose10", "rose10.1"]
    assert sorted(names, key=natural_key) == ordered


@given(st.lists(st.text() | st.text("a0129"), max_size=6, unique=True), st.randoms())
def test_any_names_have_a_natural_order(names, random):
    ordered = sorted(names, key=natural_key)
    keys = [natural_key(name) for name in ordered]
    assert all(a < b for i, a in enumerate(keys) for b in keys[i + 1 :])
    random.shuffle(names)
    assert sorted(names, key=natural_key) == ordered


def test_numbers_of_any_length_are_ordered():
    assert natural_key("9" * 5000) < natural_key("1" + "0" * 5000)


def test_clutter_is_passed_over(tmp_path):
    make(tmp_path, "a/1.jpg", "b/1.jpg", ".git/x.jpg", "a/.DS_Store", "a/._1.jpg", "b/Thumbs.db", "__MACOSX/a/1.jpg")
    folder = scan_folder(tmp_path)
    assert relative(folder) == ["a/1.jpg", "b/1.jpg"]
    assert folder.problems == ()


def test_what_is_no_picture_is_reported(tmp_path):
    make(tmp_path, "a/1.jpg", "a/notes.txt", "a/labels", "b/1.jpg", "readme.md", "loose.jpg")
    (tmp_path / "b" / "photo").write_bytes(JPEG_START)
    (tmp_path / "b" / "2.heic").write_bytes(b"\0\0\0\x18ftypheic")
    os.mkfifo(tmp_path / "b" / "pipe.jpg")
    folder = scan_folder(tmp_path)
    assert relative(folder) == ["a/1.jpg", "b/1.jpg", "b/photo"]
    assert kinds(folder) == {
        "readme.md": "outside-class", "loose.jpg": "outside-class", "a/notes.txt": "not-an-image",
        "a/labels": "not-an-image", "b/2.heic": "not-an-image", "b/pipe.jpg": "not-a-file",
    }  # fmt: skip


def test_links(tmp_path):
    make(tmp_path, "out/9.jpg", "in/a/1.jpg", "in/b/1.jpg")
    root = tmp_path / "in"
    (root / "a" / "same.jpg").symlink_to("1.jpg")
    (root / "a" / "gone.jpg").symlink_to("nowhere.jpg")
    (root / "a" / "itself.jpg").symlink_to("itself.jpg")
    (root / "a" / "out.jpg").symlink_to(tmp_path / "out" / "9.jpg")
    (root / "a" / "loop").symlink_to("..", target_is_directory=True)
    (root / "c").symlink_to(tmp_path / "out", target_is_directory=True)
    (tmp_path / "link").symlink_to(root, target_is_directory=True)
    for name in ("in", "link"):
        folder = scan_folder(tmp_path / name)
        assert relative(folder) == ["a/1.jpg", "a/same.jpg", "b/1.jpg"]
        assert kinds(folder) == dict.fromkeys(("a/gone.jpg", "a/itself.jpg", "a/out.jpg", "a/loop", "c"), "link")


@pytest.mark.parametrize("train", ["train", "Training"])
@pytest.mark.parametrize("validation", ["val", "valid", "validation", "test", "VAL"])
def test_given_split(tmp_path, train, validation):
    make(tmp_path, f"{train}/b/1.jpg", f"{train}/a/1.jpg", f"{validation}/a/1.jpg", f"{validation}/b/2.jpg")
    make(tmp_path, f"{validation}/b/3.jpg", "more/x.jpg")
    folder = scan_folder(tmp_path)
    assert folder.class_names == ("a", "b")
    assert folder.labels.tolist() == [0, 1, 0, 1, 1]
    assert folder.split is not None
    assert folder.split.train.tolist() == [0, 1]
    assert folder.split.validation.tolist() == [2, 3, 4]
    assert kinds(folder) == {"more": "unused"}


def test_validation_is_val_before_test(tmp_path):
    make(tmp_path, *(f"{part}/{name}/1.jpg" for part in ("train", "test", "val") for name in "ab"))
    folder = scan_folder(tmp_path)
    assert relative(folder) == ["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/b/1.jpg"]
    assert kinds(folder) == {"test": "unused"}


def test_class_called_train(tmp_path):
    """Pictures of trains and tests of cars: no folders inside, so no split."""
    make(tmp_path, "train/1.jpg", "test/1.jpg")
    assert scan_folder(tmp_path).class_names == ("test", "train")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "has no class folders: put the pictures of each class in a folder of its own"),
        (["1.jpg", "2.jpg"], "has 2 files but no class folders"),
        (["a/1.jpg"], "has one class, 'a': a classifier needs at least two"),
        (["photos/a/1.jpg", "photos/b/1.jpg"], "if the class folders are inside it, name .*photos"),
        (["a/1.jpg", "b/", "c/x.txt"], "class 'b', 'c' has no pictures: add some or remove the folder"),
        (["train/a/1.jpg", "train/b/1.jpg"], "has train/ but no val/ beside it"),
        (["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/b/"], "val: class 'b' has no pictures"),
        (["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg"], "val has no class 'b', which train/ has"),
        (["train/a/1.jpg", "val/a/1.jpg", "val/c/1.jpg"], "train has no class 'c', which val/ has"),
        (["train/a/1.jpg", "val/x.jpg"], "val has 1 file but no class folders"),
        ([f"c{i}/" for i in range(12)], "'c9' and 2 more has no pictures"),
    ],
)
def test_refused(tmp_path, names, message):
    make(tmp_path, *names)
    with pytest.raises(DataError, match=message) as caught:
        scan_folder(tmp_path)
    assert str(caught.value).isprintable()
    assert str(tmp_path) in str(caught.value)


def test_not_a_folder(tmp_path):
    make(tmp_path, "x.zip")
    with pytest.raises(FileAccessError, match="no: no such folder; check the path"):
        scan_folder(tmp_path / "no")
    with pytest.raises(DataError, match=r"x\.zip is a file: name the folder"):
        scan_folder(tmp_path / "x.zip")


def test_only_links_to_classes(tmp_path):
    make(tmp_path, "far/a/1.jpg", "near/")
    (tmp_path / "near" / "a").symlink_to(tmp_path / "far" / "a", target_is_directory=True)
    with pytest.raises(DataError, match=r"no class folders .*near/a: is a link to a folder, which is not followed"):
        scan_folder(tmp_path / "near")


def test_classes_of_a_model(tmp_path):
    make(tmp_path, "b/1.jpg", "d/1.jpg")
    folder = scan_folder(tmp_path, class_names=["d", "c", "b"])
    assert folder.class_names == ("d", "c", "b")
    assert list(zip(relative(folder), folder.labels.tolist())) == [("d/1.jpg", 0), ("b/1.jpg", 2)]
    with pytest.raises(DataError, match=r"has class 'd', which the model does not know: .*known: 'b', 'c'"):
        scan_folder(tmp_path, class_names=["b", "c"])


def test_keep(tmp_path):
    make(tmp_path, *(f"{part}/{name}/{i}.jpg" for part in ("train", "val") for name in "ab" for i in (1, 2)))
    folder = scan_folder(tmp_path)
    kept = folder.keep([0, 2, 3, 5, 6])
    assert relative(kept) == ["train/a/1.jpg", "train/b/1.jpg", "train/b/2.jpg", "val/a/2.jpg", "val/b/1.jpg"]
    assert kept.labels.tolist() == [0, 1, 1, 0, 1]
    assert kept.split is not None
    assert kept.split.train.tolist() == [0, 1, 2]
    assert kept.split.validation.tolist() == [3, 4]
    assert kept.class_names == folder.class_names
    with pytest.raises(DataError, match="no picture of class 'b' can be read in the validation part"):
        folder.keep([0, 1, 2, 3, 4, 5])


NAMES = st.sampled_from(
    ["a", "b10", "b9", "Ünïcödé", "two words", "new\nline", "-x", "'quote\"", ".hidden", "Thumbs.db", "train", "val",
     "test", "\udcff", "<img src=x>", "1.jpg", "2.PNG", "x.txt", "noext", "🌵.webp"]
)  # fmt: skip
TREES = st.recursive(
    st.sampled_from([b"", JPEG_START, b"hello", "link-up", "link-out", "link-nowhere"]),
    lambda inner: st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)


def plant(root: Path, tree: dict) -> None:
    for name, content in tree.items():
        path = root / name
        if isinstance(content, dict):
            path.mkdir()
            plant(path, content)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.symlink_to({"link-up": "..", "link-out": "/etc", "link-nowhere": "nowhere"}[content])


BRANCHES = st.dictionaries(NAMES, TREES, max_size=6)
CLASSES = st.dictionaries(NAMES, BRANCHES.map(lambda branch: {**branch, "one.jpg": b""}), min_size=2, max_size=4)
SPLITS = CLASSES.map(lambda classes: {"train": classes, "val": {name: {"1.png": b""} for name in classes}})


@settings(max_examples=200)
@given(BRANCHES | CLASSES | SPLITS)
def test_any_tree(tree):
    """A result whose parts agree and that lies in the folder, or one printable line."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "photos"
        root.mkdir()
        plant(root, tree)
        try:
            folder, refusal = scan_folder(root), ""
        except MinicnnError as error:
            folder, refusal = None, str(error)
        assert refusal.isprintable()
        if folder is not None:
            check_agreement(folder)


def check_agreement(folder):
    assert len(folder.files) == len(set(folder.files)) == len(folder.labels)
    assert set(folder.labels.tolist()) == set(range(len(folder.class_names)))
    for file, label in zip(folder.files, folder.labels):
        inside = file.resolve().relative_to(folder.root.resolve()).parts
        assert folder.class_names[label] in [as_text(part) for part in inside[:-1]]
        assert file.is_file()
        assert not any(part.startswith(".") for part in inside)
    assert not {problem.path for problem in folder.problems} & set(folder.files)
    assert all(str(problem).isprintable() for problem in folder.problems)


def test_two_class_folders_that_would_be_one_name_are_refused(tmp_path):
    odd = os.fsdecode(b"caf\xe9")
    for name in (odd, "caf\\xe9", "b"):
        try:
            (tmp_path / name).mkdir()
        except OSError:
            pytest.skip("this file system has names in UTF-8 only")
        (tmp_path / name / "1.jpg").write_bytes(b"")
    with pytest.raises(DataError, match="rename one"):
        scan_folder(tmp_path)


def test_of_very_many_names_ten_are_said(tmp_path):
    make(tmp_path, *(f"c{i}/a.jpg" for i in range(12)))
    said = r"'c9' and 2 more, which the model does not know: rename .* to 'C9' and 2 more; known: .*'C9' and 2 more$"
    with pytest.raises(DataError, match=said):
        scan_folder(tmp_path, [f"C{i}" for i in range(12)])
