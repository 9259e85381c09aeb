"""The share of the machine's multiply-adds that the 1x1 convolutions of ResNet50 reach: results/pointwise.json.

    python -m benchmarks.pointwise

A 1x1 convolution is a matrix product of M pixels, K channels and N filters.  Each distinct one of at least 1e8
multiply-adds is timed on its default rung, with weights prepared as for prediction, in turns with the peak: one
register tile on operands in the first-level cache (kernels/_peaks.py), on as many threads.  A share is the median over
the rounds.  On one image only the shortcuts, of stride 2, are large enough.
"""

import json
import statistics
import sys
from typing import Any

from minicnn.bench import rungs, timing
from minicnn.bench.cases import Case, cases
from minicnn.bench.networks import convolutions
from minicnn.bench.shapes import build
from minicnn.kernels import _peaks

from .measuring import command_line, save

MODEL, SIZE = "ResNet50", 224
LEAST_PRODUCTS = 1e8
PEAK_ROUNDS = 2  # of the peak in each round of a layer


def layers(batch: int) -> list[tuple[Case, list[str]]]:
    """The distinct 1x1 convolutions that are large enough, and the names of the layers that are alike."""
    found = []
    for layer, names in convolutions(build(MODEL, SIZE)).items():
        if layer.taps == (1, 1):
            case = next(cases("conv2d", names[0], layer, batch))
            if case.flops >= 2 * LEAST_PRODUCTS:
                found.append((case, names))
    return found


def measure(case: Case, rounds: int) -> dict[str, Any]:
    """One row: the rung that ran, its seconds, and the share of the peak of the same round."""
    call = case.ready(None)
    seconds, peaks = [], []
    for _ in range(rounds):
        peaks.append(_peaks.multiply_adds(PEAK_ROUNDS))
        seconds += timing.interleaved({"layer": call}, 1)["layer"]
    shares = [case.flops / each / peak for each, peak in zip(seconds, peaks)]
    return {
        "case": case.name,
        "shape": case.shape,
        "rung": rungs.chosen(case)[1],
        "seconds": timing.median(seconds),
        "quartiles": timing.quartiles(seconds),
        "rate": timing.four_digits(case.work / timing.median(seconds)),
        "peak": timing.four_digits(statistics.median(peaks) / 1e9),
        "share": timing.median(shares),
        "share_quartiles": timing.quartiles(shares),
    }


def main(argv: list[str] | None = None) -> int:
    parser = command_line("pointwise", __doc__)
    parser.add_argument("--batch", action="append", type=int, help="images (default 1 and 8)")
    parser.add_argument("--threads", action="append", type=int, help="threads (default 2 and 1)")
    parser.add_argument("--rounds", type=int, default=9, help="timings of each (default 9)")
    options = parser.parse_args(argv)
    rows = []
    for count in options.threads or (2, 1):
        with timing.threads(count):
            for batch in options.batch or (1, 8):
                for case, names in layers(batch):
                    row = measure(case, options.rounds)
                    rows.append({**row, "batch": batch, "threads": count, "layers": names})
                    print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    save("pointwise", {"rows": rows}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
