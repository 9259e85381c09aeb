"""The demo: the bundled network, pictures drawn on the spot, a report; and again over its own results."""

import json
from pathlib import Path

import pytest

from minicnn.cli import main
from minicnn.datasets import shapes

pytestmark = pytest.mark.numpy_only


@pytest.fixture
def few_pictures(monkeypatch):
    """Ten pictures a class instead of sixty."""
    write = shapes.write
    monkeypatch.setattr(shapes, "write", lambda folder, _: write(folder, 10, size=24))


def test_the_demo_draws_trains_and_reports_twice(tmp_path, net_file, few_pictures, feature_folder, monkeypatch, capsys):
    monkeypatch.setattr("minicnn.transfer.base.bundled_path", lambda: Path(net_file))
    monkeypatch.setattr("minicnn.cli.demo.LAYER", "conv2")
    monkeypatch.setattr("minicnn.cli.demo.EPOCHS", 2)
    out = tmp_path / "demo"
    for again in (False, True):
        assert main(["demo", "--out", str(out)]) == 0
        said, err = capsys.readouterr()
        assert (f"earlier results in {out} were replaced" in err) == again
        assert f"report  {out}/report.html" in said
        assert "head" in said
        assert "fine-tuning" in said
    assert sorted(path.name for path in (out / "pictures").iterdir()) == sorted(shapes.CLASS_NAMES)
    page = (out / "report.html").read_text()
    choices = "--base bundled --unfreeze conv2 --learning-rate 0.001 --fine-epochs 2"
    command = f"minicnn finetune {out}/pictures {choices} --out {out}"
    assert command in page


def test_the_demo_does_not_write_into_a_file(tmp_path, capsys):
    (tmp_path / "demo").write_text("mine")
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 2
    assert (tmp_path / "demo").read_text() == "mine"
    assert capsys.readouterr().err.endswith("is a file: name a folder for the results\n")


def test_the_demo_does_not_learn_from_pictures_of_others(tmp_path, capsys):
    (tmp_path / "demo" / "pictures" / "family").mkdir(parents=True)
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 2
    assert capsys.readouterr().err.endswith(
        "pictures is there and does not hold the demo's pictures: name another folder with --out\n"
    )


def test_the_bundled_network_learns_the_shapes(tmp_path, feature_folder, monkeypatch, capsys):
    """Half the pictures and half the epochs of the real demo, which reaches nine in ten; chance is one in six."""
    monkeypatch.setattr("minicnn.cli.demo.PER_CLASS", 60)
    monkeypatch.setattr("minicnn.cli.demo.EPOCHS", 10)
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 0
    metrics = json.loads((tmp_path / "demo" / "metrics.json").read_text())
    head, fine_tuned = (phase["val_accuracy"] for phase in metrics["phases"])
    assert head > 0.4
    assert fine_tuned > 0.55
