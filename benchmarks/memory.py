"""The memory of one prediction in a fresh process: results/memory.json.

    python -m benchmarks.memory

The peak of the resident set, less that of a bare interpreter, is held against what has to be there: the weights,
Winograd's form of the 3x3 kernels with stride 1, which is 4 times as large, and 150 MB for everything else, such as
activations, NumPy, Numba and the compiled kernels.  That no weights of dense layers are copied is seen from the arrays
that a prediction leaves behind: none is as large as one of them.
"""

import json
import subprocess
import sys
from typing import Any

from .measuring import command_line, save

MODELS = ("VGG16", "ResNet50", "MobileNetV2")
ALLOWED = 150e6
GROWTH = 4  # numbers of a kernel at Winograd's 36 points, for each of its 9

PEAK = """
import json, re, resource, sys
def peak():  # Linux lets a child begin with the ru_maxrss of its parent
    if sys.platform == "linux":
        return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
"""
BARE = PEAK + "print(json.dumps(peak()))"
IMPORTED = PEAK + "import numpy, numba\nprint(json.dumps(peak()))"
MODEL = """
import numpy as np
from minicnn import applications
model = getattr(applications, sys.argv[1])(weights=None)
for weight in model.weights:
    weight.adopt(np.full(weight.shape, 0.01, np.float32))
image = np.full((1, 224, 224, 3), 0.5, np.float32)
"""
PREDICT = (
    PEAK
    + MODEL
    + """
loaded = peak()
for _ in range(3):
    model.predict(image)
print(json.dumps({"loaded": loaded, "peak": peak()}))
"""
)
TRACE = (
    PEAK
    + MODEL
    + """
import tracemalloc
from minicnn.layers import Dense
dense = [layer.kernel.numpy().nbytes for layer in model.layers if isinstance(layer, Dense)]
tracemalloc.start()
model.predict(image)
sizes = [trace.size for trace in tracemalloc.take_snapshot().traces]
print(json.dumps(sum(any(size <= found < size + 256 for size in dense) for found in sizes)))
"""
)


def run(code: str, *arguments: str) -> Any:
    """What a program prints, as JSON."""
    command = [sys.executable, "-c", code, *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def sizes_of(name: str) -> dict[str, int]:
    """Bytes of all weights, of those of dense layers, and of the kernels that Winograd's rungs can take."""
    from minicnn import applications
    from minicnn.layers import Conv2D, Dense

    layers = getattr(applications, name)(weights=None).layers
    winograd = [s for s in layers if isinstance(s, Conv2D) and (s.kernel_size, s.strides) == ((3, 3), (1, 1))]
    dense = [layer for layer in layers if isinstance(layer, Dense)]
    groups = {"weights": layers, "dense": dense, "winograd": winograd}
    return {title: 4 * sum(layer.count_params() for layer in found) for title, found in groups.items()}


def measure(name: str, bare: int) -> dict[str, Any]:
    """One row: what the process had at its peak, what it may have, and how many dense layers' weights were copied."""
    sizes, found = sizes_of(name), run(PREDICT, name)
    used, limit = found["peak"] - bare, int(sizes["weights"] + GROWTH * sizes["winograd"] + ALLOWED)
    row = {"model": name, "sizes": sizes, **found, "used": used, "limit": limit, "kept": used <= limit}
    return {**row, "dense_copies": run(TRACE, name)}


def main(argv: list[str] | None = None) -> int:
    parser = command_line("memory", __doc__)
    parser.add_argument("--model", action="append", choices=MODELS, help="measure this one alone; may be repeated")
    options = parser.parse_args(argv)
    for name in options.model or MODELS:
        run(PREDICT, name)  # compiles what no cache has: that is not part of a prediction's memory
    bare = run(BARE)
    rows = [measure(name, bare) for name in options.model or MODELS]
    print(json.dumps(rows, indent=1), file=sys.stderr)
    save("memory", {"bare": bare, "imported": run(IMPORTED), "rows": rows}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
