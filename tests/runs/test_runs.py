"""Runs are found, read and compared; what is damaged is named and the others are still told."""

import json
import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.errors import DataError, FileAccessError, FileFormatError
from minicnn.runs import compare_answers, differences, find_runs, find_unfinished, read_run, varying
from minicnn.runs.compare import sign_test
from minicnn.transfer import Checkpoints

pytestmark = pytest.mark.numpy_only


def write_run(folder, accuracy=0.5, title="pets", answers="aabb", **config):
    """A run that judged the pictures 0 to 3 of classes a, a, b, b."""
    folder.mkdir(parents=True)
    metrics = {"accuracy": accuracy, "accuracy_interval_95": [0.1, 0.9], "validation_pictures": 4}
    record = {"title": title, "created": "2026-11-24T09:30:00+00:00", "config": {"base": "net", **config}}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "run.json").write_text(json.dumps(record))
    rows = [f"{i}.jpg,{true},{said},0.9,0.1" for i, (true, said) in enumerate(zip("aabb", answers))]
    (folder / "predictions.csv").write_text("\n".join(["file,true,predicted,probability,probability_of_true", *rows]))
    return folder


def test_runs_are_found_two_levels_down_the_best_of_each_set_of_pictures_first(tmp_path):
    write_run(tmp_path / "pets-model", 0.6)
    write_run(tmp_path / "runs" / "a", 0.8)
    write_run(tmp_path / "runs" / "b", 0.9, title="cars")
    write_run(tmp_path / "runs" / "deep" / "c")
    (tmp_path / "runs" / "other").mkdir()
    runs, problems = find_runs(tmp_path)
    assert [(run.title, run.name) for run in runs] == [("cars", "runs/b"), ("pets", "runs/a"), ("pets", "pets-model")]
    assert problems == []
    assert [run.name for run in find_runs(tmp_path / "runs" / "a")[0]] == [str(tmp_path / "runs" / "a")]


def test_damaged_runs_are_named_and_left_out(tmp_path):
    write_run(tmp_path / "good")
    (write_run(tmp_path / "cut") / "metrics.json").write_text('{"accuracy": 0.')
    (write_run(tmp_path / "other") / "metrics.json").write_text('{"accuracy": 0.5}')
    (write_run(tmp_path / "list") / "run.json").write_text("[]")
    runs, problems = find_runs(tmp_path)
    assert [run.name for run in runs] == ["good"]
    assert [problem.split(": ")[0].rpartition("/")[2] for problem in problems] == [
        "metrics.json is damaged", "run.json is damaged", "metrics.json lacks figures",
    ]  # fmt: skip


def test_a_run_of_before_there_were_records_has_its_figures(tmp_path):
    folder = write_run(tmp_path / "old", 0.75)
    (folder / "run.json").unlink()
    (folder / "predictions.csv").unlink()
    run = read_run(folder)
    assert (run.metrics["accuracy"], run.title, run.config, run.facts(), run.answers()) == (0.75, "", {}, {}, {})


def test_what_differs_is_told_and_what_varies(tmp_path):
    a = read_run(write_run(tmp_path / "a", epochs=10, seed=0, size=[8, 8]))
    b = read_run(write_run(tmp_path / "b", epochs=20, seed=0, size=[8, 8], rank=2))
    assert differences(a, b) == {"config.epochs": (10, 20), "config.rank": (None, 2)}
    assert differences(a, a) == {}
    assert varying([a, b]) == ["epochs", "rank"]


def test_answers_to_the_same_pictures_are_compared(tmp_path):
    a = read_run(write_run(tmp_path / "a", answers="aaaa"))
    b = read_run(write_run(tmp_path / "b", answers="babb"))
    found = compare_answers(a, b)
    assert found is not None
    assert (found.pictures, found.both, found.first, found.second, found.p) == (4, 1, 1, 2, 1.0)


