"""The demo: the bundled network, pictures drawn on the spot, a report; and again over its own results."""

from pathlib import Path

import pytest

from minicnn.cli import main
from minicnn.datasets import shapes


@pytest.fixture
def few_pictures(monkeypatch):
    """Ten pictures a class instead of sixty."""
    write = shapes.write
    monkeypatch.setattr(shapes, "write", lambda folder: write(folder, 10, size=24))


def test_the_demo_draws_trains_and_reports_twice(tmp_path, net_file, few_pictures, feature_folder, monkeypatch, capsys):
    monkeypatch.setattr("minicnn.transfer.base.bundled_path", lambda: Path(net_file))
    out = tmp_path / "demo"
    for _ in range(2):
        assert main(["demo", "--out", str(out)]) == 0
        said = capsys.readouterr().out
        assert f"report  {out}/report.html" in said
        assert "5 folds, head" in said
    assert sorted(path.name for path in (out / "pictures").iterdir()) == sorted(shapes.CLASS_NAMES)
    page = (out / "report.html").read_text()
    assert f"minicnn finetune {out}/pictures --base bundled --folds 5 --out {out}" in page


def test_the_demo_does_not_write_into_a_file(tmp_path, capsys):
    (tmp_path / "demo").write_text("mine")
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 2
    assert (tmp_path / "demo").read_text() == "mine"
    assert capsys.readouterr().err.endswith("is a file: name a folder for the results\n")
