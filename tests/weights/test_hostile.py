"""Files made to take time and memory: each is opened or refused within five seconds and 512 MB, the model unchanged."""

import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from weight_cases import FILES

SECONDS, MEGABYTES = 5.0, 512

CHILD = """
import contextlib, io, json, os, re, resource, sys, time
from minicnn.cli import main
from minicnn.errors import MinicnnError
from minicnn.layers import Conv2D, Dense, Flatten, Input
from minicnn.models import Sequential, load_model

path, found = sys.argv[1], {}
inner = Sequential([Input((8, 8, 3)), Conv2D(4, 3, name="conv"), Flatten()], name="inner")
model = Sequential([Input((8, 8, 3)), inner, Dense(3, name="fc")])
before = model.get_weights()

def inspect():
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert main(["inspect", path]) in (0, 2)

for name, action in {
    "load_weights": lambda: model.load_weights(path),
    "by name": lambda: model.load_weights(path, strict=False, on_mismatch="skip"),
    "load_model": lambda: load_model(path),
    "inspect": inspect,
}.items():
    began = time.process_time()
    with contextlib.suppress(MinicnnError):
        action()
    found[name] = time.process_time() - began
assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if os.path.exists("/proc/self/status"):  # Linux lets a child begin with the ru_maxrss of its parent
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
print(json.dumps([found, peak / 1024]))
"""


def many_names_of_one_group(path: Path) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("inner")
        group.attrs["weight_names"] = [f"w{i}" for i in range(100)]
        for i in range(100):
            group[f"w{i}"] = np.ones(1, np.float32)
        for i in range(4000):
            file[f"l{i}"] = group
        file.attrs["layer_names"] = ["inner", *(f"l{i}" for i in range(4000))]


def many_names_of_one_group_of_keras_3(path: Path) -> None:
    with h5py.File(path, "w") as file:
        weights = file.create_group("layers/dense/vars")
        for i in range(100):
            weights[str(i)] = np.ones(1, np.float32)
        for i in range(4000):
            file[f"layers/dense_{i + 1}/vars"] = weights


def ends_of_one_long_name(path: Path) -> None:
    """Members of a group whose names all lie in the one of a megabyte."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["inner"]
        file.create_group("inner").attrs["weight_names"] = ["w"]
        for i in range(2000):
            file.create_group(f"inner/n{i}")
        file.create_group(f"inner/{'L' * (1 << 20)}")
    data = bytearray(path.read_bytes())
    long = data.index(b"L" * 5000)
    heaps = [i for i in range(0, len(data), 8) if data[i : i + 4] == b"HEAP"]
    starts = [struct.unpack_from("<Q", data, i + 24)[0] for i in heaps]
    first = long - max(start for start in starts if start < long)
    place = data.find(b"SNOD")
    while place >= 0:
        (count,) = struct.unpack_from("<H", data, place + 6)
        for i in range(count if count > 1 else 0):
            struct.pack_into("<Q", data, place + 8 + 40 * i, first)
            first += 1
        place = data.find(b"SNOD", place + 1)
    path.write_bytes(data)


def a_path_round_and_round(path: Path) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("inner")
        group["a"] = group
        group["kernel:0"] = np.ones(1, np.float32)
        for i in range(4):
            group.attrs[f"weight_names{i}"] = ["a/" * (15_000 + i) + "kernel:0"]
        file.attrs["layer_names"] = ["inner"]


def a_shape_beyond_all_floats(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["fc"]
        file.create_group("fc").attrs["weight_names"] = ["k"]
        file.create_dataset("fc/k", (1,) * 32, np.float32, maxshape=(None,) * 32, chunks=(1,) * 32)
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<32Q", *[1] * 32), struct.pack("<32Q", *[1 << 63] * 32), 1))


def config_of(text: str) -> Callable[[Path], None]:
    """A writer of an archive with this config."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(FILES / "tiny_keras3.keras") as source:
            members = {info.filename: source.read(info) for info in source.infolist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, contents in members.items():
                archive.writestr(name, text if name == "config.json" else contents)

    return write


def doubled(times: int) -> str:
    """A model that calls a model twice, which calls a model twice, ..."""
    entry = {"class_name": "InputLayer", "config": {"batch_shape": [None, 8], "name": "x"}, "name": "x"}
    model = {"class_name": "ReLU", "config": {"name": "inner"}}
    for _ in range(times):
        calls = [[["x", 0, 0, {}]], [["inner", 0, 0, {}]]]
        layers = [{**entry, "inbound_nodes": []}, {**model, "name": "inner", "inbound_nodes": calls}]
        config = {"name": "inner", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["inner", 1, 0]]}
        model = {"class_name": "Functional", "config": config}
    return json.dumps(model)


def operations(size: int, *calls: tuple[str, dict]) -> str:
    """A model of operations, each on what the one before it gave; the first takes rows of some size."""
    layers = [{"class_name": "InputLayer", "config": {"batch_shape": [None, size], "name": "x0"}, "inbound_nodes": []}]
    for i, (kind, options) in enumerate(calls):
        source = {"class_name": "__keras_tensor__", "config": {"keras_history": [f"x{i}", 0, 0]}}
        key = [{"class_name": "__slice__", "config": {"start": n, "stop": n and 8, "step": 1}} for n in (None, 4)]
        args = [source, key] if kind == "GetItem" else [source]
        entry = {"module": "keras.src.ops.numpy", "class_name": kind, "config": {"name": f"x{i + 1}", **options}}
        layers.append({**entry, "inbound_nodes": [{"args": args, "kwargs": {}}]})
    for layer in layers:
        layer["name"] = layer["config"]["name"]
    ends = {"input_layers": [["x0", 0, 0]], "output_layers": [[f"x{len(calls)}", 0, 0]]}
    return json.dumps({"class_name": "Functional", "config": {"name": "m", "layers": layers, **ends}})


REPEATED = [
    ("Tile", {"repeats": [1, 100_000]}),
    ("GetItem", {}),
    ("Repeat", {"repeats": 60_000, "axis": 1}),
    ("GetItem", {}),
]


def very_many_tensors(path: Path) -> None:
    header = {
        f"inner/conv_{i}/kernel": {"dtype": "F32", "shape": [1], "data_offsets": [4 * i, 4 * i + 4]}
        for i in range(20_000)
    }
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(80_000))


@pytest.mark.parametrize(
    "write",
    [
        many_names_of_one_group,
        many_names_of_one_group_of_keras_3,
        ends_of_one_long_name,
        a_path_round_and_round,
        a_shape_beyond_all_floats,
        pytest.param(config_of('{"a":[' + "{}," * 5_590_000 + "{}]}"), id="tiny_objects"),
        pytest.param(config_of('{"a":' * 100_000 + "1" + "}" * 100_000), id="deep_objects"),
        pytest.param(config_of(doubled(25)), id="doubled_models"),
        pytest.param(config_of(operations(10**6, ("Unstack", {"axis": 1}))), id="very_many_parts"),
        pytest.param(config_of(operations(4, *100 * REPEATED[:2])), id="very_many_tiles"),
        pytest.param(config_of(operations(4, *4000 * REPEATED[2:])), id="many_long_repetitions"),
        very_many_tensors,
    ],
)
def test_time_and_memory_are_bounded(tmp_path, write):
    write(tmp_path / "file")
    done = subprocess.run([sys.executable, "-c", CHILD, tmp_path / "file"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    seconds, megabytes = json.loads(done.stdout)
    assert max(seconds.values()) < SECONDS, seconds
    assert megabytes < MEGABYTES
