"""What a start costs: `from minicnn import Tensor` in seconds and packages, and a process' first VGG16 prediction.

    python -m benchmarks.startup --runs 9

Cold is a first start, with no compiled kernel on disk; warm is any start after it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from typing import Any

from .measuring import command_line, save

IMPORT = """
import sys, time
before = set(sys.modules)
begun = time.perf_counter()
{statement}
seconds = time.perf_counter() - begun
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
import json
print(json.dumps({{"seconds": seconds, "packages": sorted(loaded - set(sys.stdlib_module_names))}}))
"""

PREDICT = """
import json, time
begun = time.perf_counter()
import numpy as np
from minicnn.applications import VGG16
model = VGG16(weights=None)
for weight in model.weights:
    weight.adopt(np.full(weight.shape, 0.01, np.float32))
image = np.full((1, 224, 224, 3), 0.5, np.float32)
seconds = []
for _ in range(2):
    start = time.perf_counter()
    model.predict(image)
    seconds.append(time.perf_counter() - start)
print(json.dumps({"first": seconds[0], "second": seconds[1], "process": time.perf_counter() - begun}))
"""


def run(code: str, **variables: str) -> dict[str, Any]:
    """What a program prints last, as JSON."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure_imports(runs: int) -> dict[str, Any]:
    """Median seconds to import NumPy alone and minicnn's Tensor, in turns, and the packages that each loads."""
    statements = {"numpy": "import numpy", "minicnn": "from minicnn import Tensor"}
    programs = {package: IMPORT.format(statement=statement) for package, statement in statements.items()}
    found: dict[str, list[dict[str, Any]]] = {package: [] for package in programs}
    for number in range(runs + 1):
        for package, program in programs.items():
            answer = run(program)
            if number:  # the first reads the files from disk
                found[package].append(answer)
    return {
        package: {
            "seconds": round(statistics.median(answer["seconds"] for answer in answers), 4),
            "packages": answers[0]["packages"],
        }
        for package, answers in found.items()
    }


def measure_prediction() -> dict[str, Any]:
    """Seconds of the first and second prediction of a cold and of a warm process."""
    with tempfile.TemporaryDirectory() as cache:
        answers = {start: run(PREDICT, MINICNN_CACHE=cache) for start in ("cold", "warm")}
    return {start: {name: round(value, 3) for name, value in answer.items()} for start, answer in answers.items()}


def main(argv: list[str] | None = None) -> int:
    parser = command_line("startup", __doc__)
    parser.add_argument("--runs", type=int, default=9, help="imports of each package (default 9)")
    options = parser.parse_args(argv)
    result = {"import": measure_imports(options.runs), "vgg16": measure_prediction()}
    print(json.dumps(result, indent=1), file=sys.stderr)
    save("startup", result, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
