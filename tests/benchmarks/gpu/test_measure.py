"""benchmarks.gpu runs in the emulator on tiny shapes: what it measures, what it keeps, and how it ends."""

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from benchmark_cases import module
from emulator.device import install

from minicnn import kernels
from minicnn.bench.compare import timings

pytestmark = pytest.mark.cuda_emulated
FOREIGN = {"device": {}, "done": [], "failed": {}, "lost": {}, "rows": [1]}
NO_RESULTS = [b"", b'{"device": {}, "do', b"\xff\xfe", b"[]", b'{"device": {}}', json.dumps(FOREIGN).encode()]


def measure(folder: Path, *options: str) -> int:
    """The exit code of the command."""
    return module("gpu.measure").main(["--device", "cuda-emulated", "--tiny", "--out", str(folder), *options])


def kept(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("gpu-cuda-emulated-*.json")
    return json.loads(path.read_text("utf-8"))


def titles(text: str = "") -> list[str]:
    return [job.title for job in module("gpu.cases").tiny_jobs() if text in job.title]


def test_every_rung_is_compared_and_timed(tmp_path, capsys):
    assert measure(tmp_path) == 0
    result = kept(tmp_path)
    assert result["emulated"]
    assert not result["failed"]
    assert result["done"] == titles()
    assert not result["left_out"]
    rows = [row for row in result["rows"] if "op" in row]
    seen = {(row["op"], row["direction"], rung) for row in rows for rung in (*row["seconds"], *row["left_out"])}
    assert {(s.op, s.direction, s.rung) for s in kernels.specs("cuda")} <= seen
    timed = [(row, rung) for row in rows for rung in row["seconds"] if not rung.startswith("torch")]
    assert all(row["seconds"][rung] > 0 and rung in row["errors"] for row, rung in timed)
    tasks = {(row["task"], row["precision"]) for row in result["rows"] if "model" in row}
    assert tasks == {
        (task, name) for task in ("predict", "stream", "train") for name in ("float32", "tf32", "bfloat16")
    }
    assert len(timings({**result, "path": ""})) == sum(len(row["seconds"]) for row in result["rows"])
    assert all(row["default"]["call"] in row["seconds"] for row in rows)
    assert all(row["runs"] == dict.fromkeys(row["seconds"], 1) for row in result["rows"])
    assert [row["default"] for row in rows if (row["op"], row["direction"]) == ("conv2d", "backward_weights")] == [
        {"call": "v4_blocked", "prediction": "v4_blocked", "tf32": "v7_tensor_tf32", "bfloat16": "v8_tensor_bf16"}
    ]
    assert "EMULATED" in capsys.readouterr().out


def test_why_pytorch_has_no_time_is_kept(tmp_path, monkeypatch):
    """On a PyTorch that can do nothing: it is not asked for what it has no counterpart of."""
    torch = SimpleNamespace(where="cpu", precision=lambda name: nullcontext())
    monkeypatch.setattr(module("gpu.measure"), "available", lambda device: torch)
    measure(tmp_path, "--only", "softmax_crossentropy")
    forward, backward = kept(tmp_path)["rows"]
    assert forward["left_out"]["torch"].startswith("AttributeError: ")
    assert backward["left_out"]["torch"] == module("gpu.layers").NO_COUNTERPART


def test_layers_are_timed_as_graphs(tmp_path):
    measure(tmp_path, "--only", "maxpool2d")
    assert not any(row["not_captured"] for row in kept(tmp_path)["rows"])


def test_what_is_emulated_is_no_result(tmp_path, capsys):
    gpu = module("gpu.measure")
    assert gpu.main(["--device", "cuda-emulated", "--tiny"]) == gpu.REFUSED
    assert gpu.main(["--device", "cuda-emulated", "--out", str(tmp_path)]) == gpu.REFUSED
    assert "is no result" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_would_measure_nothing_is_refused(tmp_path, capsys):
    assert measure(tmp_path, "--only", "nonsense") == module("gpu.measure").REFUSED
    said = capsys.readouterr().err
    assert "no job has 'nonsense' in its title, which looks like " in said
    assert all(title in said for title in ("'tiny, prediction, 2 images, float32'", "'conv2d tiny'"))
    assert "; others begin with tiny, conv2d, " in said
    assert ", softmax_crossentropy, " in said
    for minutes in ("-3", "nan"):
        assert measure(tmp_path, "--minutes", minutes) == module("gpu.measure").REFUSED
        assert "--minutes is a number from 0 on" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text", ["SOFTMAX Tiny", "softmax forward", "softmax backward, tiny: 2x10", "Softmax forward,"]
)
def test_what_the_table_prints_chooses_a_job_without_regard_of_case(text, tmp_path, capsys):
    assert measure(tmp_path, "--only", text) == 0
    assert kept(tmp_path)["done"] == ["softmax tiny"]
    shown = [row.partition("  ")[0] for row in capsys.readouterr().out.splitlines() if row.startswith("softmax ")]
    assert len(shown) == 2
    cases = module("gpu.cases")
    assert all([job.title for job in cases.tiny_jobs() if cases.fits(job, row)] == ["softmax tiny"] for row in shown)


