"""`minicnn bench`: tables and JSON of rungs, networks and comparisons, and one line for every bad input."""

import json

import pytest
from cli_cases import refused

from minicnn import kernels
from minicnn.bench import peaks
from minicnn.bench.engines import PACKAGES
from minicnn.cli import main
from minicnn.cli.bench import PEERS
from minicnn.cli.entry import build_parser

pytestmark = [pytest.mark.numpy_only, pytest.mark.usefixtures("same_threads_afterwards", "quick_peaks")]
CONV = ["bench", "conv2d", "--shape", "5x5x3,3x3x4", "--rounds", "1"]


@pytest.fixture
def quick_peaks(monkeypatch):
    monkeypatch.setattr(peaks, "measure", lambda: peaks.Peaks(2e11, 4e10, "a guess"))


def told(capsys, *arguments: str) -> str:
    capsys.readouterr()
    assert main([*arguments]) == 0
    return capsys.readouterr().out


def test_the_help_tells_what_is_timed_and_by_what_a_gpu_is(capsys):
    said = " ".join(told(capsys, "bench", "--help").split())
    assert (
        "by several engines, on the CPU, or compare two results. `python -m benchmarks.gpu`, in a checkout of" in said
    )


def test_a_table_rung_by_rung(capsys):
    lines = told(capsys, *CONV, "--rungs", "all", "--threads", "1").splitlines()
    assert "1 thread: 200 GFLOP/s and 40 GB/s from memory, as measured by a guess" in lines[0]
    assert lines[2] == "conv2d forward, 5x5x3,3x3x4: 1x5x5x3, 3x3 /1, 4 filters"
    assert lines[3].split() == [
        "rung",
        "ms",
        "spread",
        "GFLOP/s",
        "%",
        "of",
        "peak",
        "GB/s",
        "%",
        "of",
        "memory",
        "error",
    ]
    assert [line.split()[0] for line in lines[4:-1]] == kernels.rungs("conv2d")
    assert all(line.split()[4].endswith("%") for line in lines[4:-1])
    assert lines[-1].startswith("default: ")


def test_rungs_that_cannot_do_a_shape_are_named(capsys, tmp_path):
    line = told(capsys, *CONV[:3], "8x8x3,1x1x4", "--rungs", "reference,v2_im2col", "--direction", "forward")
    assert "left out" not in line
    if not kernels.numba_wanted():
        return
    lines = told(capsys, *CONV[:3], "8x8x3,1x1x4", "--rungs", "v2_im2col,v6_winograd_4").splitlines()
    assert lines[-2] == "left out, as they cannot do this or take too long: v6_winograd_4"
    assert refused(capsys, tmp_path, *CONV[:3], "8x8x3,1x1x4", "--rungs", "v6_winograd_4").endswith(
        "conv2d forward, 8x8x3,1x1x4: v6_winograd_4 cannot do this"
    )


def test_some_rungs_in_all_directions_as_json(capsys):
    out = told(capsys, *CONV, "--rungs", "v2_im2col, reference", "--direction", "all", "--batch", "2", "--json")
    found = json.loads(out)
    assert [(row["direction"], row["rung"]) for row in found["rows"]] == [
        (direction, rung)
        for direction in ("forward", "backward_input", "backward_weights")
        for rung in ("reference", "v2_im2col")
    ]
    assert all(row["batch"] == 2 and row["shape"].startswith("2x5x5x3") for row in found["rows"])
    assert found["peaks"] == {"gflops": 200.0, "gb_per_s": 40.0, "source": "a guess"}
    assert [part["direction"] for part in found["default"]] == ["forward", "backward_input", "backward_weights"]
    assert found["machine"]["numpy"]


