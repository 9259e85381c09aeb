"""Run every test: in parallel, then a subset with the JIT off, and a subset with numba not importable.

python tests/all.py [pytest arguments]
"""

import os
import subprocess
import sys
from pathlib import Path

RUNS = (
    ("all tests", {}, []),
    ("without the JIT", {"NUMBA_DISABLE_JIT": "1"}, ["-m", "no_jit"]),
    ("without numba", {"MINICNN_TEST_WITHOUT_NUMBA": "1", "MINICNN_KERNELS": "numpy"}, ["-m", "numpy_only"]),
)


def main() -> int:
    root = Path(__file__).resolve().parents[1]
    for title, variables, arguments in RUNS:
        print(f"--- {title}", flush=True)
        command = [sys.executable, "-m", "pytest", "-n", "auto", "-q", *arguments, *sys.argv[1:]]
        code = subprocess.run(command, cwd=root, env={**os.environ, **variables}, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