def test_convolutions_are_chosen_by_their_direction_and_networks_by_their_row():
    cases = module("gpu.cases")
    chosen = [job for job in cases.jobs() if cases.fits(job, "Conv2D backward_input, VGG16 block1_conv")]
    assert {job.directions for job in chosen} == {cases.GRADIENTS}
    assert all(job.title.startswith("conv2d backward_input backward_weights VGG16 block1_conv") for job in chosen)
    (train,) = {job.model for job in cases.jobs() if cases.fits(job, "vgg16, a step of training")}
    assert train == "VGG16"


def test_a_kill_loses_nothing_that_was_finished(tmp_path, monkeypatch):
    layers = module("gpu.layers").Layers
    measured, right = [], layers.rows

    def rows(self: Any, job: Any) -> Any:
        if len(measured) == 1:
            measured.append("the kill")
            raise KeyboardInterrupt
        measured.append(job.title)
        yield from right(self, job)

    monkeypatch.setattr(layers, "rows", rows)
    with pytest.raises(KeyboardInterrupt):
        measure(tmp_path, "--only", "global")
    assert kept(tmp_path)["done"] == titles("global")[:1]
    assert [row["direction"] for row in kept(tmp_path)["rows"]] == ["forward", "backward"]
    assert measure(tmp_path, "--only", "global") == 0
    assert measured == [titles("global")[0], "the kill", *titles("global")[1:]]
    assert kept(tmp_path)["done"] == titles("global")
    assert len(kept(tmp_path)["rows"]) == 4


def test_results_of_other_versions_are_not_mixed(tmp_path, capsys):
    measure(tmp_path, "--only", "pad2d")
    (path,) = tmp_path.iterdir()
    result = kept(tmp_path)
    result["device"]["versions"]["torch"] = "0.1"
    path.write_text(json.dumps(result), "utf-8")
    assert measure(tmp_path, "--only", "pad2d") == 2
    assert "other versions" in capsys.readouterr().err
    assert kept(tmp_path) == result


@pytest.mark.parametrize("place", ["a file", "a file/below", "/proc/nope"])
def test_a_folder_that_is_none_is_refused(place, tmp_path, capsys):
    (tmp_path / "a file").write_text("mine")
    assert measure(tmp_path / place, "--only", "pad2d") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"benchmarks.gpu: {tmp_path / place} is no folder that can be written to (")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("broken", NO_RESULTS)
def test_a_file_that_is_no_result_is_named_and_kept(broken, tmp_path, capsys):
    measure(tmp_path, "--only", "pad2d", "--minutes", "0")
    (path,) = tmp_path.iterdir()
    path.write_bytes(broken)
    capsys.readouterr()
    assert measure(tmp_path, "--only", "pad2d") == 2
    said = f"{path} is broken, or no result of benchmarks.gpu: remove it, or choose another --out"
    assert capsys.readouterr() == ("", f"benchmarks.gpu: {said}\n")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [broken]