def test_runs_of_other_pictures_are_not_compared(tmp_path):
    a, b = (read_run(write_run(tmp_path / name)) for name in "ab")
    text = (b.folder / "predictions.csv").read_text().replace(".jpg", ".png")
    (b.folder / "predictions.csv").write_text(text)
    assert compare_answers(a, b) is None
    (b.folder / "predictions.csv").write_text("file,true\n1.jpg,a\n")
    with pytest.raises(FileFormatError, match=r"predictions.csv is damaged"):
        compare_answers(a, b)


def test_other_pictures_of_the_same_names_are_not_compared(tmp_path):
    a, b = (read_run(write_run(tmp_path / name)) for name in "ab")

    def say(run, hashes):
        head, *rows = (run.folder / "predictions.csv").read_text().splitlines()
        rows = [f"{row.removesuffix(',')},{sha256}" for row, sha256 in zip(rows, hashes)]
        (run.folder / "predictions.csv").write_text("\n".join([f"{head},sha256", *rows]))

    say(a, "wxyz")
    for pair in ((a, b), (b, a)):  # of which one does not say
        found = compare_answers(*pair)
        assert found is not None
        assert found.pictures == 4
    say(b, "wxyq")
    found = compare_answers(a, b)
    assert found is not None
    assert found.pictures == 3


@given(st.integers(0, 30), st.integers(0, 30))
def test_the_sign_test_is_the_share_of_outcomes_at_least_as_unequal(first, second):
    n, distance = first + second, abs(first - second)
    outcomes = [1]
    for _ in range(n):
        outcomes = [a + b for a, b in zip([0, *outcomes], [*outcomes, 0])]
    share = sum(ways for heads, ways in enumerate(outcomes) if abs(2 * heads - n) >= distance) / 2**n
    assert sign_test(first, second) == pytest.approx(share)


def test_what_became_of_a_run_that_has_no_results(tmp_path):
    kept = tmp_path / "a" / "checkpoints"
    with Checkpoints(kept) as held:
        (told,) = find_unfinished(tmp_path)
        assert (told.name, told.status, told.choices, told.reached, told.written) == ("a", "under way", {}, "", "")
        held.begin({"base": "net"})
        (kept / "fold-1-head").mkdir()
        (kept / "fold-1-head" / "epoch00003-step000000.safetensors").write_bytes(b"")
        os.utime(kept / "fold-1-head" / "epoch00003-step000000.safetensors", (0, 0))
        (kept / "fold-1-head" / "epoch00002-step000004.safetensors").write_bytes(b"")
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        assert [run.status for run in find_unfinished(tmp_path)] == ["under way", "unfinished, can be resumed"]
        (told,) = find_unfinished(tmp_path / "b")
    assert (told.name, told.reached, told.choices) == (
        str(tmp_path / "b"),
        "fold-1-head, epoch 3, step 4",
        {"base": "net"},
    )
    for damaged in ("{", "[" * 100_000):
        (tmp_path / "b" / "checkpoints" / "choices.json").write_text(damaged)
        (told,) = find_unfinished(tmp_path)  # the other has ended
        assert told.status == "unfinished, choices.json is missing or damaged"
    shutil.rmtree(tmp_path / "b" / "checkpoints" / "fold-1-head")
    (told,) = find_unfinished(tmp_path)
    assert told.status == "unfinished, has no checkpoint"
    assert find_runs(tmp_path) == ([], [])
    (tmp_path / "b" / "checkpoints" / "epoch00003-step000000.safetensors").write_bytes(
        b""
    )  # of another program's training
    assert find_unfinished(tmp_path) == []


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(FileAccessError, match="missing is no folder"):
        find_runs(tmp_path / "missing")
    with pytest.raises(DataError, match=r"holds no runs: minicnn finetune PHOTOS --out .*NAME writes one"):
        find_runs(tmp_path)
    with pytest.raises(DataError, match="holds no run: "):
        read_run(tmp_path)
