"""The page: complete, self-contained, and safe whatever the files are called."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from minicnn.errors import ShapeError
from minicnn.report import Folds, Mistake, Phase, TrainingReport, render
from minicnn.report.sections import duration

pytestmark = pytest.mark.numpy_only

EVIL = "<img src=x onerror=alert(1)>.png"
VOID = {"meta", "img"}


class Checker(HTMLParser):
    """Notes every element and address, and that the elements are nested rightly."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def make(**changes):
    phases = [
        Phase("head", "a dense layer", 10, [1.5, 0.7], [0.4, 0.8], [1.2, 0.9], [0.5, 0.7], [0.3, 0.01], 1.9),
        Phase("fine-tuning", "from conv5 on", 900, [0.6], [0.85], [0.8], [0.75], [2.0], 2.3),
    ]
    values = {
        "title": "Pets",
        "created": "24 November 2026",
        "command": "minicnn finetune pets",
        "class_names": ["cat", "dog"],
        "confusion": np.array([[8, 2], [1, 9]]),
        "phases": phases,
        "train_counts": [40, 40],
        "val_counts": [10, 10],
    }
    return TrainingReport(**(values | changes))


def read(report):
    page = render(report)
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return page, checker.elements, " ".join("".join(checker.text).split())


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
        "17 rightly", "85.0%", "100", "80 to learn from, 20 to judge by", "head", "fine-tuning", "70.0%", "75.0%",
        "Head alone: 82.0% on average", "Fine-tuned: 86.0% on average",
        "2 files are copies", "80.0%", "dog/broken.jpg", "is truncated", "CMYK converted to RGB",
        "minicnn finetune pets", "numpy", "2.1", "3 batches from the cache", "0.30 s", "10 ms", "2.0 s",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_the_training_time_is_that_of_the_phases_with_all_that_they_need():
    page, _, text = read(make())
    assert "training4.2 shead: 2 epochs, fine-tuning: 1 epoch" in text
    assert "<td>1.9 s</td>" in page
    assert "<td>2.3 s</td>" in page


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
    assert "class 3 class 4 7 12" in text or "class 3</th><td>class 4</td><td>7</td><td>12</td>" in page


def test_a_long_list_of_bad_files_is_cut():
    _, _, text = read(make(refused=[(f"{i}.jpg", "is empty") for i in range(300)]))
    assert "300 files refused" in text
    assert "199.jpg" in text
    assert "200.jpg" not in text
    assert "and 100 more" in text


def test_a_confusion_matrix_of_another_size_is_refused():
    with pytest.raises(ShapeError, match=r"confusion has shape \(3, 3\), expected \(2, 2\)"):
        make(confusion=np.eye(3))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0004, "0.4 ms"),
        (0.012, "12 ms"),
        (0.099, "99 ms"),
        (0.0999, "0.10 s"),
        (0.874, "0.87 s"),
        (0.999, "1.0 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min 0 s"),
        (61, "1 min 1 s"),
        (3600, "1 h 0 min"),
    ],
)
def test_durations(seconds, said):
    assert duration(seconds) == said