def test_no_job_begins_that_may_end_too_late(tmp_path):
    assert measure(tmp_path, "--minutes", "0") == 0
    assert kept(tmp_path)["left_out"] == dict.fromkeys(titles(), "no time was left")
    assert not kept(tmp_path)["rows"]


def test_a_rung_that_is_wrong_is_named_and_not_timed(tmp_path, monkeypatch, capsys):
    layers = module("gpu.layers")
    right = layers.outputs
    monkeypatch.setattr(layers, "outputs", lambda case, rung: [a + (rung == "v3_vector") for a in right(case, rung)])
    assert measure(tmp_path, "--only", "maxpool2d tiny") == 1
    row = kept(tmp_path)["rows"][0]
    assert list(row["wrong"]) == ["v3_vector"]
    assert "v1_direct" in row["seconds"]
    assert "v3_vector" not in row["seconds"]
    assert "WRONG" in capsys.readouterr().out


def test_what_fails_is_named_and_the_rest_is_measured(tmp_path, monkeypatch):
    layers = module("gpu.layers").Layers
    right = layers.rows

    def rows(self: Any, job: Any) -> Any:
        if job.op == "global_maxpool2d":
            raise ZeroDivisionError("by nothing")
        yield from right(self, job)

    monkeypatch.setattr(layers, "rows", rows)
    assert measure(tmp_path, "--only", "global") == 1
    assert kept(tmp_path)["failed"] == {"global_maxpool2d tiny": "ZeroDivisionError: by nothing"}
    assert kept(tmp_path)["done"] == ["global_avgpool2d tiny"]


def test_the_help_tells_the_defaults():
    said = " ".join(module("gpu.measure").parser().format_help().split())
    options = module("gpu.measure").parser().parse_args([])
    assert "gpu-DEVICE-DATE.json goes (default: benchmarks/results in the checkout)" in said
    assert options.out.parts[-2:] == ("benchmarks", "results")
    assert f"may end later (default: {options.minutes:g})" in said


def test_random_numbers_repeat_beyond_a_pool(monkeypatch):
    devices = module("gpu.device")
    monkeypatch.setattr(devices, "POOL", 8)
    device = install()
    found = device.to_host(devices.drawn_on(device)(5, 4))
    assert found.shape == (5, 4)
    assert found.ravel()[:8].tolist() == found.ravel()[8:16].tolist()
    assert len(set(found.ravel().tolist())) == 8


def test_the_facts_of_a_gpu(monkeypatch, tmp_path):
    devices = module("gpu.device")
    properties = {"name": b"NVIDIA H200", "totalGlobalMem": 150, "multiProcessorCount": 132}
    runtime = SimpleNamespace(
        getDevice=lambda: 0, getDeviceProperties=lambda number: properties, runtimeGetVersion=lambda: 13020
    )
    cuda = SimpleNamespace(runtime=runtime, Device=lambda: SimpleNamespace(pci_bus_id="0000:01:00.0"))
    device: Any = SimpleNamespace(name="cuda", capability=(9, 0), xp=SimpleNamespace(cuda=cuda))
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '580.1, 1980, [N/A], 700.00'\necho $* > $0.asked\n")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    tool.chmod(0o755)
    found = devices.facts(device)
    assert (found["name"], found["capability"], found["memory"]) == ("NVIDIA H200", "sm_90", 150)
    assert (found["driver"], found["sm_mhz_at_most"], found["watts_at_most"]) == ("580.1", "1980", "700.00")
    assert "memory_mhz_at_most" not in found
    assert "--id=0000:01:00.0" in (tmp_path / "nvidia-smi.asked").read_text()
    tool.unlink()
    assert "driver" not in devices.facts(device)
