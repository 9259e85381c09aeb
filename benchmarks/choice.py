"""Does the default choose well?  Every rung of conv2d on the layers of four networks: results/choice.json.

    python -m benchmarks.choice

Each distinct layer of VGG16, ResNet50, MobileNetV2 and EfficientNetB0 is timed as prediction runs it, with weights
prepared for the rung, on 1 and on 8 images.  The regret of a network is by how much its layers take longer on the
chosen rungs than on the fastest ones, each counted as often as the network has it.
"""

import json
import sys
from collections import Counter
from typing import Any

from minicnn import kernels
from minicnn.bench import rungs
from minicnn.bench.cases import Case, Layer, cases
from minicnn.bench.networks import convolutions
from minicnn.bench.shapes import build
from minicnn.bench.timing import four_digits, interleaved, median

from .measuring import command_line, save

MODELS = ("VGG16", "ResNet50", "MobileNetV2")
BLOCKS = (  # of EfficientNetB0 (Tan & Le, 2019, table 1): side, channels in, channels out, repeats, stride, expansion
    (112, 32, 16, 1, 1, 1),
    (112, 16, 24, 2, 2, 6),
    (56, 24, 40, 2, 2, 6),
    (28, 40, 80, 3, 2, 6),
    (14, 80, 112, 3, 1, 6),
    (14, 112, 192, 4, 2, 6),
    (7, 192, 320, 1, 1, 6),
)
SQUEEZE = 4  # the gates of a block have a quarter of its input channels


def layers_of(model: str) -> Counter[Layer]:
    """The convolutions of a network as its plan runs them, and how often it has each."""
    if model == "EfficientNetB0":
        return efficientnet()
    return Counter({layer: len(names) for layer, names in convolutions(build(model, 224)).items()})


def efficientnet() -> Counter[Layer]:
    """The convolutions of EfficientNetB0 that are not depthwise: expansions, gates and projections around those."""
    found = Counter({Layer((224, 224, 3), (3, 3), 32, (2, 2), ((0, 1), (0, 1))): 1})
    for side, channels, filters, repeats, stride, expansion in BLOCKS:
        for repeat in range(repeats):
            wide, out = expansion * channels, -(-side // stride) if repeat == 0 else side
            if expansion > 1:
                found[Layer((side, side, channels), filters=wide)] += 1
            found[Layer((1, 1, wide), filters=channels // SQUEEZE)] += 1
            found[Layer((1, 1, channels // SQUEEZE), filters=wide)] += 1
            found[Layer((out, out, wide), filters=filters)] += 1
            side, channels = out, filters
    found[Layer((7, 7, 320), filters=1280)] += 1
    return found


def measure(case: Case, count: int, rounds: int) -> dict[str, Any]:
    """One layer: the seconds of each rung compiled by Numba, which one is chosen, and which is the fastest."""
    compiled = {s.rung for s in kernels.specs() if (s.op, s.direction, s.needs_numba) == ("conv2d", "forward", True)}
    names = rungs.able(case, compiled - {"v1_direct"})
    times = interleaved({rung: case.ready(rung) for rung in names}, rounds)
    seconds = {rung: median(values) for rung, values in times.items()}
    best, chosen = min(seconds, key=seconds.__getitem__), rungs.chosen(case)[1]
    regret = round(seconds[chosen] / seconds[best] - 1, 4)
    return {"shape": case.shape, "count": count, "seconds": seconds, "chosen": chosen, "best": best, "regret": regret}


def regret(rows: list[dict[str, Any]]) -> float:
    """By how much the chosen rungs take longer than the fastest ones."""
    chosen, best = (sum(row["count"] * row["seconds"][row[which]] for row in rows) for which in ("chosen", "best"))
    return four_digits(chosen / best - 1)


def main(argv: list[str] | None = None) -> int:
    parser = command_line("choice", __doc__)
    networks = (*MODELS, "EfficientNetB0")
    parser.add_argument("--model", action="append", choices=networks, help="time this one alone; may be repeated")
    parser.add_argument("--batch", action="append", type=int, help="images (default 1 and 8)")
    parser.add_argument("--rounds", type=int, default=5, help="timings of each rung (default 5)")
    options = parser.parse_args(argv)
    results = []
    for model in options.model or networks:
        for batch in options.batch or (1, 8):
            rows = []
            for layer, count in layers_of(model).items():
                case = next(cases("conv2d", model, layer, batch))
                rows.append(measure(case, count, options.rounds))
            rows.sort(key=lambda row: row["count"] * (row["seconds"][row["best"]] - row["seconds"][row["chosen"]]))
            results.append({"model": model, "batch": batch, "regret": regret(rows), "layers": rows})
            worst = {row["shape"]: f"{row['chosen']}, {row['best']} {row['regret']:.0%}" for row in rows[:3]}
            print(json.dumps({**results[-1], "layers": worst}), file=sys.stderr, flush=True)
    save("choice", {"rows": results}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
