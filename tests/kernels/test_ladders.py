"""LADDER.md of every operation lists what is registered and what was measured, and nothing else."""

import importlib
import re
import subprocess
import sys

import pytest
from import_graph import ROOT

from minicnn import kernels

pytest.importorskip("numba")  # without it, compiled rungs are not listed


@pytest.fixture
def ladders(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.ladders")


def text(op: str) -> str:
    return (ROOT / "kernels" / op / "LADDER.md").read_text("utf-8")


def listed(page: str) -> dict[str, list[str]]:
    """{direction: rungs} of the tables on a page."""
    parts = re.split(r"^### ([\w ]+)$", page, flags=re.MULTILINE)[1:]
    return {name: re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) for name, part in zip(parts[::2], parts[1::2])}


@pytest.mark.parametrize("op", kernels.operations())
def test_the_tables_list_the_registered_rungs(op):
    expected: dict[str, list[str]] = {}
    for spec in (*kernels.specs("cpu"), *kernels.specs("cuda")):
        if spec.op == op:
            title = spec.direction if spec.device == "cpu" else f"{spec.direction} on a GPU"
            expected.setdefault(title, []).append(spec.rung)
    assert listed(text(op)) == expected


@pytest.mark.parametrize("op", kernels.operations())
def test_the_modules_named_in_the_tables_exist(op):
    modules = re.findall(r"\[(\w+\.py)\]\(\1\)", text(op))
    assert modules
    assert all((ROOT / "kernels" / op / module).is_file() for module in modules)


def test_the_tables_are_what_the_results_say():
    command = [sys.executable, "-m", "benchmarks.tables", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run python -m benchmarks.tables\n{done.stderr}"


def test_the_prose_of_conv2d_tells_of_every_rung():
    prose = text("conv2d").partition("<!-- table: rungs -->")[0]
    for rung in kernels.rungs("conv2d")[1:]:
        assert f"**{rung}: " in prose


@pytest.mark.parametrize("op", ["conv2d", "dense"])
def test_the_prose_tells_of_every_rung_on_a_gpu(op):
    prose = text(op).partition("## On a GPU: what each rung changes, and why")[2].partition("<!-- table: cuda -->")[0]
    titles = " ".join(re.findall(r"^\*\*(.*?)\*\*", prose, re.MULTILINE))
    assert set(re.findall(r"v\d_\w+", titles)) == set(kernels.rungs(op, "cuda"))
    assert re.search(r"\bnothing here was measured", prose, re.IGNORECASE)


def test_a_table_of_measured_rungs(ladders):
    row = {"op": "channel_sum", "direction": "forward", "case": "large", "unit": "GB/s"}
    rates = {"v1_direct": 2.0, "v2_reduce": 5.0, "v9_gone": 99.0}
    machine = {
        "cores": 2,
        "processor": "Z80",
        "vector instructions": "none",
        "numpy": "2",
        "numba": "1",
        "date": "today",
    }
    rows = [{**row, "rung": rung, "rate": rate} for rung, rate in rates.items()]
    page = ladders.render("channel_sum", {"rows": rows, "machine": machine, "command": "time it"})
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    assert [line.rsplit("|", 2)[1].strip() for line in lines] == ["", "2", "5 (2.5x)", ""]
    assert "v9_gone" not in page
    assert "`time it` on 2 cores of Z80" in page
    peaks = {"gflops": 100.0, "gb_per_s": 10.0}
    page = ladders.render("channel_sum", {"rows": rows, "machine": machine, "command": "time it", "peaks": peaks})
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    assert [line.rsplit("|", 2)[1].strip() for line in lines] == ["", "2 (20 %)", "5 (2.5x, 50 %)", ""]
    assert "10 GB/s from memory" in page


def test_an_operation_that_was_not_measured_has_a_plain_table(ladders):
    page = ladders.render("channel_sum", None)
    assert listed(page) == {"forward": kernels.rungs("channel_sum")}
    assert "Measured" not in page


def test_only_what_stands_between_markers_is_replaced(ladders):
    tables = importlib.import_module("benchmarks.tables")
    page = "before\n<!-- table: a -->\nold\n<!-- end -->\nbetween <!-- end -->\n<!-- table: b -->\n<!-- end -->\nafter"
    filled = tables.fill(page, str.upper)
    assert filled == (
        "before\n<!-- table: a -->\nA\n<!-- end -->\nbetween <!-- end -->\n<!-- table: b -->\nB\n<!-- end -->\nafter"
    )
    assert tables.fill(filled, str.upper) == filled


def test_every_operation_with_a_choice_of_rungs_is_timed(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    cases = importlib.import_module("benchmarks.kernel_cases")
    timed = set(cases.LAYERS)
    assert timed == {op for op in kernels.operations() if len(kernels.rungs(op)) > 1}
