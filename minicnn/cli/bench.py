"""`minicnn bench`: time a kernel's rungs, a layer or a network against other engines, a result against an older one."""

import sys

from minicnn.cli.console import NONE, note, print_json, print_table, say
from minicnn.cli.options import DENSE_STORAGES
from minicnn.cli.parser import whole
from minicnn.errors import ArgumentError

ALL = "all"
SIDE = 224  # of images, where --size is not given
MODEL, LAYER = "model", "layer"
PEERS = ("torch", "torch-channels-last", "torch-compile", "onnxruntime", "keras")
REDUCED = DENSE_STORAGES[1:]

DESCRIPTION = """\
Time the rungs of an operation, a layer or a network by several engines, on the CPU, or compare two results.
`python -m benchmarks.gpu`, in a checkout of minicnn, times a GPU."""

EPILOG = """\
examples:
  minicnn bench conv2d --shape vgg16.block3_conv2 --rungs all
  minicnn bench conv2d --shape 56x56x64,3x3x128/2 --direction all --threads 1
  minicnn bench dense --shape 4096,1000 --batch 32 --json > new.json
  minicnn bench layer vgg16.block3_conv2 --against torch-packed,onnxruntime --peer-python other-env/bin/python
  minicnn bench model resnet50 --against torch,onnxruntime --peer-python other-env/bin/python
  minicnn bench model vgg16 --dense-storage bfloat16,int8
  minicnn bench --compare old.json new.json"""

OPERATION_EPILOG = """\
Each rung is compared with the definition in double precision before it is timed; all are timed in turns.  GFLOP/s count
the operations of the definition, so that Winograd's rungs, which do fewer, may pass 100 % of the peak; GB/s count each
number once, so that what stays in a cache may pass 100 % of memory.  The peaks are measured before and after.  BLAS, in
some rungs, keeps its own number of threads (OPENBLAS_NUM_THREADS).

Sizes may end in /2 for a stride of 2; the padding is "same".  ms is the median, spread the range between the quartiles
as a share of it, error the relative distance from the definition."""

