"""The floors, the timing and the tables of benchmarks.gpu."""

import json
import re
from typing import Any

import pytest
from benchmark_cases import cells, module

from minicnn import kernels
from minicnn.bench.shapes import build
from minicnn.bench.steps import describe

MACHINE = {"date": "2026-12-01"}
DEVICE = {"name": "NVIDIA H200", "driver": "580.1", "versions": {"torch": "2.11"}}
LAYER = {
    "job": "conv2d forward a", "op": "conv2d", "direction": "forward", "case": "a", "shape": "1x8x8x4", "wrong": {},
    "unit": "GFLOP/s", "work": 10.0, "floors": {"float32": 1e-3, "tf32": 2e-4},
    "default": {"call": "v3_tiled", "prediction": "v4_blocked", "tf32": "v7_tensor_tf32"},
    "seconds": {"v1_direct": 2e-2, "v4_blocked": 4e-3, "v7_tensor_tf32": 5e-4, "torch": 8e-3, "torch-tf32": 1e-3},
}  # fmt: skip
NETWORK = {
    "job": "VGG16, prediction", "model": "VGG16", "task": "predict", "batch": 32, "precision": "float32",
    "seconds": {"minicnn": 2e-2, "torch": 4e-2, "torch-compile": 3e-2}, "floor": 1.5e-2,
}  # fmt: skip
RESULT = {
    "command": "measure it", "machine": MACHINE, "device": DEVICE, "emulated": False, "rows": [NETWORK, LAYER],
    "failed": {}, "lost": {}, "left_out": {},
}  # fmt: skip


@pytest.mark.parametrize(("precision", "milliseconds"), [("float32", 29.33), ("tf32", 4.13), ("bfloat16", 2.06)])
def test_the_floor_of_the_convolutions_of_vgg16(precision, milliseconds):
    """1964 GFLOP and 5.85 GB, or half of these, on an H200."""
    floors, model = module("gpu.floors"), build("VGG16", 224)
    convolutions = floors.works(model, [step for step in describe(model) if step["kind"] == "Conv2D"], 64)
    assert sum(work.flops for work in convolutions) == pytest.approx(1964.4e9, rel=1e-4)
    assert sum(work.moved for work in convolutions) == pytest.approx(5.852e9, rel=1e-4)
    found = floors.network_floor("NVIDIA H200", precision, convolutions, training=False)
    assert 1e3 * found == pytest.approx(milliseconds, abs=0.005)
    first = floors.floor("NVIDIA H200", precision, convolutions[0])
    step = floors.network_floor("NVIDIA H200", precision, convolutions, training=True)
    assert step == pytest.approx(3 * found - first)


def test_depthwise_and_dense_layers_have_floors_too():
    floors, model = module("gpu.floors"), build("MobileNetV2", 224)
    found = sum(work.flops for work in floors.works(model, describe(model), 1))
    assert found == pytest.approx(2 * 300e6, rel=0.01), "its paper says 300 million multiply-adds"


def test_a_device_that_is_not_known_has_no_floor():
    floors = module("gpu.floors")
    work = floors.Work(1e12, 1e9)
    assert floors.floors("NVIDIA GeForce RTX 4090 Laptop GPU", work) == {}
    assert list(floors.floors("Tesla T4", work)) == ["float32"], "it has no units for the others"
    assert list(floors.floors("NVIDIA H200", floors.Work(0.0, 1e9))) == ["float32"], "nothing is multiplied"
    assert floors.network_floor("a new one", "float32", [work], training=False) is None


class Queue:
    """A device whose calls return at once and take a time that is waited for, and its clock."""

    def __init__(self, costs: dict[str, float]):
        self.now, self.pending, self.costs = 0.0, 0.0, costs

    def calls(self) -> dict[str, Any]:
        return {
            name: lambda cost=cost: setattr(self, "pending", self.pending + cost) for name, cost in self.costs.items()
        }

    def wait(self) -> None:
        self.now, self.pending = self.now + self.pending, 0.0


def test_a_sample_is_long_enough_and_waits_for_the_device(monkeypatch):
    timing = module("gpu.timing")
    queue = Queue({"quick": 1e-5, "long": 0.5, "slow": 3.0})
    monkeypatch.setattr(timing.time, "perf_counter", lambda: queue.now)
    samples = []
    right = timing._sample

    def sample(call: Any, wait: Any, count: int) -> float:
        samples.append((count, right(call, wait, count)))
        return samples[-1][1]

    monkeypatch.setattr(timing, "_sample", sample)
    found = timing.in_turns(queue.calls(), queue.wait, timing.Pace(rounds=3, sample=0.02, slow=1.0))
    assert found == {"quick": pytest.approx([1e-5] * 3), "long": pytest.approx([0.5] * 3), "slow": [pytest.approx(3.0)]}
    assert all(seconds >= 0.02 for _, seconds in samples[-6:])
    assert sum(count == 1 for count, _ in samples[-6:]) == 3, "what is long is called once in a sample"


