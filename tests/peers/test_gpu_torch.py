"""PyTorch's side of benchmarks.gpu computes what the kernels compute; here on the processor."""

from typing import Any

import numpy as np
import pytest
from benchmark_cases import module
from emulator.device import install
from import_graph import ROOT

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def modules() -> list[Any]:
    return [module(f"gpu.{name}") for name in ("device", "networks", "measure", "pytorch")]


def results(case: Any) -> list[np.ndarray]:
    """What minicnn computes, on copies of the arrays."""
    operands = [a.copy() if isinstance(a, np.ndarray) else a for a in case.call.args]
    options = {name: value for name, value in case.call.keywords.items() if name != "out"}
    found = case.call.func(*operands, **options)
    return list(found) if isinstance(found, tuple) else [found]


def jobs() -> list[Any]:
    """Every operation on a tiny layer, and windows that PyTorch cannot pad without mirroring."""
    from minicnn.bench.cases import Layer

    cases = module("gpu.cases")
    odd = Layer((7, 8, 4), (3, 3), 6, (2, 2), "same")
    more = [cases.LayerJob(op, "odd", 2, odd) for op in ("conv2d", "depthwise_conv2d")]
    grouped = Layer((6, 6, 4), (3, 2), 6, (1, 1), "valid", (2, 1), 2)
    more += [cases.LayerJob("conv2d", "grouped", 2, grouped)]
    more += [cases.LayerJob("activation", f, 2, Layer((4, 4, 4), function=f)) for f in ("relu", "gelu", "swish")]
    layers = [job for job in cases.tiny_jobs() if isinstance(job, cases.LayerJob)]
    return [*layers, *more]


def test_every_operation_of_pytorch_is_the_kernels():
    from minicnn.bench.cases import normal

    ops, peers = module("gpu.pytorch_ops"), module("gpu.pytorch")
    side: Any = peers.Torch(torch, None, "cpu")
    compared = set()
    for job in jobs():
        for case in job.cases(normal):
            with side.precision("float32"):
                made = ops.peer(side, case, "float32")
                if made is None:
                    continue
                found = made.run()
                if made.result is not None:
                    expected = results(case)[0]
                    assert np.shape(made.result(found)) == expected.shape, f"{job.title} {case.direction}"
                    np.testing.assert_allclose(made.result(found).numpy(), expected, rtol=1e-4, atol=1e-5)
            compared.add((case.op, case.direction))
    convolutions = {(op, d) for op in ops.CONVOLUTIONS for d in ("forward", "backward_input", "backward_weights")}
    assert compared == set(ops.OPERATIONS) | convolutions


def test_one_sided_padding_is_mirrored():
    from minicnn.bench.cases import Layer, normal

    ops = module("gpu.pytorch_ops")
    side: Any = module("gpu.pytorch").Torch(torch, None, "cpu")
    layer = Layer((8, 8, 3), (3, 3), 4, (2, 2), "same")
    case = next(module("gpu.cases").LayerJob("conv2d", "a", 1, layer).cases(normal))
    made = ops.peer(side, case, "float32")
    y = made.result(made.run()).numpy()
    np.testing.assert_allclose(y, results(case)[0], rtol=1e-4, atol=1e-5)
    assert not np.allclose(y[:, ::-1, ::-1], results(case)[0])


@pytest.mark.cuda_emulated
def test_networks_predict_and_learn_alike():
    devices, networks, gpu = module("gpu.device"), module("gpu.networks"), module("gpu.measure")
    device = install()
    side = module("gpu.pytorch").available(device)
    bench = devices.Bench(device, "NVIDIA H200", side, gpu.TINY)
    measured = networks.Networks(bench)
    for task in ("predict", "train"):
        (row,) = measured.rows(module("gpu.cases").NetworkJob("tiny", task, 2, "float32"))
        assert list(row["seconds"]) == ["minicnn", "torch"]
        assert row["errors"]["torch"] < 1e-5
        assert row["floor"] > 0


@pytest.mark.cuda_emulated
def test_a_network_that_differs_is_not_timed(monkeypatch):
    devices, networks, gpu, peers = modules()
    device = install()
    right = peers.Torch.predictor

    def predictor(self: Any, *arguments: Any) -> Any:
        predict = right(self, *arguments)
        return lambda: predict() * 1.1

    monkeypatch.setattr(peers.Torch, "predictor", predictor)
    measured = networks.Networks(devices.Bench(device, "", peers.available(device), gpu.TINY))
    (row,) = measured.rows(module("gpu.cases").NetworkJob("tiny", "predict", 2, "float32"))
    assert row["wrong"] == {"torch": "relative error 1.0e-01"}
    assert list(row["seconds"]) == ["minicnn"]


@pytest.mark.cuda_emulated
def test_a_failure_of_pytorch_costs_its_own_figures_alone(monkeypatch):
    devices, networks, gpu, peers = modules()
    device = install()

    def fails(*arguments: Any) -> Any:
        raise RuntimeError("CUDA out of memory.\nTried to allocate 2 TiB")

    monkeypatch.setattr(peers.Torch, "predictor", fails)
    measured = networks.Networks(devices.Bench(device, "", peers.available(device), gpu.TINY))
    (row,) = measured.rows(module("gpu.cases").NetworkJob("tiny", "predict", 2, "float32"))
    assert row["left_out"] == {"torch": "RuntimeError: CUDA out of memory."}
    assert list(row["seconds"]) == ["minicnn"]


@pytest.mark.cuda_emulated
@pytest.mark.filterwarnings("default")  # PyTorch's compiler uses what PyTorch will not keep
@pytest.mark.parametrize(("task", "mode"), [("predict", "reduce-overhead"), ("train", "default")])
def test_networks_are_compiled_in_each_precision_and_the_row_says_how(task, mode):
    devices, networks, gpu, peers = modules()
    device = install()
    measured = networks.Networks(devices.Bench(device, "", peers.available(device), gpu.TINY))
    for precision in ("tf32", "float32"):
        (row,) = measured.rows(module("gpu.cases").NetworkJob("tiny", task, 2, precision, compiled=True))
        assert row["left_out"] == row["wrong"] == {}
        assert list(row["seconds"]) == ["minicnn", "torch", "torch-compile"]
        said = dict.fromkeys(("matmul_tf32", "convolution_tf32"), precision == "tf32")
        assert row["torch"] == {"torch": said, "torch-compile": {**said, "compiled": mode}}