ENGINES_EPILOG = """\
ms is the median, spread the range between the quartiles as a share of it.  "times as long" is the median of the ratios
of neighbouring timings, which a machine that changes its speed disturbs less: it need not be the ratio of the medians.
"differs by" is the relative distance of the outputs from minicnn's."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    from minicnn.bench.cases import operations

    parser = commands.add_parser(
        "bench",
        help="time kernels rung by rung, or networks against PyTorch and ONNX Runtime, on the CPU",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    parser.add_argument("--compare", nargs=2, metavar=("OLD", "NEW"), help="two results of --json: what has changed")
    parser.add_argument("--json", action="store_true", dest="compare_json", help="with --compare: print JSON")
    parser.set_defaults(run=run_compare)
    named = ", ".join(operations())
    subjects = parser.add_subparsers(
        title="what to time",
        metavar="OPERATION",
        help=f"{MODEL} for a whole network, {LAYER} for one convolution of it, or an operation: {named}",
    )
    for op in operations():
        _add_operation(subjects, op)
    _add_model(subjects)
    _add_layer(subjects)


def _add_operation(subjects, op: str) -> None:
    from minicnn import kernels
    from minicnn.bench.shapes import form_of

    directions = list(dict.fromkeys(spec.direction for spec in kernels.specs() if spec.op == op))
    parser = subjects.add_parser(op, description=f"Time the rungs of {op} in turns.", epilog=OPERATION_EPILOG)
    parser.add_argument("--shape", required=True, metavar="S", help=form_of(op))
    parser.add_argument("--rungs", default=ALL, metavar="R", help="names with commas between (default: all)")
    parser.add_argument(
        "--direction", choices=[*directions, ALL], default=directions[0], help=f"default: {directions[0]}"
    )
    _add_size(parser)
    parser.add_argument(
        "--slow",
        type=whole(1),
        default=1,
        metavar="S",
        help="what takes longer than S seconds is timed once (default: 1)",
    )
    _add_shared(parser, 9)
    parser.set_defaults(run=run_operation, op=op)


def _add_model(subjects) -> None:
    said = "Time the prediction of a network by several engines in turns."
    parser = subjects.add_parser(MODEL, description=said, epilog=ENGINES_EPILOG)
    parser.add_argument("name", metavar="NAME", help="vgg16, resnet50, mobilenetv2, ...")
    _add_engines(parser, PEERS)
    parser.add_argument(
        "--dense-storage",
        default="",
        metavar="STORAGES",
        help=f"minicnn again, with weights of dense layers stored as {' and '.join(REDUCED)} (default: none)",
    )
    _add_shared(parser, 15)
    parser.set_defaults(run=run_model)


def _add_layer(subjects) -> None:
    from minicnn.bench.layers import PEERS

    said = "Time one convolution with bias and ReLU by several engines in turns, each on its own layout of the images."
    parser = subjects.add_parser(LAYER, description=said, epilog=ENGINES_EPILOG)
    parser.add_argument("name", metavar="NAME", help="a layer, as vgg16.block3_conv2, or sizes, as 56x56x64,3x3x128/2")
    _add_engines(parser, PEERS)
    _add_shared(parser, 9)
    parser.set_defaults(run=run_layer)


def _add_engines(parser, peers: tuple[str, ...]) -> None:
    known = f"{', '.join(peers[:-1])} and {peers[-1]}"
    parser.add_argument(
        "--against", default="", metavar="ENGINES", help=f"{known}, with commas between (default: none)"
    )
    parser.add_argument("--peer-python", metavar="PATH", help="a Python that has these engines (default: this one)")
    _add_size(parser)


def _add_size(parser) -> None:
    said = f"side of the network's images (default: {SIDE})"
    parser.add_argument("--size", type=whole(32, 2048), metavar="N", help=said)


def _add_shared(parser, rounds: int) -> None:
    parser.add_argument("--batch", type=whole(1, 4096), default=1, metavar="N", help="images or rows (default: 1)")
    parser.add_argument("--threads", type=whole(1, 1024), metavar="N", help="threads (default: one for each core)")
    parser.add_argument(
        "--rounds", type=whole(1), default=rounds, metavar="N", help=f"timings of each (default: {rounds})"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _check_alone(options) -> None:
    if options.compare or options.compare_json:
        raise ArgumentError("bench: --compare goes without an operation; write --json after the operation")


def _check_size(size: int | None, layer: str) -> None:
    if size and "." not in layer:
        raise ArgumentError(f"--size is for a layer of a network; {layer} has its sizes")


def run_operation(options) -> int:
    """Time the rungs of an operation."""
    from minicnn.bench import machine, peaks, rungs, timing
    from minicnn.bench.cases import cases
    from minicnn.bench.shapes import layer_of

    _check_alone(options)
    names = None if options.rungs == ALL else [name.strip() for name in options.rungs.split(",")]
    _check_size(options.size, options.shape)
    layer = layer_of(options.op, options.shape, options.batch, options.size or SIDE)
    found = []
    with timing.threads(options.threads) as threads:
        before = peaks.measure()
        for case in cases(options.op, options.shape, layer, options.batch):
            if options.direction in (ALL, case.direction):
                wanted = rungs.wanted(case, names)
                found.append((case, rungs.measure(case, wanted, options.rounds, options.slow), rungs.chosen(case)))
        if not any(rows for _, rows, _ in found):
            raise ArgumentError(f"{options.op} {options.direction}, {options.shape}: {options.rungs} cannot do this")
        bounds = before.or_higher(peaks.measure())
        facts = machine.facts()
    if options.json:
        rows = [{**row, "batch": options.batch} for _, part, _ in found for row in part]
        default = [{"direction": case.direction, "call": c, "prediction": p} for case, _, (c, p) in found]
        told = {"machine": facts, "peaks": bounds.as_json(), "threads": threads, "default": default, "rows": rows}
        print_json(told)
        return 0
    said = bounds.as_json()
    reached = f"{said['gflops']:g} GFLOP/s and {said['gb_per_s']:g} GB/s from memory, as measured by {said['source']}"
    say(f"{facts['processor']}, {_counted(threads, 'thread')}: {reached}")
    for case, rows, default in found:
        _print_rungs(case, rows, default, names or rungs.rungs_of(case), bounds)
    return 0


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' if number > 1 else ''}"


def _print_rungs(case, rows, default, asked, bounds) -> None:
    say(f"\n{case.op} {case.direction}, {case.name}: {case.shape}")
    header = ["rung", "ms", "spread", "GFLOP/s", "% of peak", "GB/s", "% of memory", "error"]
    print_table(header, [_cells(case, row, bounds) for row in rows])
    if left := [rung for rung in asked if rung not in [row["rung"] for row in rows]]:
        say(f"left out, as they cannot do this or take too long: {', '.join(left)}")
    call, prediction = default
    same = call == prediction
    say(f"default: {call}" if same else f"default: {prediction} in prediction, {call} in a call with other weights")


def _cells(case, row, bounds) -> list[str]:
    seconds, (low, high) = row["seconds"], row["quartiles"]
    flops, moved = case.flops / seconds, case.moved / seconds
    multiplied = [f"{flops / 1e9:.1f}", f"{100 * flops / bounds.flops:.0f}%"] if flops else [NONE, NONE]
    read = [f"{moved / 1e9:.2f}", f"{100 * moved / bounds.bytes:.0f}%"]
    return [
        row["rung"],
        f"{1e3 * seconds:.3f}",
        f"{100 * (high - low) / seconds:.0f}%" if row["runs"] > 1 else NONE,
        *multiplied,
        *read,
        f"{row['error']:.0e}",
    ]


def run_model(options) -> int:
    """Time a network by several engines."""
    from minicnn.bench.engines import STORED, compare_with

    wanted = _listed("--against", options.against, "engine", PEERS)
    wanted += [STORED[s] for s in _listed("--dense-storage", options.dense_storage, "storage", REDUCED)]
    side = options.size or SIDE
    images = f"{_counted(options.batch, 'image')} of {side} x {side}"
    return _run_engines(options, wanted, compare_with, lambda row: f"{row['model']}, {images}")


def run_layer(options) -> int:
    """Time a convolution by several engines."""
    from minicnn.bench.layers import PEERS, compare_with

    _check_size(options.size, options.name)
    wanted = _listed("--against", options.against, "engine", PEERS)
    return _run_engines(options, wanted, compare_with, lambda row: f"{row['case']}: {row['shape']}")


def _run_engines(options, wanted: list[str], compare_with, title) -> int:
    """What model and layer do alike."""
    from minicnn.bench import machine, timing

    _check_alone(options)
    with timing.threads(options.threads) as threads:
        facts = machine.facts()
    python = options.peer_python or sys.executable
    row = compare_with(options.name, wanted, python, options.batch, options.size or SIDE, threads, options.rounds)
    if options.json:
        print_json({"machine": facts, "threads": threads, "rows": [row]})
        return 0
    say(f"{title(row)}, {_counted(threads, 'thread')}, {facts['processor']}")
    print_table(["engine", "ms", "spread", "times as long", "differs by"], _engine_rows(row))
    return 0


def _listed(option: str, text: str, kind: str, known: tuple[str, ...]) -> list[str]:
    """The names in a text with commas between."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise ArgumentError(f"{option}: there is no {kind} {name!r}; there are {', '.join(known)}")
    return names