def test_a_layer_of_a_network(capsys):
    out = told(capsys, "bench", "softmax", "--shape", "10", "--rounds", "1", "--batch", "3")
    assert "softmax forward, 10: 3x10" in out
    arguments = ["--shape", "mobilenet.conv_pw_13", "--size", "32", "--rungs", "v2_im2col", "--rounds", "1"]
    assert "conv2d forward, mobilenet.conv_pw_13: 1x1x1x1024, 1x1 /1, 1024 filters" in told(
        capsys, "bench", "conv2d", *arguments
    )


def test_two_results_are_compared(capsys, tmp_path):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    result = json.loads(told(capsys, *CONV, "--json"))
    result["rows"] = [{**row, "runs": 7} for row in result["rows"]]
    old.write_text(json.dumps(result))
    for row in result["rows"]:
        row["seconds"] /= 4
        row["quartiles"] = [row["seconds"], row["seconds"]]
    new.write_text(json.dumps(result))
    lines = told(capsys, "bench", "--compare", str(old), str(new)).splitlines()
    assert len(lines) == 1 + len(result["rows"])
    assert all(line.split()[-2:] == ["4.00", "faster"] for line in lines[1:])
    back = json.loads(told(capsys, "bench", "--compare", str(new), str(old), "--json"))
    assert [round(row["ratio"], 2) for row in back] == [0.25] * len(result["rows"])
    assert all(row["real"] for row in back)


def test_where_each_was_timed_once_the_noise_is_not_known(capsys, tmp_path):
    path = tmp_path / "once.json"
    path.write_text(told(capsys, *CONV, "--json"))
    _, *lines = told(capsys, "bench", "--compare", str(path), str(path)).splitlines()
    assert lines
    assert all(line.endswith("  1.00  not known") for line in lines)


def test_times_of_the_emulator_are_not_compared(capsys, tmp_path):
    path = tmp_path / "gpu-cuda-emulated.json"
    path.write_text(json.dumps({**json.loads(told(capsys, *CONV, "--json")), "emulated": True}))
    said = refused(capsys, tmp_path, "bench", "--compare", str(path), str(path))
    assert said.endswith("gpu-cuda-emulated.json was measured in the emulator of a GPU: its times mean nothing")


def test_results_of_different_machines_are_remarked_upon(capsys, tmp_path):
    result = json.loads(told(capsys, *CONV, "--json"))
    paths = [tmp_path / "old.json", tmp_path / "new.json"]
    for number, path in enumerate(paths):
        result["machine"]["processor"] = f"Z8{number}"
        path.write_text(json.dumps(result))
    assert main(["bench", "--compare", *map(str, paths)]) == 0
    assert "measured on different machines" in capsys.readouterr().err


def test_a_network_alone(capsys):
    """In a process of its own."""
    out = told(capsys, "bench", "model", "mobilenet", "--size", "32", "--rounds", "1", "--threads", "1")
    first, header, row = out.splitlines()
    assert first.startswith("MobileNet, 1 image of 32 x 32, 1 thread, ")
    assert header.split()[0] == "engine"
    assert row.split()[0] == "minicnn"
    assert float(row.split()[1]) > 0


def test_a_network_beside_itself_with_stored_weights(capsys):
    arguments = ["--size", "32", "--rounds", "1", "--threads", "1", "--dense-storage", "bfloat16, int8"]
    _, _, own, *stored = told(capsys, "bench", "model", "vgg16", *arguments).splitlines()
    assert [row.split()[0] for row in (own, *stored)] == ["minicnn", "minicnn-bfloat16", "minicnn-int8"]
    assert all(0 < float(row.split()[4]) < 0.05 for row in stored)


def test_a_convolution_alone(capsys):
    out = told(capsys, "bench", "layer", "mobilenet.conv_pw_13", "--size", "32", "--rounds", "1", "--threads", "1")
    first, header, row = out.splitlines()
    assert first.startswith("mobilenet.conv_pw_13: 1x1x1x1024, 1x1 /1, 1024 filters, 1 thread, ")
    assert header.split()[0] == "engine"
    assert row.split()[0] == "minicnn"


