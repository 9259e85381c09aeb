"""Nothing changes for whoever has no GPU: CuPy absent or broken, no driver, one that is too old.

Each is a program of its own, which imports as cupy what behaves like it there.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
STAND_IN = "import sys, fake_cupy\nsys.modules['cupy'] = fake_cupy.FakeCupy({})\n"
ABSENT = "raise ModuleNotFoundError(\"No module named 'cupy'\", name='cupy')\n"
BROKEN = "raise ImportError('libcudart.so.13: cannot open shared object file')\n"
MACHINES = {  # what cupy is there, and what is said of it
    "absent": (ABSENT, "CuPy"),
    "broken": (BROKEN, "CuPy is installed but cannot be imported (ImportError: libcudart.so.13: cannot open shared "),
    "no driver": (STAND_IN.format("driver=0"), "there is no NVIDIA driver: for an NVIDIA GPU, install its driver"),
    "old driver": (
        STAND_IN.format("driver=12040, runtime=13020"),
        "the NVIDIA driver is one of CUDA 12.4, and CuPy needs CUDA 13: update the driver, or put CuPy for CUDA 12 in ",
    ),
    "no GPU": (STAND_IN.format("count=0"), "the NVIDIA driver finds no GPU: see nvidia-smi"),
}

WORK = """
import sys
import minicnn
assert not {name for name in sys.modules if name.startswith(("minicnn.", "cupy"))}
import numpy as np
from minicnn import kernels
from minicnn.errors import DeviceError
from minicnn.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
from minicnn.models import Sequential

layers = [Input((8, 8, 3)), Conv2D(4, 3, activation="relu"), MaxPooling2D(), Flatten(), Dense(2, activation="softmax")]
model = Sequential(layers)
x = np.random.default_rng(0).random((3, 8, 8, 3), np.float32)
model.compile("sgd", "categorical_crossentropy")
model.fit(x, np.eye(2, dtype=np.float32)[[0, 1, 0]], epochs=1, verbose=0)
before = model.predict(x, verbose=0)
assert before.shape == (3, 2)
assert "cupy" not in sys.modules, "CPU work has imported it"
said = []
for ask in (lambda: kernels.device("cuda"), lambda: model.to("cuda")):
    try:
        ask()
    except DeviceError as error:
        said.append(str(error))
print(*said, sep="\\n")
assert model.device == "cpu"
assert np.array_equal(model.predict(x, verbose=0), before)
"""


@pytest.fixture(params=MACHINES)
def machine(request, tmp_path):
    """(A function that runs Python with arguments where cupy is like that and gives what it prints, what is said.)"""
    text, said = MACHINES[request.param]
    (tmp_path / "cupy.py").write_text(text)
    path = os.pathsep.join([str(tmp_path), str(TESTS), os.environ.get("PYTHONPATH", "")])
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "MINICNN_KERNELS": "numpy",
        "MINICNN_CACHE": str(tmp_path / "cache"),
    }

    def run(*arguments: str) -> str:
        command = [sys.executable, "-W", "error", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run, said


def test_all_work_on_the_processor_goes_on_and_the_gpu_is_refused_in_one_sentence(machine):
    run, said = machine
    first, second = run("-c", WORK).splitlines()
    assert first == second
    assert said in first
    assert "install" in first or "see nvidia-smi" in first


def test_doctor_says_in_one_line_what_is_missing_and_what_to_do(machine):
    run, said = machine
    (line,) = [line for line in run("-m", "minicnn", "doctor").splitlines() if line.startswith("  GPU")]
    assert line.split(maxsplit=1)[1].startswith("not usable: ")
    found = json.loads(run("-m", "minicnn", "doctor", "--json"))["cuda"]
    assert list(found) == ["driver", "compiler", "GPU"]
    assert found["GPU"] == line.split(maxsplit=1)[1]
    assert said in found["GPU"]
