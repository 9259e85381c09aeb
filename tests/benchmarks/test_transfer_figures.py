"""What the measurements of transfer say, and that they go on where they were stopped."""

import json
import re
from typing import Any

import numpy as np
import pytest
from benchmark_cases import cells, module

from minicnn.transfer.labelled import labelled


def test_flowers_stand_against_the_head_whichever_way_the_difference_was_noted():
    arms = [
        {"name": "from scratch", "method": "scratch", "base": "", "mean": 0.5, "interval_95": [0.45, 0.55]},
        {"name": "M, features", "method": "features", "base": "M", "mean": 0.65, "interval_95": [0.6, 0.7]},
        {"name": "M, finetuned", "method": "finetuned", "base": "M", "mean": 0.7, "interval_95": [0.65, 0.75]},
    ]
    differences = [
        {"of": "M, features", "to": "from scratch", "mean": 0.15, "low": 0.1, "high": 0.21},
        {"of": "M, finetuned", "to": "from scratch", "mean": 0.2, "low": 0.1, "high": 0.3},
        {"of": "M, finetuned", "to": "M, features", "mean": 0.05, "low": -0.01, "high": 0.11},
    ]
    result = {"pictures": 800, "folds": 5, "divisions": 2, "differences": differences, "verdict": "It pays."}
    found = module("figures").flowers({**result, "arms": arms})
    lines, said = found.split("\n\n")
    assert said == "> It pays."
    rows = cells(lines)
    assert [row[1:] for row in rows] == [
        ["50.0 % (45.0 to 55.0)", "-15.0 (-21.0 to -10.0)"],
        ["65.0 % (60.0 to 70.0)", ""],
        ["70.0 % (65.0 to 75.0)", "+5.0 (-1.0 to +11.0)"],
    ]
    assert rows[0][0] == "a small net from scratch"
    assert rows[2][0] == "M: fine-tuned by the default policy"


def test_a_row_holds_means_over_the_seeds_and_paired_gains():
    few = module("few_pictures")
    found = {
        "scratch": [{"accuracy": 0.5, "seconds": 2.0}, {"accuracy": 0.6, "seconds": 4.0}],
        "finetuned": [{"accuracy": 0.7, "seconds": 1.0}, {"accuracy": 0.8, "seconds": 1.0}],
    }
    row = few.row(50, list(found), found)
    assert row["ways"]["scratch"]["accuracy"] == pytest.approx(0.55)
    assert row["ways"]["scratch"]["seconds"] == 3.0
    assert row["ways"]["finetuned"]["gain_interval"] == pytest.approx((0.2, 0.2)), "as much with either seed"
    picture, table = module("figures").few_pictures({"rows": [row]}).split("\n\n")
    assert picture == "![Accuracy with 50 pictures of each class](docs/few_pictures.svg)"
    (cell,) = cells(table)
    assert (cell[0], cell[3]) == ("50", "+20.0 (+20.0 to +20.0)")
    assert cell[2].startswith("75.0 (")


def test_decoding_at_half_size_is_measured_against_the_whole(tmp_path):
    decoding = module("decoding")
    pixels = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    file = decoding.io.BytesIO()
    decoding.Image.fromarray(pixels).save(file, "JPEG")
    assert decoding.opened(file.getvalue(), decoding.WHOLE).size == (256, 256)
    assert decoding.opened(file.getvalue(), 128).size == (128, 128)
    ways = {"whole": {"decode": 0.001, "resize": 0.002}, "half": {"decode": 0.0005, "resize": 0.001}}
    changes = {"half": 0.066, "quality 75": 0.06}
    result = {"longer_side": 640, "size": 224, "ways": ways, "changes": changes}
    rows = [row[1:] for row in cells(module("figures").decoding(result))]
    assert rows[0] == ["1.0 ms", "2.0 ms", "3.0 ms", ""]
    assert rows[1] == ["0.50 ms", "1.0 ms", "1.5 ms", "6.6 %"]
    assert rows[2] == ["", "", "", "6.0 %"]


def test_a_whole_command_has_its_first_run_and_a_later_one():
    rows = [{"way": "head", "first_seconds": 6.25, "seconds": 3.5, "accuracy": 0.9}]
    table = cells(module("figures").two_classes({"images": 200, "rows": rows}))
    assert table == [["`minicnn finetune`", "6.2 s", "3.5 s"]]


