"""The registry: what `rungs`, `use`, `rung=` and `record` promise, on an operation made for the test.

toy     reference (forward, backward)     v1_numpy (forward)     v2_fast (forward, backward; Numba)
"""

import subprocess
import sys
import threading
from types import ModuleType

import numpy as np
import pytest

from minicnn import kernels
from minicnn.errors import ArgumentError, DTypeError, MissingExtraError, UnsupportedError
from minicnn.kernels import _registry as registry
from minicnn.kernels._registry import Operation

pytestmark = pytest.mark.numpy_only
FLOAT32, FLOAT64 = np.zeros(2, np.float32), np.zeros(2)
LARGE = np.zeros(100, np.float32)
NUMBA_WANTED = registry.numba_wanted.__wrapped__  # asks anew each time


def module(name: str, *functions: str) -> ModuleType:
    """A module whose functions return their own names."""
    made = ModuleType(name)
    for function in functions:
        setattr(made, function, lambda *arguments, function=function: function)
    return made


@pytest.fixture
def toy(monkeypatch) -> Operation:
    monkeypatch.setattr(registry, "_operations", dict(registry._operations))
    monkeypatch.setattr(registry, "numba_installed", lambda: True)
    monkeypatch.setattr(registry, "numba_wanted", lambda: True)
    parts = {
        "toyops.reference": ("toy_forward_reference", "toy_backward_reference"),
        "toyops.blas": ("toy_forward_v1_numpy",),
        "toyops.cpu_fast": ("toy_forward_v2_fast", "toy_backward_v2_fast"),
    }
    for name, functions in parts.items():
        monkeypatch.setitem(sys.modules, name, module(name, *functions))
    operation = Operation("toy", "toyops", lambda direction, x: "v2_fast" if x.size > 10 else "reference")
    operation.rung("reference", "reference", ("forward", "backward"), "the definition")
    operation.rung("v1_numpy", "blas", ("forward",), "whole arrays")
    operation.rung("v2_fast", "cpu_fast", ("forward", "backward"), "compiled")
    return operation


def run(toy: Operation, direction: str, x: np.ndarray, rung: str | None = None) -> str:
    return toy.run(direction, x, x, rung=rung)


def test_the_default_depends_on_the_arguments(toy):
    assert run(toy, "forward", FLOAT32) == "toy_forward_reference"
    assert run(toy, "forward", LARGE) == "toy_forward_v2_fast"


def test_other_float_types_take_the_highest_numpy_rung(toy):
    assert run(toy, "forward", FLOAT64) == "toy_forward_v1_numpy"
    assert run(toy, "backward", FLOAT64) == "toy_backward_reference"


def test_without_numba_the_highest_numpy_rung_runs(toy, monkeypatch):
    monkeypatch.setattr(registry, "numba_wanted", lambda: False)
    assert run(toy, "forward", LARGE) == "toy_forward_v1_numpy"
    assert run(toy, "backward", LARGE) == "toy_backward_reference"


def test_a_rung_by_name(toy):
    assert run(toy, "forward", FLOAT32, rung="v2_fast") == "toy_forward_v2_fast"
    with pytest.raises(ArgumentError, match="toy backward has no rung 'v1_numpy' on cpu; it has reference, v2_fast"):
        run(toy, "backward", FLOAT32, rung="v1_numpy")


def test_a_rung_never_falls_back_silently(toy):
    with pytest.raises(DTypeError, match="v2_fast of toy is compiled for float32, the array is float64"):
        run(toy, "forward", FLOAT64, rung="v2_fast")
    with kernels.use("toy", rung="v2_fast"), pytest.raises(DTypeError):
        run(toy, "forward", FLOAT64)


def test_a_compiled_rung_without_numba_names_it(toy, monkeypatch):
    monkeypatch.setattr(registry, "numba_installed", lambda: False)
    with pytest.raises(MissingExtraError, match=r"rung v2_fast of toy needs numba.*pip install numba"):
        run(toy, "forward", FLOAT32, rung="v2_fast")
    assert kernels.rungs("toy") == ["reference", "v1_numpy"]


def test_the_caller_is_warned_where_numba_is_missing(toy, monkeypatch):
    monkeypatch.setattr(registry, "numba_installed", lambda: False)
    monkeypatch.delenv("MINICNN_KERNELS", raising=False)
    monkeypatch.setattr(registry, "numba_wanted", NUMBA_WANTED)
    with pytest.warns(UserWarning, match=r"NumPy kernels run: pip install numba") as caught:
        assert run(toy, "forward", FLOAT32) == "toy_forward_v1_numpy"
    assert [warning.filename for warning in caught] == [__file__]


