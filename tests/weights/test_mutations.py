"""Random damage: whatever bytes are changed or cut off, a file is read or refused, quickly and in little memory."""

import json
import subprocess
import sys

import pytest
from weight_cases import FILES

SEEDS = [
    "tiny_legacy_full.h5",
    "tiny_chunked_weight_names.h5",
    "enc_libver_latest.h5",
    "enc_gzip_shuffle_chunked.h5",
    "tiny_keras3.weights.h5",
    "tiny_keras3.keras",
    "enc_deflated.keras",
]
COUNT = 300  # damaged files of each seed
SECONDS = 5.0  # for one file; a sound one takes 10 ms
MEGABYTES = 512  # of memory beyond that of the start

CHILD = """
import json, pathlib, random, resource, sys, time
from minicnn.errors import MinicnnError
from minicnn.weights import open_weights

data, path, count = pathlib.Path(sys.argv[1]).read_bytes(), pathlib.Path(sys.argv[2]), int(sys.argv[3])
random.seed(pathlib.Path(sys.argv[1]).name)
SPECIAL = [b"\\xff" * 8, bytes(8), *((1 << bit).to_bytes(8, "little") for bit in range(0, 64, 5))]

def damaged():
    bytes_ = bytearray(data)
    for _ in range(random.randint(1, 16)):
        place = random.randrange(random.choice([len(data), min(len(data), 4096)]))
        if random.random() < 0.1:
            bytes_[place : place + 8] = random.choice(SPECIAL)
        else:
            bytes_[place] = random.choice([0, 255, random.randrange(256), bytes_[place] ^ 1 << random.randrange(8)])
    return bytes_[: random.randrange(len(data))] if random.random() < 0.1 else bytes_

def read(path):
    with open_weights(path) as file:
        for layer in file.layers:
            for weight in layer.weights:
                size = 1
                for n in weight.shape:
                    size *= n
                if size < 100_000:  # a model expects no more here
                    assert weight.read(weight.shape).shape == weight.shape

start, kinds, slowest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, {}, 0.0
for _ in range(count):
    path.write_bytes(damaged())
    began = time.perf_counter()
    try:
        read(path)
        kind = "read"
    except MinicnnError as error:
        kind = "refused" if str(path) in str(error) else f"no file name in: {error}"
    kinds[kind] = kinds.get(kind, 0) + 1
    slowest = max(slowest, time.perf_counter() - began)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([kinds, slowest, (peak - start) / 1024]))
"""


@pytest.mark.parametrize("name", SEEDS)
def test_damaged_files_are_read_or_refused(tmp_path, name):
    command = [sys.executable, "-c", CHILD, str(FILES / name), str(tmp_path / "damaged"), str(COUNT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    kinds, slowest, megabytes = json.loads(done.stdout)
    assert set(kinds) <= {"read", "refused"}
    assert kinds["refused"] > COUNT / 10
    assert slowest < SECONDS
    assert megabytes < MEGABYTES
