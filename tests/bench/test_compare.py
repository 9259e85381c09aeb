"""Two results: what is in both, how many times as fast, and whether that is more than the noise."""

import json

import pytest

from minicnn.bench.compare import compare, read, timings
from minicnn.errors import ArgumentError, FileAccessError, FileFormatError

pytestmark = pytest.mark.numpy_only


def result(*rows: dict, **more) -> dict:
    return {"rows": list(rows), "path": "r.json", **more}


def row(rung: str, seconds: float, spread: float | None = 0.1) -> dict:
    found = {"op": "conv2d", "direction": "forward", "case": "a", "rung": rung, "batch": 2, "seconds": seconds}
    around = {} if spread is None else {"quartiles": [seconds * (1 - spread), seconds * (1 + spread)]}
    return {**found, **around}


def test_what_both_have_timed_is_compared():
    old = result(row("v1", 1.0), row("v2", 1.0), row("v3", 1.0, None), row("gone", 1.0))
    new = result(row("v1", 0.5), row("v2", 1.1), row("v3", 2.0, None), row("fresh", 1.0))
    found = compare(old, new)
    assert [(d.what.split(", ")[3], d.ratio, d.real) for d in found] == [
        ("v1", 2.0, True),
        ("v2", pytest.approx(1 / 1.1), False),
        ("v3", 0.5, None),
    ]
    assert found[0].what == "conv2d, forward, a, v1, batch 2"


@pytest.mark.parametrize(
    ("counted", "known"),
    [({"runs": 1}, False), ({"rounds": 1}, False), ({"runs": 7}, True), ({"rounds": 7}, True), ({}, False)],
)
def test_of_one_sample_the_noise_is_not_known(counted, known):
    """Its quartiles are the sample itself; several samples may be as near to each other."""
    before, after = ({**row("v1", seconds, spread=0.0), **counted} for seconds in (1.0, 2.0))
    assert [d.real for d in compare(result(before), result(after))] == [True if known else None]
    assert [d.real for d in compare(result(row("v1", 1.0)), result(after))] == [True if known else None]


def test_samples_are_counted_for_each_engine():
    timed = {"model": "vgg16", "seconds": {"a": 1.0, "b": 1.0}, "quartiles": {"a": [0.9, 1.1], "b": [1.0, 1.0]}}
    found = timings(result({**timed, "runs": {"a": 7, "b": 1}}))
    assert [timing.quartiles for timing in found.values()] == [(0.9, 1.1), None]


@pytest.mark.parametrize("which", [0, 1])
def test_times_of_the_emulator_are_refused(which):
    both = [result(row("v1", 1.0)), result(row("v1", 1.0))]
    both[which] |= {"emulated": True, "path": "gpu-cuda-emulated.json"}
    with pytest.raises(
        ArgumentError, match=r"^gpu-cuda-emulated\.json was measured in the emulator of a GPU: its times"
    ):
        compare(*both)


def test_engines_are_told_apart_and_threads_may_stand_at_the_top():
    old = {"model": "vgg16", "batch": 1, "seconds": {"minicnn": 2.0, "torch": 4.0}}
    new = {**old, "threads": 2, "quartiles": {"minicnn": [0.9, 1.1], "torch": [1.0, 2.0]}}
    found = timings(result(new))
    assert found["vgg16, batch 1, 2 threads, minicnn"].quartiles == (0.9, 1.1)
    assert [d.what for d in compare(result(old, threads=2), result(new))] == list(found)
    assert next(iter(timings(result({**new, "threads": 1})))) == "vgg16, batch 1, 1 thread, minicnn"


def test_what_a_gpu_did_is_told_apart_by_task_and_precision():
    rows = [
        {"model": "vgg16", "task": task, "batch": 1, "precision": precision, "seconds": {"minicnn": 1.0}}
        for task in ("predict", "train")
        for precision in ("float32", "tf32")
    ]
    assert list(timings(result(*rows)))[1:3] == [
        "vgg16, predict, batch 1, tf32, minicnn",
        "vgg16, train, batch 1, float32, minicnn",
    ]


def test_results_with_nothing_in_common_are_refused():
    with pytest.raises(ArgumentError, match="have timed nothing in common"):
        compare(result(row("v1", 1.0)), result(row("v2", 1.0)))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", "{}", '{"rows": 3}', '{"rows": [1]}', '{"rows": [{"op": "conv2d"}]}'],
)
def test_what_is_no_result_is_refused(text, tmp_path):
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(FileFormatError, match="is no result of minicnn bench"):
        read(str(path))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "r.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFormatError):
        read(str(path))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileAccessError, match="cannot be read"):
        read(str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("seconds", "quartiles"),
    [
        (0, None),
        (-1, None),
        ("1", None),
        (None, None),
        (True, [1]),
        (1.0, [1.0]),
        (1.0, ["a", "b"]),
        (1.0, 3),
        ([], {}),
        (1e999, None),
    ],
)
def test_times_that_are_no_positive_numbers_are_refused(seconds, quartiles, tmp_path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"rows": [{"op": "conv2d", "seconds": seconds, "quartiles": quartiles}]}))
    with pytest.raises(FileFormatError, match="times that are no positive numbers"):
        timings(read(str(path)))
