"""benchmarks.kernels: one file for each operation that was timed."""

import json

import pytest
from benchmark_cases import module


def test_an_operation_is_written_with_the_peaks_of_its_run_and_no_other(tmp_path, monkeypatch):
    timed = module("kernels")
    monkeypatch.setattr(timed.peaks, "measure", lambda: timed.peaks.Peaks(200e9, 40e9, "a guess"))
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "dense.json").write_text("of before")
    options = ["--op", "channel_sum", "--case", "tiny", "--rounds", "1", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["kernels.py", *options])
    assert timed.main(options) == 0
    assert {path.name for path in (tmp_path / "kernels").iterdir()} == {"channel_sum.json", "dense.json"}
    assert (tmp_path / "kernels" / "dense.json").read_text() == "of before"
    found = json.loads((tmp_path / "kernels" / "channel_sum.json").read_text())
    assert found["command"].startswith("python -m benchmarks.kernels --op channel_sum --case tiny --rounds 1 --out ")
    assert found["peaks"]["gflops"] == 200.0
    assert {(row["op"], row["case"]) for row in found["rows"]} == {("channel_sum", "tiny")}
    assert {"reference", "v1_direct"} <= {row["rung"] for row in found["rows"]}


def test_some_cases_of_an_operation_are_no_result_of_it(capsys):
    with pytest.raises(SystemExit):
        module("kernels").main(["--op", "dense", "--case", "tiny"])
    assert "choose a folder for --case with --out" in capsys.readouterr().err