def test_use_binds_the_directions_that_the_rung_has(toy):
    with kernels.use("toy", rung="v1_numpy"):
        assert run(toy, "forward", LARGE) == "toy_forward_v1_numpy"
        assert run(toy, "backward", LARGE) == "toy_backward_v2_fast"
    assert run(toy, "forward", LARGE) == "toy_forward_v2_fast"


def test_use_is_undone_after_an_error_and_nests(toy):
    def nested():
        with kernels.use("toy", rung="v1_numpy"):
            with kernels.use("toy", rung="reference"):
                assert run(toy, "forward", LARGE) == "toy_forward_reference"
            assert run(toy, "forward", LARGE) == "toy_forward_v1_numpy"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        nested()
    assert run(toy, "forward", LARGE) == "toy_forward_v2_fast"


def test_a_rung_by_name_goes_before_use(toy):
    with kernels.use("toy", rung="reference"):
        assert run(toy, "forward", LARGE, rung="v1_numpy") == "toy_forward_v1_numpy"


def test_use_holds_for_its_own_thread(toy):
    found = []
    with kernels.use("toy", rung="reference"):
        thread = threading.Thread(target=lambda: found.append(run(toy, "forward", LARGE)))
        thread.start()
        thread.join()
    assert found == ["toy_forward_v2_fast"]


def test_unknown_names_are_refused(toy):
    with pytest.raises(ArgumentError, match=r"there is no operation 'conv3d'; there are .*conv2d"):
        kernels.rungs("conv3d")
    with pytest.raises(ArgumentError, match="toy has no rung 'v9'; it has reference, v1_numpy, v2_fast"):
        kernels.use("toy", rung="v9")
    with pytest.raises(UnsupportedError, match="toy has no sideways on device cpu"):
        run(toy, "sideways", FLOAT32)


def test_record_lists_what_ran_in_order(toy):
    with kernels.record() as outer:
        run(toy, "forward", LARGE)
        with kernels.record() as inner:
            run(toy, "backward", FLOAT64)
    run(toy, "forward", LARGE)
    assert inner == [("toy", "backward", "reference")]
    assert outer == [("toy", "forward", "v2_fast"), *inner]


def test_rungs_are_listed_from_the_lowest(toy):
    assert kernels.rungs("toy") == ["reference", "v1_numpy", "v2_fast"]
    assert kernels.rungs("toy", device="cuda") == []
    assert "toy" in kernels.operations()


def test_arrays_of_other_kinds_are_refused(toy):
    with pytest.raises(DTypeError, match="NumPy or CuPy arrays, not on list"):
        toy.run("forward", [1.0], [1.0])


def test_a_subclass_of_ndarray_names_its_device():
    class Emulated(np.ndarray):
        minicnn_device = "cuda-emulated"

    assert kernels.device_of(np.zeros(1).view(Emulated)) == "cuda-emulated"
    assert kernels.device_of(np.zeros(1)) == "cpu"


@pytest.mark.parametrize("op", kernels.operations())
def test_every_ladder_begins_with_the_definition_and_climbs(op):
    ladders = registry._operations[op].ladder
    for (direction, device), rungs in ladders.items():
        names = list(rungs)
        if device == "cpu":
            assert names.pop(0) == "reference", direction
        numbers = [int(name.removeprefix("v").partition("_")[0]) for name in names]
        assert numbers == sorted(set(numbers))
        assert all(spec.note for spec in rungs.values())


@pytest.mark.parametrize("spec", kernels.specs(), ids=lambda spec: f"{spec.op}-{spec.direction}-{spec.rung}")
def test_every_rung_is_a_documented_function(spec):
    assert callable(spec.fn)
    assert spec.fn.__doc__


@pytest.mark.parametrize(
    ("choice", "expected"), [("numpy", "v2_im2col"), ("numba", "compiled"), ("", "compiled"), ("cuda", "refused")]
)
def test_minicnn_kernels_chooses_the_default(choice, expected):
    code = """
import numpy as np
from minicnn import kernels
from minicnn.errors import ArgumentError
operation, x = kernels.conv2d.OPERATION, np.ones((1, 4, 4, 1), np.float32)
arguments = (x, x, None, None, x)
try:
    spec = operation.select("forward", x, arguments, None)
    print("compiled" if spec.needs_numba else spec.rung)
except ArgumentError as error:
    print("refused" if "MINICNN_KERNELS is 'cuda'" in str(error) else error)
"""
    environment = {"MINICNN_KERNELS": choice}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected
