"""Tables of labels: what is read, and one clear line for what cannot be."""

import numpy as np
import pytest

from minicnn.data import label_files, read_table
from minicnn.errors import DataError, FileAccessError, FileFormatError


@pytest.fixture
def table(tmp_path):
    """A function that writes a table beside three files, which are never decoded."""
    for name in ("a.png", "b c.png", "d/e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    def write(text):
        path = tmp_path / "labels.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        "file,label,group\na.png,class10,p1\nb c.png,class9,p2\nd/e.png,class10,p1\n",
        "\ufefflabel; FILE ;group\r\nclass10; a.png ;p1\r\n\r\nclass9;b c.png;p2\r\nclass10;d/e.png;p1",
        'extra\tgroup\tlabel\tfile\n1\tp1\tclass10\ta.png\n2\tp2\tclass9\t"b c.png"\n,\tp1\tclass10\td/e.png\n',
    ],
)
def test_a_table(table, text, tmp_path):
    found = read_table(table(text))
    assert found.class_names == ("class9", "class10")
    assert found.files == (tmp_path / "a.png", tmp_path / "b c.png", tmp_path / "d" / "e.png")
    assert found.labels.tolist() == [1, 0, 1]
    assert found.groups == ("p1", "p2", "p1")
    assert found.counts() == {"class9": 1, "class10": 2}
    kept = found.keep([0, 1])
    assert (kept.groups, kept.labels.tolist()) == (("p1", "p2"), [1, 0])


def test_a_name_may_have_what_other_programs_take_for_a_line_end(table, tmp_path):
    (tmp_path / "a\u2028b.png").write_bytes(b"x")
    found = read_table(table('file,label\na\u2028b.png,"x\x0cy"\nb c.png,z\n'))
    assert found.files[0].name == "a\u2028b.png"
    assert found.class_names == ("x\x0cy", "z")


def test_the_folder_and_the_classes_of_a_model(table, tmp_path):
    (tmp_path / "d" / "f.png").write_bytes(b"x")
    found = read_table(table("file,label\ne.png,y\nf.png,x\n"), tmp_path / "d", ["y", "x"])
    assert (found.class_names, found.labels.tolist(), found.groups) == (("y", "x"), [0, 1], None)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("", FileFormatError, "labels.csv begins with nothing: the first line must name the columns: file,label"),
        ("a.png,cat\n", FileFormatError, "begins with 'a.png', 'cat': the first line"),
        ("file,label\n", DataError, "labels.csv names no pictures"),
        ("file,label\na.png,x\nb c.png\n", DataError, "line 3: it has no label"),
        ("file,label\n,x\n", DataError, "line 2: it has no file"),
        ("file,label,group\na.png,x,\n", DataError, "line 2: it has no group"),
        (
            "file,label\na.png,x\nz.png,y\nd/y.png,y\n",
            DataError,
            "line 3: there is no file z.png in .*, and 1 more are",
        ),
        ("file,label\na.png,x\na.png,y\n", DataError, "line 3: a.png was named in line 2 already"),
        ("file,label\na.png,x\nb c.png,x\n", DataError, "labels.csv: one class, 'x': a classifier needs at least two"),
        ('file,label\n"a.png"x,y\n', FileFormatError, "line 2: it cannot be read as CSV"),
        (b"file,label\n\xff\xfe,x\n", FileFormatError, "labels.csv is no text in UTF-8"),
        (b"PK\x03\x04\x00\x00", FileFormatError, "begins with "),
        (b"PK\x03\x04\xff\xfe", FileFormatError, "is a ZIP archive, no table of labels: name a folder"),
        ("file,label\n" + "a" * 300 + ".png,x\n", DataError, "line 2: there is no file aaa"),
        ("file,label\na\0.png,x\n", DataError, "line 2: there is no file"),
    ],
)
def test_what_is_no_table_of_labels(table, text, error, said):
    with pytest.raises(error, match=said) as refused:
        read_table(table(text))
    assert "\n" not in str(refused.value)


def test_labels_that_the_model_does_not_know(table):
    path = table("file,label\na.png,x\nb c.png,Y\nd/e.png,y\n")
    said = (
        r"labels\.csv has class 'Y', first in line 3, which the model does not know: rename 'Y' to 'y'; known: 'x', 'y'"
    )
    with pytest.raises(DataError, match=said):
        read_table(path, class_names=["x", "y"])


def test_classes_of_a_model_may_be_absent(table):
    found = read_table(table("file,label,group\na.png,y,1\n"), class_names=["x", "y", "z"])
    assert (found.class_names, found.labels.tolist(), found.groups) == (("x", "y", "z"), [1], ("1",))


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(FileAccessError, match=r"labels\.csv cannot be read \(No such file or directory\)"):
        read_table(tmp_path / "labels.csv")
    with pytest.raises(FileAccessError, match="cannot be read \\(embedded null byte\\)"):
        read_table("a\0b.csv")


def test_lists_of_different_lengths():
    with pytest.raises(DataError, match="2 files but 1 labels: each needs one"):
        label_files(["a", "b"], ["x"])
    with pytest.raises(DataError, match="2 files but 3 groups"):
        label_files(["a", "b"], ["x", "y"], groups=[1, 2, 3])


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_label_that_is_missing_is_no_class(missing):
    with pytest.raises(DataError, match=f"the label of sample 1 is {missing}: each sample needs the name of its class"):
        label_files(["a", "b", "c"], np.array(["x", missing, "y"], object))


def test_identifiers_are_no_classes_to_name_one_by_one():
    with pytest.raises(DataError, match="2 samples, the greatest label 1099511627776: some classes have no pictures"):
        label_files(["a", "b"], [0, 2**40])
