"""A kernel that ends the device, or its process, in benchmarks.gpu: it is named, and left out by the next process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmark_cases import module
from emulator.device import EmulatedDevice

from minicnn.errors import DeviceError

pytestmark = pytest.mark.cuda_emulated
RUNG = "global_maxpool2d forward v2_reduce"


class Killed(BaseException):
    """Ends the process, as far as a test goes."""


class Processes:
    """One process after another that measures, each with a device that a fault may end."""

    def __init__(self, folder: Path):
        self.folder, self.lost = folder, False

    def lose(self) -> None:
        self.lost = True

    def kill(self) -> None:
        raise Killed

    def measure(self, only: str) -> int:
        """The exit code."""
        self.lost = False
        options = ["--device", "cuda-emulated", "--tiny", "--out", str(self.folder), "--only", only]
        return module("gpu.measure").main(options)

    def synchronize(self) -> None:
        if self.lost:
            raise DeviceError("an illegal address")

    @property
    def kept(self) -> dict[str, Any]:
        (path,) = self.folder.glob("*.json")
        return json.loads(path.read_text("utf-8"))


@pytest.fixture
def processes(tmp_path, monkeypatch) -> Processes:
    made = Processes(tmp_path)
    monkeypatch.setattr(EmulatedDevice, "synchronize", lambda device: made.synchronize())
    return made


def compared(monkeypatch: pytest.MonkeyPatch, fault: Callable[[], None]) -> None:
    """The rung has the fault when it is compared with the others."""
    layers = module("gpu.layers")
    right = layers.outputs

    def outputs(case: Any, rung: str) -> list[Any]:
        found = right(case, rung)
        if f"{case.op} {case.direction} {rung}" == RUNG:
            fault()
        return found

    monkeypatch.setattr(layers, "outputs", outputs)


def timed(monkeypatch: pytest.MonkeyPatch, fault: Callable[[], None]) -> None:
    """The rung has the fault when it is timed; that of the other direction, which comes later, has none."""
    layers = module("gpu.layers").Layers
    right, faults = layers._captured, [fault]

    def captured(self: Any, name: str, call: Any, row: Any) -> Any:
        return faults.pop() if faults and RUNG.endswith(name) else right(self, name, call, row)

    monkeypatch.setattr(layers, "_captured", captured)


@pytest.mark.parametrize("when", [compared, timed])
@pytest.mark.parametrize("fault", ["lose", "kill"])
def test_a_rung_is_named_and_the_next_process_goes_on_without(processes, monkeypatch, capsys, when, fault):
    gpu = module("gpu.measure")
    when(monkeypatch, getattr(processes, fault))
    if fault == "lose":
        assert processes.measure("global_maxpool2d") == gpu.LOST
        assert f"the device is lost: {RUNG}: an illegal address" in capsys.readouterr().err
        assert processes.kept["lost"] == {RUNG: "an illegal address"}
    else:
        with pytest.raises(Killed):
            processes.measure("global_maxpool2d")
    assert processes.measure("global_maxpool2d") == gpu.WRONG
    result = processes.kept
    assert list(result["lost"]) == [RUNG]
    assert result["done"] == ["global_maxpool2d tiny"]
    forward, backward = result["rows"]
    assert "it is not run again" in forward["left_out"]["v2_reduce"]
    assert {"v1_direct", "v3_vector"} <= set(forward["seconds"])
    assert "v2_reduce" not in forward["seconds"]
    assert {"v1_direct", "v2_reduce", "v3_vector"} & set(backward["seconds"])
    assert f"FAILED: {RUNG}: {result['lost'][RUNG]}" in capsys.readouterr().out
    assert not list(processes.folder.glob("*.running"))


def test_a_network_is_named_and_not_measured_again(processes, monkeypatch):
    gpu, networks = module("gpu.measure"), module("gpu.networks").Networks
    right = networks._predict

    def predict(self: Any, model: Any, images: Any, batch: int) -> Any:
        if model.precision == "tf32":
            processes.lose()
        return right(self, model, images, batch)

    monkeypatch.setattr(networks, "_predict", predict)
    titles = [job.title for job in module("gpu.cases").tiny_jobs() if "tiny, prediction, " in job.title]
    assert [processes.measure("tiny, prediction, ") for _ in range(2)] == [gpu.LOST, gpu.WRONG]
    assert processes.kept["done"] == [title for title in titles if "tf32" not in title]
    assert list(processes.kept["lost"]) == [title for title in titles if "tf32" in title]


def test_what_may_lose_the_device_again_comes_last():
    jobs = list(module("gpu.cases").jobs())
    found = module("gpu.measure").last_if_alike(jobs, {"VGG16, prediction, 32 images, float32": "an illegal address"})
    alike = [j for j in jobs if getattr(j, "precision", "") == "float32" and j.task == "predict"]
    assert len(alike) > 12
    assert found[-len(alike) :] == alike
    assert found[: -len(alike)] == [job for job in jobs if job not in alike]
    assert module("gpu.measure").last_if_alike(jobs, {RUNG: "an illegal address"}) == jobs
