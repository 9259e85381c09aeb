"""runs: what finetune wrote is listed, and two results are compared."""

import json
import re
import shutil

import pytest
from cli_cases import FAST, refused
from transfer_cases import stopped_after

from minicnn.cli import main

pytestmark = pytest.mark.numpy_only


@pytest.fixture
def two_runs(photos, net_file, in_an_empty_folder, tmp_path, capsys):
    for name, seed in (("first", 0), ("second", 1)):
        command = ["finetune", str(photos), "--base", net_file, "--out", f"runs/{name}", "--seed", str(seed), *FAST]
        assert main(command) == 0
    capsys.readouterr()
    return tmp_path / "runs"


def test_runs_are_listed_with_what_varies(two_runs, photos, capsys):
    assert main(["runs"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()[:3]
    assert header.split()[-2:] == ["made", "seed"]
    assert {(row.split()[0], row.split()[-1]) for row in rows} == {("runs/first", "0"), ("runs/second", "1")}
    assert all(f"  {photos.name}  " in row and "  small.keras" in row for row in rows)


def test_two_runs_are_compared(two_runs, capsys):
    assert main(["runs", "runs/first", "runs/second"]) == 0
    said = capsys.readouterr().out
    rows = [line.split() for line in said.splitlines()]
    assert ["config.seed", "0", "1"] in rows
    assert "they have judged" in said or "pictures that both judged" in said


def test_what_follows_from_fine_tuning_or_not_is_no_difference(photos, net_file, in_an_empty_folder, capsys):
    command = ["finetune", str(photos), "--base", net_file, "--epochs", "3"]
    assert main([*command, "--out", "runs/head"]) == 0
    assert main([*command, "--out", "runs/tuned", "--policy", "default,unfreeze=1,rank=2,learning_rate=0.001"]) == 0
    capsys.readouterr()
    assert main(["runs", "runs/head", "runs/tuned"]) == 0
    table, told, _ = capsys.readouterr().out.split("\n\n")
    assert table.splitlines()[0].split()[-3:] == ["unfreeze", "learning_rate", "rank"]
    rows = {name: values for name, *values in map(str.split, told.splitlines()[1:])}
    assert rows["config.unfreeze"] == ["–", "1"]
    assert rows["config.learning_rate"] == ["–", "0.001"]
    assert rows["config.rank"] == ["–", "2"]
    assert [name for name in rows if name.startswith("config.")] == [
        "config.unfreeze", "config.learning_rate", "config.rank",
    ]  # fmt: skip
    assert main(["runs", "runs/head", "runs/tuned", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differences"]["config.schedule"] == [None, "cosine"]


def test_all_of_it_as_json(two_runs, capsys):
    assert main(["runs", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {run["run"] for run in found["runs"]} == {"runs/first", "runs/second"}
    run = found["runs"][0]
    assert run["environment"]["minicnn"]
    assert run["config"]["head_epochs"] == 12
    assert run["metrics"]["log_loss"] > 0
    assert run["metrics"]["classes"]["red"]["roc_auc"] == 1
    assert {tuple(value) for name, value in found["differences"].items() if name == "config.seed"} <= {(0, 1), (1, 0)}


def test_what_is_damaged_is_named_beside_the_rest(two_runs, capsys):
    (two_runs / "second" / "metrics.json").write_text("{")
    assert main(["runs"]) == 2
    out, err = capsys.readouterr()
    assert "runs/first" in out
    assert "left out: runs/second/metrics.json is damaged" in err


def test_what_did_not_come_to_its_end_is_listed_below(photos, net_file, in_an_empty_folder, capsys):
    command = ["finetune", str(photos), "--base", net_file, "--out", "runs/a", *FAST, "--checkpoint-every", "1"]
    with stopped_after(4):
        assert main(command) == 130
    capsys.readouterr()
    assert main(["runs"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["run", "status", "reached", "last", "checkpoint", "base"]
    assert re.fullmatch(
        r"runs/a  unfinished, can be resumed  head, epoch 2, step 1  \d{4}-\d\d-\d\d \d\d:\d\d  small.keras .*", row
    )
    shutil.copytree("runs/a", "runs/b")
    assert main([*command, "--resume"]) == 0
    capsys.readouterr()
    assert main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line] == ["run", "runs/a", "run", "runs/b"]
    assert main(["runs", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["unfinished"]
    assert (told["run"], told["status"], told["config"]["head_epochs"]) == ("runs/b", "unfinished, can be resumed", 12)


def test_a_folder_without_runs_is_one_line(in_an_empty_folder, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    line = refused(capsys, tmp_path, "runs", "empty")
    assert line == "minicnn: error: empty holds no runs: minicnn finetune PHOTOS --out empty/NAME writes one"
    assert "no folder" in refused(capsys, tmp_path, "runs", "missing")
