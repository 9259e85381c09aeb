"""A table of files and labels on the command line, in place of a folder."""

import csv
import json
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


def test_a_model_is_judged_by_a_table_as_by_its_folder(table, trained, capsys):
    found = {}
    for photos in (table, table.parent):
        capsys.readouterr()
        assert main(["evaluate", str(trained / "model.keras"), str(photos), "--json"]) == 0
        found[photos] = json.loads(capsys.readouterr().out)
    assert found[table] == found[table.parent]
    assert found[table]["pictures"] == 24
    table.write_text("file,label\nred/0.png,red\nred/1.png,red\n")
    assert main(["evaluate", str(trained / "model.keras"), str(table), "--json"]) == 0
    classes = json.loads(capsys.readouterr().out)["classes"]
    assert [(row["name"], row["support"]) for row in classes] == [("blue", 0), ("green", 0), ("red", 2)]


def test_a_table_with_other_classes_than_the_models_is_refused(table, trained, net_file, tmp_path, capsys):
    table.write_text("file,label\nred/0.png,red\nred/1.png,Red\nblue/1.png,pink\n")
    line = refused(capsys, tmp_path, "evaluate", trained / "model.keras", table)
    assert "labels.csv has class 'Red', 'pink', first in line 3, which the model does not know: rename 'Red'" in line
    assert "add --classes NAMES" in refused(capsys, tmp_path, "evaluate", net_file, table)
    assert "cannot be read" in refused(capsys, tmp_path, "evaluate", net_file, "missing.csv")


def test_a_table_with_faults_is_refused_by_its_line(table, net_file, tmp_path, capsys):
    table.write_text("file,label\nred/0.png,red\nred/none.png,red\n")
    line = refused(capsys, tmp_path, "finetune", table, "--base", net_file)
    assert "labels.csv, line 3: there is no file red/none.png" in line
    assert "cannot be read" in refused(capsys, tmp_path, "finetune", "missing.csv", "--base", net_file)
    Path("photos.csv").mkdir()
    assert "photos.csv has no class folders" in refused(capsys, tmp_path, "finetune", "photos.csv", "--base", net_file)
