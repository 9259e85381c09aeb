"""The generated tables and pictures say what the results say."""

import re
from typing import Any

import pytest
from benchmark_cases import cells, module

from minicnn.bench.cases import Layer


def test_engines_stand_at_the_fastest_of_their_ways():
    seconds = {"minicnn": 0.05, "torch": 0.2, "torch-channels-last": 0.1, "onnxruntime": 0.08}
    row = {"model": "VGG16", "size": 224, "batch": 1, "threads": 2, "seconds": seconds, "peer": "onnxruntime"}
    table = module("figures").endtoend({"rows": [{**row, "ratio": 1.6}, {**row, "batch": 8, "threads": 1, "ratio": 2}]})
    assert cells(table) == [
        ["VGG16, 1 image, 2 threads", "50.0 ms", "100 ms", "80.0 ms", "1.60"],
        ["VGG16, 8 images, 1 thread", "50.0 ms", "100 ms", "80.0 ms", "2.00"],
    ]


def test_an_engine_that_was_not_asked_has_no_column():
    row = {"model": "VGG16", "batch": 1, "threads": 1, "seconds": {"minicnn": 0.05, "keras": 0.1}}
    left_out = {**row, "seconds": {"minicnn": 0.05, "torch-compile": 0.2}}
    table = module("figures").endtoend({"rows": [row, left_out]})
    assert cells(table) == [
        ["VGG16, 1 image, 1 thread", "50.0 ms", "", "100 ms", ""],
        ["VGG16, 1 image, 1 thread", "50.0 ms", "200 ms", "", ""],
    ]
    assert "| minicnn | torch.compile | Keras |" in table


def test_layers_stand_beside_the_fastest_way_to_each_library():
    seconds = {"minicnn": 0.004, "torch": 0.009, "torch-packed": 0.005, "onnxruntime": 0.006}
    row = {"case": "VGG16 a", "shape": "1x2x2x3", "threads": 2, "layers": ["a", "b"], "seconds": seconds}
    table = module("figures").layers({"rows": [{**row, "peer": "torch-packed", "ratio": 1.25}]})
    assert cells(table) == [["VGG16 a and 1 more: 1x2x2x3, 2 threads", "4.0 ms", "5.0 ms", "6.0 ms", "1.25"]]
    alone = {**row, "layers": ["a"], "seconds": {"minicnn": 0.004}}
    assert cells(module("figures").layers({"rows": [alone]})) == [["VGG16 a: 1x2x2x3, 2 threads", "4.0 ms", "", "", ""]]


def test_shares_of_the_peak_are_percentages():
    row = {"case": "a", "shape": "8x2x2x3", "threads": 1, "layers": ["a"], "rung": "v4", "rate": 103.6, "share": 0.894}
    rows = [{**row, "threads": 2, "rate": 200.0, "share": 0.9}, row]
    assert cells(module("figures").pointwise({"rows": [*rows, {**row, "case": "b", "layers": ["b", "c"]}]})) == [
        ["a: 8x2x2x3", "104 GFLOP/s, 89 %", "200 GFLOP/s, 90 %"],
        ["b and 1 more: 8x2x2x3", "104 GFLOP/s, 89 %", ""],
    ]


def test_the_share_of_the_peak_is_that_of_the_same_round(monkeypatch):
    pointwise = module("pointwise")
    case = next(pointwise.cases("conv2d", "a", Layer((2, 2, 3), filters=4), 1))
    peaks, seconds = iter([2e9, 4e9, 8e9]), iter([0.25, 1.0, 0.5])
    monkeypatch.setattr(pointwise._peaks, "multiply_adds", lambda rounds: next(peaks))
    monkeypatch.setattr(pointwise.timing, "interleaved", lambda calls, rounds: {"layer": [next(seconds)]})
    row = pointwise.measure(case._replace(flops=1e9), 3)
    assert row["share"] == 0.25
    assert (row["seconds"], row["peak"]) == (0.5, 4.0)


def test_the_pointwise_layers_are_those_of_many_products():
    pointwise = module("pointwise")
    (first, names), *others = pointwise.layers(1)
    assert (first.shape, names) == ("1x56x56x256, 1x1 /2, 512 filters", ["conv3_block1_0_conv"])
    assert len(others) == 2


def test_minicnn_alone_has_a_table_too():
    rows = [{"model": "VGG16", "batch": 1, "seconds": {"minicnn": 0.05}}]
    assert cells(module("figures").endtoend({"threads": 2, "rows": rows})) == [
        ["VGG16, 1 image, 2 threads", "50.0 ms", ""]
    ]


def test_steps_of_training_say_their_size():
    row = {"model": "VGG16", "size": 32, "batch": 8, "threads": 1, "seconds": {"minicnn": 0.2, "torch": 0.3}}
    table = module("figures").training({"rows": [{**row, "losses": {"minicnn": [2.0]}, "peer": "torch", "ratio": 1.5}]})
    assert cells(table) == [["VGG16, 32 x 32, 8 images, 1 thread", "200 ms", "300 ms", "1.50"]]


