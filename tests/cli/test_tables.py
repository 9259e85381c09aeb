"""A table of files and labels on the command line, in place of a folder."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from cli_cases import FAST, refused

from minicnn.cli import main

pytestmark = [pytest.mark.numpy_only, pytest.mark.usefixtures("in_an_empty_folder")]


@pytest.fixture
def table(photos, tmp_path) -> Path:
    """All photos, each with the one after it in a group."""
    album = shutil.copytree(photos, tmp_path / "album")
    files = sorted(album.rglob("*.png"))
    rows = [f"{file.relative_to(album)},{file.parent.name},{i // 2}" for i, file in enumerate(files)]
    path = album / "labels.csv"
    path.write_text("\n".join(["file,label,group", *rows]))
    return path


def test_a_table_is_learned_from_and_its_groups_stay_whole(table, net_file):
    assert main(["finetune", str(table), "--base", net_file, *FAST, "--folds", "2"]) == 0
    groups = {row["file"]: row["group"] for row in csv.DictReader(table.read_text().splitlines())}
    with Path("labels-model", "predictions.csv").open() as file:
        judged = {row["file"] for row in csv.DictReader(file)}
    assert judged < groups.keys()
    kept = {groups[file] for file in judged}
    assert judged == {file for file, group in groups.items() if group in kept}


def test_features_of_the_pictures_of_a_table(table, net_file):
    assert main(["extract", str(table), "--base", net_file, "--out", "features.npz"]) == 0
    found = np.load("features.npz")
    assert found["files"].tolist()[0] == "blue/0.png"
    assert found["class_names"].tolist() == ["blue", "green", "red"]


def test_a_table_with_faults_is_refused_by_its_line(table, net_file, tmp_path, capsys):
    table.write_text("file,label\nred/0.png,red\nred/none.png,red\n")
    line = refused(capsys, tmp_path, "finetune", table, "--base", net_file)
    assert "labels.csv, line 3: there is no file red/none.png" in line
    assert "cannot be read" in refused(capsys, tmp_path, "finetune", "missing.csv", "--base", net_file)
    Path("photos.csv").mkdir()
    assert "photos.csv has no class folders" in refused(capsys, tmp_path, "finetune", "photos.csv", "--base", net_file)