def _engine_rows(row) -> list[list[str]]:
    rows = []
    for name, seconds in row["seconds"].items():
        low, high = row["quartiles"][name]
        ratio, error = row["ratios"].get(name), row["errors"].get(name)
        cells = [f"{ratio:.2f}" if ratio else NONE, NONE if error is None else f"{error:.0e}"]
        rows.append([name, f"{1e3 * seconds:.2f}", f"{100 * (high - low) / seconds:.0f}%", *cells])
    return rows


def run_compare(options) -> int:
    """What has changed between two results."""
    from minicnn.bench.compare import compare, read

    if not options.compare:
        raise ArgumentError("bench: name an operation, model, layer, or --compare OLD NEW (see minicnn bench --help)")
    old, new = map(read, options.compare)
    differences = compare(old, new)
    if options.compare_json:
        print_json([{**d._asdict(), "ratio": d.ratio} for d in differences])
        return 0
    if old.get("machine") and new.get("machine") and _hardware(old) != _hardware(new):
        note("the two were measured on different machines or with different threads")
    rows = [[d.what, f"{1e3 * d.old:.3f}", f"{1e3 * d.new:.3f}", f"{d.ratio:.2f}", _said(d)] for d in differences]
    print_table(["timed", "old ms", "new ms", "times as fast", "beyond the noise"], rows)
    return 0


def _said(difference) -> str:
    """Whether a difference is more than the noise."""
    if difference.real is None:
        return "not known"
    return "" if not difference.real else "faster" if difference.ratio > 1 else "slower"


def _hardware(result) -> list[object]:
    return [result["machine"].get(name) for name in ("processor", "cores", "threads")]