def test_networks_and_layers_stand_beside_the_faster_of_pytorchs_ways_and_the_floor():
    networks, layers, compared = module("gpu.table").text(RESULT).split("\n\n")[1:]
    row = networks.splitlines()[2]
    assert re.split("  +", row) == [
        "VGG16, prediction", "32", "float32", "20.0 ms", "40.0 ms", "30.0 ms", "1.50", "15.0 ms"
    ]  # fmt: skip
    blocked, tensor = layers.splitlines()[2:]
    what = "conv2d forward, a: 1x8x8x4"
    assert re.split("  +", blocked) == [what, "float32", "v4_blocked", "4.0 ms", "8.0 ms", "2.00", "1.0 ms"]
    assert re.split("  +", tensor) == [what, "tf32", "v7_tensor_tf32", "500 µs", "1.0 ms", "2.00", "200 µs"]
    assert "the rung that runs by default" in compared


def layer_cells(**changes: Any) -> list[list[str]]:
    text = module("gpu.table").text({**RESULT, "rows": [{**LAYER, **changes}]}).split("\n\n")[1]
    return [re.split("  +", line)[1:] for line in text.splitlines()[2:]]


def test_it_is_the_rung_by_default_that_is_compared_with_pytorch_in_every_precision():
    seconds = {**LAYER["seconds"], "v9_other_tensor_tf32": 2.5e-4}
    default = {"call": "v4_blocked", "prediction": "v1_direct", "tf32": "v7_tensor_tf32"}
    assert layer_cells(seconds=seconds, default=default) == [
        ["float32", "v1_direct", "20.0 ms", "8.0 ms", "0.40", "1.0 ms", "v4_blocked, 4.0 ms"],
        ["tf32", "v7_tensor_tf32", "500 µs", "1.0 ms", "2.00", "200 µs", "v9_other_tensor_tf32, 250 µs"],
    ]


def test_a_default_without_a_time_has_no_ratio():
    """It was wrong, or left out, or nobody knows it: the fastest must not take its place."""
    changes = {"default": {"call": "v3_tiled", "prediction": "v3_tiled"}}
    assert layer_cells(**changes)[0] == ["float32", "v3_tiled", "8.0 ms", "1.0 ms", "v4_blocked, 4.0 ms"]
    assert [cells[1] for cells in layer_cells(default={})] == ["not known", "not known"]


def test_why_pytorch_has_no_time_stands_below_the_table():
    why = module("gpu.layers").NO_COUNTERPART
    alone = {**LAYER, "seconds": {"v4_blocked": 4e-3}, "left_out": {"torch": why, "torch-tf32": "no memory"}}
    rows = [alone, {**alone, "case": "b"}, {**alone, "direction": "backward", "wrong": {"torch": "error 0.5"}}]
    said = module("gpu.table").text({**RESULT, "rows": rows})
    assert f"No time of PyTorch ({why}): conv2d forward." in said.splitlines()
    assert "No time of PyTorch (no memory): conv2d forward in tf32, conv2d backward in tf32." in said.splitlines()
    assert "No time of PyTorch (error 0.5): conv2d backward." in said.splitlines()


def test_what_is_missing_or_wrong_is_said():
    failed = {"rows": [{**LAYER, "wrong": {"v4_blocked": "relative error 0.5"}}], "failed": {"dense": "no memory"}}
    said = module("gpu.table").text(
        {**RESULT, **failed, "left_out": {"a": "no time was left", "b": "no time was left"}}
    )
    assert "WRONG: conv2d forward, a: 1x8x8x4, v4_blocked: relative error 0.5" in said
    assert "FAILED: dense: no memory" in said
    assert "left out, no time was left: 2 parts" in said


def test_the_newest_result_of_a_gpu_is_shown_and_the_emulators_never(tmp_path, monkeypatch):
    result, table = module("gpu.result"), module("gpu.table")
    monkeypatch.setattr(table, "newest", lambda: result.newest(tmp_path))
    assert table.render() == "Nothing was measured on a GPU yet: `python -m benchmarks.gpu` does it."
    emulated = {**RESULT, "emulated": True, "machine": {"date": "2027-01-01"}}
    older = {**RESULT, "machine": {"date": "2026-11-30"}}
    for name, content in {"a": older, "b": RESULT, "cuda-emulated": emulated}.items():
        (tmp_path / f"gpu-{name}.json").write_text(json.dumps(content), "utf-8")
    assert result.newest(tmp_path) == RESULT
    networks, layers, _, source = table.render().split("\n\n")
    assert cells(networks)[0][:4] == ["VGG16, prediction", "32", "float32", "20.0 ms"]
    assert len(cells(layers)) == 2
    assert source == "`measure it`, NVIDIA H200, driver 580.1, torch 2.11, 2026-12-01."