@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_that_is_not_there_is_one_line(peer, capsys, monkeypatch):
    monkeypatch.setattr("minicnn.bench.engines.version_of", lambda package, python: None)
    assert main(["bench", "model", "mobilenet", "--against", peer]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    package = PACKAGES[peer][0]
    assert line.endswith(f"(see --peer-python) needs {package}, which is not installed: pip install {package}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "bench: name an operation, model, layer, or --compare OLD NEW"),
        (["conv3d"], "there is no operation 'conv3d', did you mean conv2d?"),
        (["conv2d"], "the following arguments are required: --shape"),
        (["conv2d", "--shape", "5x5"], "'5x5' is no shape of conv2d: write sizes, as "),
        (["conv2d", "--shape", "vgg16.block1_conv"], "has no layer 'block1_conv' that conv2d computes, did you mean"),
        (["conv2d", "--shape", "1x1x1,1x1x1", "--rungs", "v9"], "conv2d has no rung 'v9' here; it has reference, "),
        (["conv2d", "--shape", "1x1x1,1x1x1", "--rungs", ""], "conv2d has no rung ''"),
        (["conv2d", "--shape", "1x1x1,1x1x1", "--size", "64"], "--size is for a layer of a network"),
        (["layer", "1x1x1,1x1x1", "--size", "64"], "--size is for a layer of a network; 1x1x1,1x1x1 has its sizes"),
        (["conv2d", "--shape", "1x1x1,1x1x1", "--direction", "up"], "argument --direction: 'up' is unknown"),
        (["conv2d", "--shape", "1x1x1,1x1x1", "--rounds", "0"], "argument --rounds: must be a whole number of at"),
        (["conv2d", "--shape", "1x1x1,1x1x1", "--threads", "0"], "argument --threads: must be a whole number from 1"),
        (["conv2d", "--shape", "1x1x1,1x1x1", "--batch", "x"], "argument --batch: must be a whole number from 1"),
        (["maxpool2d", "--shape", "1x1x1,2x2/2"], "window"),
        (["model", "resnet51"], "there is no architecture 'resnet51', did you mean resnet50?"),
        (
            ["model", "vgg16", "--against", "tensorflow"],
            "--against: there is no engine 'tensorflow'; there are torch, ",
        ),
        (
            ["model", "vgg16", "--dense-storage", "int4"],
            "--dense-storage: there is no storage 'int4'; there are bfloat16",
        ),
        (
            ["layer", "vgg16.block1_conv1", "--against", "torch-compile"],
            "there is no engine 'torch-compile'; there are",
        ),
        (["layer", "vgg16.block1_conv", "--against", "torch"], "has no layer 'block1_conv' that conv2d computes, did"),
        (["model", "vgg16", "--size", "8"], "argument --size: must be a whole number from 32"),
        (["model", "vgg16", "--batch", "4096"], "are 205,520,896 pixels; at most 16,777,216 are timed"),
        (["model", "vgg16", "--size", "512"], "vgg16 for images of 512 x 512 has 572,"),
        (["model", "vgg16", "--against", "torch", "--peer-python", "no/python"], "no/python cannot be run"),
        (["--compare", "a.json"], "argument --compare: expected 2 arguments"),
        (["--compare", "a.json", "b.json"], "a.json cannot be read: No such file"),
        (["--json"], "bench: name an operation, model, layer, or --compare OLD NEW"),
        (["--json", "model", "vgg16"], "write --json after the operation"),
        (["--compare", "a", "b", "model", "vgg16"], "--compare goes without an operation"),
    ],
)
def test_bad_input_is_one_line(arguments, said, capsys, in_an_empty_folder, tmp_path):
    assert said in refused(capsys, tmp_path, "bench", *arguments)


def test_every_operation_with_cases_has_its_parser():
    from minicnn.bench.cases import operations

    for op in operations():
        options = build_parser().parse_args(["bench", op, "--shape", "x"])
        assert options.op == op
        assert options.direction in {spec.direction for spec in kernels.specs() if spec.op == op}
