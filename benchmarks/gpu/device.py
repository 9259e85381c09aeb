"""What benchmarks/gpu measures: the device, numbers on it, and what it says of itself."""

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn import kernels
from minicnn.bench.cases import Draw
from minicnn.bench.machine import version
from minicnn.errors import UnsupportedError
from minicnn.kernels import Device

from .timing import Pace, nothing

EMULATED = "cuda-emulated"
TESTS = Path(__file__).parents[2] / "tests"  # where the emulator is
POOL = 1 << 20  # random numbers that larger arrays repeat: drawing hundreds of millions on the host takes seconds
PACKAGES = ("cupy-cuda12x", "cupy-cuda13x", "nvidia-cuda-nvrtc", "nvidia-cuda-nvrtc-cu12", "torch", "triton")
PROPERTIES = {"totalGlobalMem": "memory", "multiProcessorCount": "multiprocessors", "l2CacheSize": "l2_bytes"}
QUERIES = {  # of nvidia-smi
    "driver_version": "driver",
    "clocks.max.sm": "sm_mhz_at_most",
    "clocks.max.mem": "memory_mhz_at_most",
    "power.limit": "watts_at_most",
}
CLOCKS = {"clocks.sm": "sm_mhz", "clocks.mem": "memory_mhz", "power.draw": "watts", "temperature.gpu": "celsius"}


class Bench(NamedTuple):
    """What measures: a device by its name on data sheets, PyTorch where there is one, how often to time."""

    device: Device
    name: str
    torch: Any  # a `pytorch.Torch`, or None
    pace: Pace
    tell: Callable[[str], None] = nothing  # what is run next

    def begin(self, what: str) -> None:
        """Say what is run next, when all before has ended well.

        Raises
        ------
        DeviceError
            The device is lost, by what was said before.
        UnsupportedError
            What comes next has lost it in an earlier process.
        """
        self.device.synchronize()
        self.tell(what)

    def give_back(self) -> None:
        """Give unused memory back: CuPy's pool would keep from PyTorch what PyTorch needs, and the reverse."""
        if self.device.name != EMULATED:
            self.device.xp.get_default_memory_pool().free_all_blocks()
        if self.torch is not None and self.torch.where == "cuda":
            self.torch.torch.cuda.empty_cache()

    @contextmanager
    def noting(self, name: str, row: dict[str, Any], failure: str = "wrong") -> Iterator[None]:
        """Within the block, what an engine cannot do is told in the row, and why; what fails otherwise, as `failure`.

        Raises
        ------
        DeviceError
            The device is lost: nothing can be measured any more in this process.
        """
        try:
            yield
        except (UnsupportedError, MemoryError) as error:
            row["left_out"][name] = str(error)
        except Exception as error:  # of the kernel, of CuPy, of PyTorch: the others are measured all the same
            self.device.synchronize()
            row[failure][name] = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def opened(name: str) -> Device:
    """The device of a name, ready to launch on; the emulator is found beside the tests.

    Raises
    ------
    DeviceError
        It cannot be used here.
    """
    if name == EMULATED:
        if str(TESTS) not in sys.path:
            sys.path.insert(0, str(TESTS))
        importlib.import_module("emulator.device").install()
    return kernels.device(name)


def drawn_on(device: Device) -> Draw:
    """A function that makes random float32 arrays of the sizes that it is given, on the device."""
    pool = device.from_host(np.random.default_rng(0).standard_normal(POOL, np.float32))

    def draw(*shape: int) -> Any:
        count = prod(shape)
        return device.xp.tile(pool, -(-count // POOL))[:count].reshape(shape)

    return draw


def facts(device: Device) -> dict[str, Any]:
    """The name of the device, its sizes, its clocks and the versions of what drives it."""
    versions = {name: found for name in PACKAGES if (found := version(name)) != "not installed"}
    capability = f"sm_{device.capability[0]}{device.capability[1]}"
    if device.name == EMULATED:
        return {"name": EMULATED, "capability": capability, "versions": versions}
    runtime = device.xp.cuda.runtime
    found = runtime.getDeviceProperties(runtime.getDevice())
    sizes = {ours: int(found[theirs]) for theirs, ours in PROPERTIES.items() if theirs in found}
    driver = kernels.driver_version()
    numbers = {"cuda_of_the_driver": driver and ".".join(map(str, driver)), "cuda_of_cupy": runtime.runtimeGetVersion()}
    told = {"name": found["name"].decode(), "capability": capability, **sizes, **numbers}
    return {**told, **_asked(device, QUERIES), "versions": versions}


def clocks(device: Device) -> dict[str, Any]:
    """What the device runs at now, as far as nvidia-smi says."""
    return {} if device.name == EMULATED else _asked(device, CLOCKS)


def _asked(device: Device, names: dict[str, str]) -> dict[str, Any]:
    """Answers of nvidia-smi by our names; none where it is not there, or does not know."""
    which = f"--id={device.xp.cuda.Device().pci_bus_id}"
    command = ["nvidia-smi", which, f"--query-gpu={','.join(names)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return {}
    answers = [answer.strip() for answer in done.stdout.split(",")]
    return {ours: answer for ours, answer in zip(names.values(), answers) if answer[:1].isdigit()}