def test_the_tutorial_with_keras_and_without():
    alone = {"epochs": 10, "first_seconds": 14.25, "seconds": {"minicnn": 5.3}}
    rows = [["minicnn, first start (compiles)", "14.2 s", ""], ["minicnn", "5.3 s", "1"]]
    assert cells(module("figures").tutorial(alone)) == rows
    both = {**alone, "seconds": {"minicnn": 5.3, "keras": 106.0}, "ratio": 20.0}
    assert cells(module("figures").tutorial(both)) == [*rows, ["Keras on TensorFlow", "106.0 s", "20.0"]]


def test_memory_is_held_against_its_limit():
    sizes = {"weights": 500e6, "dense": 400e6, "winograd": 50e6}
    row = {"model": "VGG16", "sizes": sizes, "used": 800e6, "limit": 850e6, "dense_copies": 0}
    assert cells(module("figures").memory({"rows": [row, {**row, "dense_copies": 2}]})) == [
        ["VGG16", "800 MB", "500 MB", "200 MB", "850 MB", "none"],
        ["VGG16", "800 MB", "500 MB", "200 MB", "850 MB", "2"],
    ]


def test_waiting_for_data_is_a_share_of_the_epoch():
    found = {"seconds": 2.0, "waited_seconds": 0.1, "compute_share": 0.95}
    result = {"alphas": {"1.0": {"plain": found}}, "images": 256, "longer_side": 640}
    row = ["MobileNet 1.0, threads work ahead", "2000 ms", "100 ms", "95.0 %"]
    assert cells(module("figures").data_loading(result)) == [row]


def test_the_regret_of_a_choice_counts_layers_as_often_as_the_network_has_them():
    choice = module("choice")
    layers = [
        {"shape": "a", "count": 3, "seconds": {"v3": 1.0, "v4": 2.0}, "chosen": "v4", "best": "v3", "regret": 1.0},
        {"shape": "b", "count": 1, "seconds": {"v3": 7.0}, "chosen": "v3", "best": "v3", "regret": 0.0},
    ]
    assert choice.regret(layers) == pytest.approx(0.3)
    result = {"rows": [{"model": "VGG16", "batch": 1, "regret": choice.regret(layers), "layers": layers}]}
    assert cells(module("figures").choice(result)) == [
        ["VGG16, 1 image, 2 distinct layers", "30.0 %", "a: v4 for v3, 100 %"]
    ]


def test_the_layers_of_networks_are_counted():
    choice = module("choice")
    vgg16, efficientnet = choice.layers_of("VGG16"), choice.layers_of("EfficientNetB0")
    assert sum(vgg16.values()) == 13
    assert len(vgg16) == 9
    depthwise = 16
    assert sum(efficientnet.values()) + depthwise == 81, "EfficientNetB0 has 81 convolutions"


def test_the_roof_and_a_dot_for_each_layer():
    roofline = module("roofline")
    row = {"op": "conv2d", "direction": "forward", "case": "a", "rung": "v1", "rate": 10.0, "flops": 8e9, "bytes": 1e9}
    rows = [
        row,
        {**row, "rung": "v2", "rate": 100.0},
        {**row, "case": "tiny", "rate": 500.0},
        {**row, "direction": "backward_input", "rate": 500.0},
        {**row, "op": "dense", "case": "b", "rate": 5.0, "bytes": 8e9},
        {**row, "op": "softmax", "flops": 0.0},
    ]
    assert [(r["op"], r["rung"]) for r in roofline.fastest(rows)] == [("dense", "v1"), ("conv2d", "v2")]
    results = {"machine": {"cores": 2, "date": "today"}, "peaks": {"gflops": 200.0, "gb_per_s": 40.0}}
    measured = {op: {**results, "rows": [r for r in rows if r["op"] == op]} for op in ("conv2d", "dense")}
    measured["dense"]["machine"] = {"cores": 2, "date": "tomorrow"}
    measured["conv2d_transpose"] = {**results, "machine": {"cores": 4, "date": "today"}, "rows": [row]}
    picture = roofline.render(measured)
    assert re.findall(r">([^<]*GFLOP/s,[^<]*)<", picture) == [
        "dense, b: 5 GFLOP/s, v1",
        "conv2d, a: 100 GFLOP/s, v2",
    ]
    assert "40 GB/s from memory" in picture
    assert picture.count("<circle") == 4


def test_losses_that_part_are_no_benchmark():
    training = module("training")

    class Engine:
        def __init__(self, name: str, losses: list[float]):
            self.name, self.losses = name, iter(losses)

        def ask(self, task: str, network: Any, batch: int) -> dict[str, float]:
            assert task == "train"
            return {"loss": next(self.losses)}

    network = training.Network("VGG16", 32, 10, "", "", "", 0.0, 1.0)
    own = [2.0, 1.9, 1.8]
    assert training.losses_of([Engine("minicnn", own), Engine("torch", own)], network, 8)["torch"] == own
    with pytest.raises(ArithmeticError, match="VGG16: the losses of torch"):
        training.losses_of([Engine("minicnn", own), Engine("torch", [2.0, 1.9, 1.7])], network, 8)


def test_memory_is_that_of_the_process_itself():
    memory = module("memory")
    assert 1e6 < memory.run(memory.BARE) < 40e6, "not what its parent had"
    assert memory.sizes_of("VGG16") == {"weights": 553430176, "dense": 494571424, "winograd": 58858752}
