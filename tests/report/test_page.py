"""The page: complete, self-contained, and safe whatever the files are called."""

import re
from dataclasses import replace

import numpy as np
import pytest
from report_cases import EVIL, make, read

from minicnn.errors import ShapeError
from minicnn.report import Folds, Mistake

pytestmark = pytest.mark.numpy_only


def test_the_page_says_what_a_reader_wants_to_know():
    _, _, text = read(
        make(
            folds=Folds([0.8, 0.84, 0.82], [0.85, 0.87, 0.86]),
            remarks=["2 files are copies"],
            refused=[("dog/broken.jpg", "is truncated")],
            adapted=[("cat/print.jpg", "CMYK converted to RGB")],
            facts={"Software": {"numpy": "2.1"}},
            cache="3 batches from the cache",
        )
    )
    for wanted in (
        "The model got 17 of 20 validation pictures right.", "Always answering “cat” would get 50.0%.",
        "85.0%", "100", "80 for training, 20 for validation", "head", "fine-tuning", "70.0%", "75.0%",
        "Head alone: 82.0% on average", "Fine-tuned: 86.0% on average",
        "All 100 pictures, those for training and those for validation together, are divided into 3 parts.",
        "2 files are copies", "80.0%", "dog/broken.jpg", "is truncated", "CMYK converted to RGB",
        "minicnn finetune pets", "numpy", "2.1", "3 batches from the cache", "0.30 s", "10 ms", "2.0 s",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_the_training_time_is_that_of_the_phases_with_all_that_they_need():
    page, _, text = read(make())
    assert "training4.2 shead: 2 epochs, fine-tuning: 1 epoch" in text
    assert re.findall(r'<td data-label="Time in all">(.*?)</td>', page) == ["1.9 s", "2.3 s"]


def test_the_first_epoch_is_told_apart_from_the_median_of_the_later_ones():
    first, tuned = make().phases
    page, _, _ = read(make(phases=[replace(first, seconds=[9.0, 0.1, 0.5, 0.2]), tuned]))
    assert re.findall(r'<td data-label="First epoch">(.*?)</td>', page) == ["9.0 s", "2.0 s"]
    assert re.findall(r'<td data-label="Later epochs">(.*?)</td>', page) == ["0.20 s", "–"]


@pytest.mark.parametrize("accuracies", [[1.0, 1.0, 1.0], [0.9, 1.0, 1.0], [0.0, 0.0]])
def test_no_axis_of_the_cross_validation_leaves_the_shares(accuracies):
    page, _, text = read(make(folds=Folds(accuracies)))
    chart = page[page.index("Cross-validation</h2>") :].split("</svg>")[0]
    marks = [float(mark) for mark in re.findall(r'class="tick middle">([-\d.]+)%<', chart)]
    assert len(marks) >= 3
    assert 0 <= min(marks) < max(marks) <= 100
    assert f"in each of {len(accuracies)} rounds" in text.lower()


def test_one_picture_is_no_pictures():
    _, _, text = read(make(confusion=np.array([[1, 0], [0, 0]]), train_counts=[1, 1], val_counts=[1, 0]))
    assert "The model got 1 of 1 validation picture right." in text


def test_remarks_stand_beside_the_accuracy():
    page, _, text = read(make(remarks=["fine-tuning lowered the accuracy", "1 file is a copy of another"]))
    assert "fine-tuning lowered the accuracy1 file is a copy of another" in text
    assert page.index("is a copy of another") < page.index("How it learned")


def test_the_confusion_matrix_is_shaded_by_the_share_of_its_row():
    page, _, _ = read(make())
    cells = re.findall(r'<td class="(right|wrong)" style="--share:(\d+)%"[^>]*>(\d+)</td>', page)
    assert cells == [("right", "80", "8"), ("wrong", "20", "2"), ("wrong", "10", "1"), ("right", "90", "9")]


def test_names_of_files_and_classes_are_text():
    page, elements, text = read(
        make(
            title=EVIL,
            command=EVIL,
            class_names=[EVIL, "'\"&"],
            mistakes=[Mistake(EVIL, EVIL, "'\"&", 0.9, b"jpeg")],
            refused=[(EVIL, EVIL)],
            facts={EVIL: {EVIL: EVIL}},
        )
    )
    assert [attrs for tag, attrs in elements if tag == "img"] == [
        {"src": "data:image/jpeg;base64,anBlZw==", "alt": f"{EVIL}: {EVIL}"}
    ]
    assert any(attrs.get("class") == "file" and attrs["title"] == EVIL for _, attrs in elements)
    assert not any(name.startswith("on") for _, attrs in elements for name in attrs)
    assert "<img src=x" not in page
    assert text.count(EVIL) >= 8


def test_nothing_is_fetched_and_nothing_runs():
    page, elements, _ = read(make(mistakes=[Mistake("a.jpg", "cat", "dog", 0.9, b"x")]))
    assert not {tag for tag, _ in elements} & {"script", "link", "iframe", "object", "a"}
    assert "url(" not in page
    assert "@import" not in page
    assert all(attrs["src"].startswith("data:") for tag, attrs in elements if "src" in attrs)
    assert any("default-src 'none'" in attrs.get("content", "") for _, attrs in elements)


def test_many_classes_become_a_list_of_confusions():
    names = [f"class {i}" for i in range(30)]
    confusion = np.eye(30, dtype=int) * 5
    confusion[3, 4] = 7
    page, _, text = read(make(class_names=names, confusion=confusion, train_counts=[1] * 30, val_counts=[5] * 30))
    assert "matrix" not in page.split("</style>")[1]
    assert "class 3class 47 of 12" in text


def test_long_names_are_told_apart_and_kept_in_full():
    names = [f"garden_collection_2019_{flower}_flowering_early" for flower in ("daisy", "rose", "tulip")]
    _, elements, text = read(
        make(class_names=names, confusion=np.eye(3, dtype=int), train_counts=[1] * 3, val_counts=[1] * 3)
    )
    assert text.count("…\N{WORD JOINER}rose_flowering_early") >= 2
    assert sum(attrs.get("title") == names[1] for _, attrs in elements) >= 2


@pytest.mark.parametrize(("classes", "shown"), [(8, {"matrix"}), (9, {"matrix", "confusions"}), (25, {"confusions"})])
def test_a_matrix_that_no_phone_can_show_has_a_list_beside_it(classes, shown):
    confusion = np.eye(classes, dtype=int)
    confusion[0, 1] = 1
    names = [f"class {i}" for i in range(classes)]
    counts = [1] * classes
    _, elements, _ = read(make(class_names=names, confusion=confusion, train_counts=counts, val_counts=counts))
    words = {word for tag, attrs in elements if tag == "table" for word in attrs["class"].split()}
    assert words & {"matrix", "confusions"} == shown


def test_a_command_is_broken_before_options_and_copied_as_it_was_typed():
    command = "minicnn finetune 'my photos' --fine-epochs 5 --out 'my model'"
    page, _, text = read(make(command=command))
    assert "<span>--fine-epochs 5 </span><span>--out" in page
    assert command in text


def test_a_long_list_of_bad_files_is_cut():
    _, _, text = read(make(refused=[(f"{i}.jpg", "is empty") for i in range(300)]))
    assert "300 files refused" in text
    assert "199.jpg" in text
    assert "200.jpg" not in text
    assert "and 100 more" in text


def test_a_confusion_matrix_of_another_size_is_refused():
    with pytest.raises(ShapeError, match=r"confusion has shape \(3, 3\), expected \(2, 2\)"):
        make(confusion=np.eye(3))