def test_no_result_of_the_emulator_is_committed():
    found = module("measuring").RESULTS.glob("gpu-*.json")
    assert not [path for path in found if json.loads(path.read_text("utf-8"))["emulated"]]


def test_the_ladders_show_rates_where_there_are_any():
    ladders = module("gpu.ladders")
    plain = ladders.render("conv2d", None)
    header = "| rung | module | from | what it does | checked |"
    assert plain.count(f"{header}\n") == 3
    assert "Measured by" not in plain
    page = ladders.render("conv2d", RESULT)
    assert f"{header[:-1]}| a: 1x8x8x4, GFLOP/s |\n" in page
    assert page.count(f"{header}\n") == 2, "the other directions were not measured"
    first = page.split("### ")[1]
    rates = {line.split("`")[1]: line.split("|")[-2].strip() for line in first.splitlines() if line.startswith("| `")}
    assert rates["v1_direct"] == "500 (5 %)"
    assert rates["v4_blocked"] == "2500 (5x, 25 %)"
    assert rates["v3_tiled"] == ""
    assert "Measured by `measure it`, NVIDIA H200" in page


def checked(page: str) -> dict[str, set[str]]:
    """{rung: what the tables say of how it is checked}."""
    found: dict[str, set[str]] = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            found.setdefault(line.split("`")[1], set()).add(line.split("|")[5].strip())
    return found


def test_the_ladders_say_how_each_rung_is_checked():
    ladders = module("gpu.ladders")
    said = checked(ladders.render("dense", None))
    assert said["v2_blas"] == {"emulator, NumPy in cuBLAS' place"}
    assert said["v4_tiled"] == {"emulator; compiled for sm_75, 80, 86, 89, 90"}
    assert said["v5_tensor_tf32"] == {"emulator; compiled for sm_80, 86, 89, 90"}
    assert checked(ladders.render("conv2d_transpose", None))["v9_tensor_half"] == said["v5_tensor_tf32"]
    pages = {spec.op: ladders.render(spec.op, None) for spec in kernels.specs("cuda")}
    assert [op for op, page in pages.items() if "cuBLAS" in page] == ["dense"]
    assert all(page.startswith("**None of these rungs has run on a GPU yet.** *from*: ") for page in pages.values())


def test_the_ladders_say_which_rungs_were_right_on_a_gpu():
    wrong = {**LAYER, "wrong": {"v1_direct": "relative error 0.5"}}
    page = module("gpu.ladders").render("conv2d", {**RESULT, "rows": [wrong]})
    assert page.startswith("*from*: ")
    forward = checked(page.partition("### backward_input")[0])
    on_it = {"emulator; compiled for sm_75, 80, 86, 89, 90; on NVIDIA H200"}
    assert [rung for rung, said in forward.items() if said == on_it] == ["v4_blocked"]
    assert forward["v7_tensor_tf32"] == {"emulator; compiled for sm_80, 86, 89, 90; on NVIDIA H200"}


def test_a_file_that_nobody_compiled_is_not_called_checked(monkeypatch):
    ladders = module("gpu.ladders")
    monkeypatch.setattr(ladders, "_compiled", lambda: {"dense/cuda.cu"})
    with pytest.raises(AssertionError, match=r"dense\.cuda_stream: python tests/cuda_resources\.py"):
        ladders.render("dense", None)


def test_the_ladders_show_three_cases_from_all_over_the_list():
    rows = [{**LAYER, "case": f"case {i}"} for i in range(8)]
    page = module("gpu.ladders").render("conv2d", {**RESULT, "rows": rows})
    (header,) = [line for line in page.splitlines() if "case 0" in line]
    assert re.findall(r"case \d", header) == ["case 0", "case 3", "case 6"]


def test_jobs_come_in_the_order_of_their_weight_and_have_names_of_their_own():
    cases = module("gpu.cases")
    jobs = list(cases.jobs())
    titles = [job.title for job in jobs]
    assert len(set(titles)) == len(titles)
    assert titles[0] == "VGG16, prediction, 32 images, float32"
    networks = {(j.model, j.task, j.batch, j.precision) for j in jobs if isinstance(j, cases.NetworkJob) and j.compiled}
    models, precisions = {"VGG16", "ResNet50", "MobileNetV2", "EfficientNetB0"}, {"float32", "tf32", "bfloat16"}
    wanted = {(m, "predict", batch, p) for m in models for batch in (1, 32, 256) for p in precisions}
    assert {(j.model, j.batch) for j in jobs if "the host" in j.title} == {(m, 256) for m in models}
    assert networks == wanted | {(m, "train", 64, p) for m in models for p in precisions}
    forward = [job for job in jobs if isinstance(job, cases.LayerJob) and job.directions == ("forward",)]
    assert len([job for job in forward if job.name.startswith("VGG16")]) == 9
