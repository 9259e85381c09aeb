"""The house's rules: who may import whom, which packages are imported late, and where; how wide C++ may be.

cli, report -> transfer, explain, data -> models, training, applications, layers, losses, metrics, optimizers
    -> ops -> autograd -> minicnn.kernels;        models, applications -> minicnn.weights
"""

import tomllib

import pytest
from import_graph import ROOT, Module, cycle, eager_closure, read_imports, read_modules, unit_of, units

# From the bottom: a unit may import units of its own tier and of those below.
TIERS = (
    {"errors"},
    {"arguments", "preparation", "seeds", "utils"},
    {"kernels", "weights"},
    {"autograd"},
    {"ops"},
    {
        "layers",
        "losses",
        "metrics",
        "optimizers",
        "schedules",
        "callbacks",
        "models",
        "applications",
        "regularizers",
        "initializers",
        "constraints",
        "training",
    },
    {"data", "datasets", "transfer", "estimators", "explain", "runs", "bench", "onnx"},
    {"cli", "report", "__main__"},
)
TIER = {unit: number for number, tier in enumerate(TIERS) for unit in tier}
ALONE = {"kernels", "weights"}  # useful without the rest: they know its errors only
NO_FILES = {"autograd", "ops", "layers", "losses", "metrics", "optimizers", "schedules"}
ONLY_IN = {
    "h5py": "minicnn.weights.hdf5",
    "cupy": "minicnn.kernels._cuda",
    "numba": "minicnn.kernels",
    "llvmlite": "minicnn.kernels",
    "onnx": "minicnn.onnx",
}
C_SUFFIXES = {".cu", ".cuh", ".h", ".c", ".cpp"}
OPTIONAL = {*ONLY_IN, "PIL", "tqdm", "matplotlib", "sklearn", "mlflow"}
NEVER = {"kernels", "weights", "tests", "benchmarks", "examples", "pickle", "marshal", "shelve"}

MODULES = read_modules()
UNITS = units(MODULES)


def packages(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def test_every_unit_has_a_place():
    assert set(UNITS) <= set(TIER), "add the new part of minicnn to TIERS"


def test_nothing_imports_upwards():
    upwards = {(unit, used) for unit, targets in UNITS.items() for used in targets if TIER[used] > TIER[unit]}
    assert not upwards


def test_no_two_parts_import_each_other():
    assert cycle(UNITS) == []


@pytest.mark.parametrize("unit", sorted(ALONE))
def test_kernels_and_weights_know_only_the_errors_of_the_rest(unit):
    for module in MODULES.values():
        if module.unit == unit:
            foreign = {name for name in module.imports if name.startswith("minicnn") and unit_of(name) != unit}
            assert foreign <= {"minicnn.errors"} | {name for name in foreign if name.startswith("minicnn.errors.")}


def test_the_numerical_parts_know_nothing_of_files():
    assert not {unit for unit in NO_FILES if "weights" in UNITS[unit]}


def test_each_package_is_imported_in_its_one_place():
    for package, place in ONLY_IN.items():
        users = {name for name, module in MODULES.items() if package in packages(module.imports)}
        assert {name for name in users if name != place and not name.startswith(f"{place}.")} == set()


def test_other_engines_are_imported_by_their_own_process_alone():
    """What serves them runs where minicnn need not be installed: it imports minicnn for minicnn's own engine only."""
    peers = {name: module for name, module in MODULES.items() if name.startswith("minicnn.bench.peers")}
    for name, module in MODULES.items():
        if name not in peers:
            assert not packages(module.imports) & {"torch", "onnxruntime", "tensorflow", "keras"}, name
            assert not [used for used in module.imports if used.startswith("minicnn.bench.peers")], name
    for name, module in peers.items():
        assert not [
            used for used in module.eager if used.startswith("minicnn") and used.split(".")[2:3] != ["peers"]
        ], name


def test_no_code_that_unpickles_and_no_second_copy_of_the_kernels():
    for module in MODULES.values():
        assert packages(module.imports) & NEVER == set(), module.name


def test_optional_packages_are_imported_late():
    """Only rungs, and what rungs alone import, may name numba at their top, and estimators, which are made of its
    classes, scikit-learn; no other module reaches them at its own top."""
    for name, module in MODULES.items():
        needed = {p for m in eager_closure(MODULES, name) for p in packages(MODULES[m].eager)} & OPTIONAL
        last = name.rpartition(".")[2]
        if module.unit == "kernels" and not module.is_package and last.startswith(("cpu", "_")):
            assert needed <= {"numba", "llvmlite"}, name
        elif module.unit == "estimators" and not module.is_package:
            assert needed == {"sklearn"}, name
        else:
            assert not needed, f"{name} needs {needed} as soon as it is imported"


def test_errors_and_seeds_stand_on_the_standard_library_and_numpy():
    assert not packages(MODULES["minicnn.errors"].imports)
    assert packages(MODULES["minicnn.seeds"].imports) <= {"numpy", "random"}


def test_no_line_of_c_is_longer_than_one_of_python_may_be():
    most = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["line-length"]
    files = [path for top in ("kernels", "tests") for path in (ROOT / top).rglob("*") if path.suffix in C_SUFFIXES]
    assert len(files) > 60
    for path in files:
        lines = path.read_text("utf-8").split("\n")
        assert [n for n, line in enumerate(lines, 1) if len(line) > most] == [], path.relative_to(ROOT)


@pytest.mark.parametrize(
    ("text", "eager", "lazy"),
    [
        ("from ..errors import A", {"minicnn.errors", "minicnn.errors.A"}, set()),
        ("from . import trace", {"minicnn.models", "minicnn.models.trace"}, set()),
        ("if True:\n    import h5py", {"h5py"}, set()),
        ("def f():\n    import PIL.Image", set(), {"PIL.Image"}),
        ("if TYPE_CHECKING:\n    import sklearn", set(), {"sklearn"}),
        ("class A:\n    import numba\n    def f(self):\n        import minicnn.cli", {"numba"}, {"minicnn.cli"}),
    ],
)  # fmt: skip
def test_imports_are_read_from_the_source(text, eager, lazy):
    module = Module("minicnn.models.plan", is_package=False)
    read_imports(module, text)
    assert (module.eager, module.lazy) == (eager, lazy)


def test_a_circle_is_found():
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_a_package_reached_through_another_module_is_found():
    modules = {name: Module(name, False) for name in ("minicnn", "minicnn.a", "minicnn.a.b", "minicnn.c")}
    modules["minicnn.c"].eager = {"minicnn.a.b"}
    assert eager_closure(modules, "minicnn.c") == {"minicnn", "minicnn.a", "minicnn.a.b", "minicnn.c"}
