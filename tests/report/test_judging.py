"""What the page says of probabilities: scikit-learn's curves, calibration, points; nothing that is not known."""

import re
from dataclasses import replace

import numpy as np
import pytest
from report_cases import judged, make, read

from minicnn.report import Phase
from minicnn.report.content import LayerGroup
from minicnn.transfer.judged import Judged

pytestmark = pytest.mark.numpy_only
NEW = (
    "How well it tells each class from the rest", "Can its probabilities be believed?",
    "What the network finds alike", "What was trained", "Where the time went", "Learning rate",
)  # fmt: skip


def rows_of(page, kind):
    """The cells of a table of the page, without markup."""
    table = re.search(rf'<table class="plain {kind}">(.*?)</table>', page, re.DOTALL)
    assert table is not None
    rows = re.findall(r"<tr>(.*?)</tr>", table[1], re.DOTALL)
    return [[re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def test_what_is_not_known_is_left_out():
    _, _, text = read(make())
    assert not any(title in text for title in NEW)


def test_the_areas_under_the_curves_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    found = judged(60, 3)
    page, _, _ = read(make(class_names=["a", "b", "c"], confusion=np.eye(3, dtype=int), judged=found))
    for number, (name, roc, precision) in enumerate(rows_of(page, "areas")[1:]):
        truth, scores = found.labels == number, found.probabilities[:, number]
        assert name == "abc"[number]
        assert float(roc) == pytest.approx(metrics.roc_auc_score(truth, scores), abs=6e-4)
        assert float(precision) == pytest.approx(metrics.average_precision_score(truth, scores), abs=6e-4)


def test_of_many_classes_those_that_are_told_apart_worst_are_drawn():
    found = judged(120, 12)
    names = [f"class {i}" for i in range(12)]
    page, _, text = read(make(class_names=names, confusion=np.eye(12, dtype=int), train_counts=[1] * 12,
                              val_counts=[1] * 12, judged=found))  # fmt: skip
    areas = [area["roc_auc"] for area in found.areas()]
    worst = sorted(sorted(range(12), key=areas.__getitem__)[:8])
    assert [row[0] for row in rows_of(page, "areas")[1:]] == [names[i] for i in worst]
    assert "Of 12 classes, the 8 with the smallest area are shown." in text
    assert "Colours repeat" in text


def test_a_class_without_pictures_has_no_curve():
    found = judged(40, 3)
    found = replace(found, labels=found.labels % 2)
    page, _, _ = read(make(class_names=["a", "b", "c"], confusion=np.eye(3, dtype=int), judged=found))
    assert [row[0] for row in rows_of(page, "areas")[1:]] == ["a", "b"]
    assert found.areas()[2] == {"roc_auc": None, "average_precision": None}


def test_a_model_that_is_too_sure_is_said_to_be():
    p = np.tile([0.95, 0.05], (40, 1))
    labels = np.repeat([0, 1], [28, 12])
    names = [f"{i}.jpg" for i in range(40)]
    found = Judged(names, labels, p, np.zeros((40, 3)))
    page, _, text = read(make(judged=found))
    assert "On average the model is too sure by 25.0%" in text
    assert "sure of 95%: 70% of 40 right" in text
    assert page.count('class="dot validation ringed"') == 1
    assert f"log-loss{-(28 * np.log(0.95) + 12 * np.log(0.05)) / 40:.3f}" in text
    assert "What the network finds alike" not in text  # features that are all the same


def test_a_model_that_was_always_right_gets_no_temperature():
    p = np.tile([0.7, 0.3], (24, 1))
    names = [f"{i}.jpg" for i in range(24)]
    _, _, text = read(make(judged=Judged(names, np.zeros(24, int), p, np.zeros((24, 3)))))
    assert "All of these pictures were named rightly, so they cannot tell how much surer the model might be" in text
    assert "sharper" not in text
    assert "log-loss at that temperature" not in text


def test_dots_of_confidence_lie_within_the_chart():
    page, _, _ = read(make(judged=judged(400, 2)))
    chart = page[page.index("accuracy by confidence") :].split("</svg>")[0]
    places = [(float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', chart)]
    assert len(places) >= 4
    assert all(60 <= x <= 424 and 12 <= y <= 288 for x, y in places)
    shares = [float(share) for share in re.findall(r"<title>([\d.]+)%</title></rect>", chart)]
    assert sum(shares) == pytest.approx(100, abs=0.5)


def test_what_is_as_right_as_it_is_sure_lies_on_the_line():
    p = np.tile([0.75, 0.25], (40, 1))
    names = [f"{i}.jpg" for i in range(40)]
    page, _, _ = read(make(judged=Judged(names, np.repeat([0, 1], [30, 10]), p, np.zeros((40, 3)))))
    chart = page[page.index("accuracy by confidence") :].split("</svg>")[0]
    line = re.search(r'<line x1="([\d.]+)" x2="([\d.]+)" y1="([\d.]+)" y2="([\d.]+)" class="chance"', chart)
    dot = re.search(r'cx="([\d.]+)" cy="([\d.]+)"', chart)
    assert line is not None
    assert dot is not None
    x1, x2, y1, y2 = map(float, line.groups())
    x, y = map(float, dot.groups())
    assert (x - x1) / (x2 - x1) == pytest.approx((y - y1) / (y2 - y1), abs=0.01)
    assert x1 == 60  # the axis begins at 70%


def test_pictures_are_points_with_their_names_and_wrong_ones_are_ringed():
    found = judged(30, 2)
    page, _, text = read(make(judged=found))
    wrong = int((found.probabilities.argmax(axis=1) != found.labels).sum())
    charts = page.count("<title>pictures by ")
    assert page.count("mistaken") == charts * wrong + page.split("</style>")[0].count("mistaken")
    assert "3.jpg: dog" in text
    assert wrong
    assert re.search(r"\d+\.jpg: (cat, named dog|dog, named cat)", text)


def test_the_rates_of_all_epochs_are_drawn_as_logarithms():
    four = [0.5] * 4
    head = Phase("head", "", 1, four, four, four, four, four, 2.0, [0.1, 0.01, 0.001, 0.0])
    tuned = Phase("fine-tuning", "", 1, [0.4], [0.5], [1], [0.5], [1], 1.0, [1e-4])
    page, _, text = read(make(phases=[head, tuned]))
    chart = page[page.index("learning rate by epoch") :].split("</svg>")[0]
    assert re.findall(r'class="tick end">([^<]+)<', chart) == ["1e-4", "1e-3", "1e-2", "1e-1", "0"]
    drawn = re.findall(r'd="M([^"]+)" class="curve validation"', chart)
    assert [path.count("L") for path in drawn] == [3, 0]  # a rate of 0, which has no logarithm, lies on the floor
    assert "Learning rate" in text


def test_groups_and_times_have_their_tables():
    groups = [LayerGroup("a … c", 1000, 0, 1e-3), LayerGroup("d", 10, 10, 1e-3)]
    page, _, text = read(make(groups=groups, seconds={"features": 3.0, "train": 1.0}, cache="2 batches kept"))
    assert rows_of(page, "layers")[1:] == [["a … c", "1,000", "0", "–"], ["d", "10", "10", "0.001"]]
    assert rows_of(page, "times")[1:] == [
        ["features", "3.0 s", "75.0%"], ["train", "1.0 s", "25.0%"], ["all of it", "4.0 s", ""],
    ]  # fmt: skip
    assert "2 batches kept" in text