def test_the_curve_of_a_better_way_lies_higher():
    def way(accuracy: float) -> dict[str, Any]:
        return {"accuracy": accuracy, "accuracy_interval": [accuracy - 0.02, accuracy + 0.02]}

    rows = [
        {"pictures_a_class": count, "ways": {"scratch": way(0.4 + number / 10), "finetuned": way(0.8)}}
        for number, count in enumerate((50, 100, 500))
    ]
    picture = module("curves").render({"rows": rows})
    scratch, finetuned = (
        [tuple(map(float, point.split(","))) for point in line.split()]
        for line in re.findall(r'polyline points="([^"]*)"', picture)
    )
    assert [y for _, y in scratch] == sorted((y for _, y in scratch), reverse=True), "y goes down in a picture"
    assert max(y for _, y in finetuned) < min(y for _, y in scratch)
    assert [x for x, _ in scratch] == sorted(x for x, _ in scratch)


def test_pieces_are_measured_once_and_those_of_another_command_are_not_used(tmp_path, monkeypatch):
    measuring = module("measuring")
    monkeypatch.setattr(measuring.sys, "argv", ["x", "photos"])
    assert measuring.Pieces("a", tmp_path).get("one", lambda: {"accuracy": 0.5}) == {"accuracy": 0.5}
    assert measuring.Pieces("a", tmp_path).get("one", lambda: pytest.fail("was there")) == {"accuracy": 0.5}
    monkeypatch.setattr(measuring.sys, "argv", ["x", "other"])
    again = measuring.Pieces("a", tmp_path)
    assert again.get("one", lambda: 2) == 2
    assert json.loads((tmp_path / "a.pieces.json").read_text())["pieces"] == {"one": 2}
    assert again.conclude({"mean": 2}) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert json.loads((tmp_path / "a.json").read_text())["mean"] == 2


def test_source_and_target_share_no_class():
    few = module("few_pictures")
    labels = np.arange(20) % 10
    data = {"x_train": np.arange(20).reshape(20, 1, 1, 1), "y_train": labels}
    (x, y), (others, z) = (few.of_classes(data, "train", source) for source in (True, False))
    assert not set(x.ravel()) & set(others.ravel())
    assert sorted(set(y)) == sorted(set(z)) == list(range(5))
    assert (labels[others.ravel()] == z + 5).all()


def test_the_same_recipe_begins_with_the_weights_of_the_base(monkeypatch):
    few = module("few_pictures")
    net, base = few.example(), few.load_base("bundled")
    monkeypatch.setattr(few, "RATE", 0.0)  # only the running statistics move
    monkeypatch.setattr(few, "EPOCHS", {8: 1})
    made = []
    monkeypatch.setattr(net, "backbone", lambda classes, build=net.backbone: made.append(build(classes)) or made[-1])
    pictures = labelled((np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8), np.arange(40) % 5))
    split = few.Split(np.arange(40), np.arange(4))
    for start in (None, base):
        few.by_recipe(few.Task(pictures, few.Policy(), few.small_net), start)(split)
    same = [np.array_equal(model.weights[0].numpy(), base.model.weights[0].numpy()) for model in made]
    assert same == [False, True]


def test_the_machine_is_fitted_to_the_training_part_alone(monkeypatch):
    pytest.importorskip("sklearn")
    flowers = module("flowers")
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 3
    pictures = labelled((generator.integers(0, 256, (60, 8, 8, 3), np.uint8), labels))
    features = generator.standard_normal((60, 4)).astype(np.float32) + 4 * np.eye(4, dtype=np.float32)[labels]
    monkeypatch.setattr(type(pictures), "features", lambda self, model, base, cache: features)
    base = type("Base", (), {"model": None})
    learn = flowers.support_vectors(flowers.Task(pictures, flowers.Policy(), flowers.small_net), base)
    split = flowers.stratified_folds(labels, 5)[0]
    found = learn(split)
    assert (found.argmax(axis=1) == labels[split.validation]).mean() > 0.9
    features[split.validation] = features[split.validation][::-1]
    assert (learn(split) == found[::-1]).all()
