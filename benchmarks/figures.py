"""The tables of README.md and docs/, from what the modules of the same names measured."""

from collections.abc import Callable
from typing import Any

from .measuring import load

PEERS = {  # column: engines of which the fastest counts
    "PyTorch": ("torch", "torch-channels-last"),
    "torch.compile": ("torch-compile",),
    "ONNX Runtime": ("onnxruntime",),
    "Keras": ("keras",),
}
WAYS = {  # of few_pictures
    "scratch": "from scratch",
    "features": "trained net, new head",
    "finetuned": "trained net, default policy",
    "continued": "trained net, all of it as from scratch",
}
PACKAGES = ("torch", "onnxruntime", "keras", "tensorflow")


def render(name: str) -> str:
    """The table of a measurement, or how to make it."""
    result = load(name)
    if result is None:
        return f"Not measured yet: `python -m benchmarks.{name}`."
    return f"{TABLES[name](result)}\n\n{source(result)}"


def source(result: dict[str, Any]) -> str:
    """By which command, on which machine and when."""
    facts = result["machine"]
    versions = f"numpy {facts['numpy']}, numba {facts['numba']}"
    versions += "".join(f", {name} {result[name]}" for name in PACKAGES if result.get(name))
    machine = f"{_counted(facts['cores'], 'core')} of {facts['processor']}"
    return f"`{result['command']}`, {machine}, {versions}, {facts['date']}."


def table(header: list[str], rows: list[list[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def milliseconds(seconds: float) -> str:
    """
    >>> milliseconds(0.01234), milliseconds(0.2)
    ('12.3 ms', '200 ms')
    """
    value = 1e3 * seconds
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms" if value >= 1 else f"{value:.2f} ms"


def endtoend(result: dict[str, Any]) -> str:
    return _against(result, "prediction, 224 x 224", "times as fast as the fastest")


def training(result: dict[str, Any]) -> str:
    return _against(result, "a step of training", "times as fast as the fastest")


def _against(result: dict[str, Any], title: str, ratio: str) -> str:
    """minicnn and the engines that were asked, PyTorch at the faster of its eager ways."""
    peers = [peer for peer in PEERS if any(_ways(row, peer) for row in result["rows"])]
    rows = []
    for row in result["rows"]:
        size = f" {row['size']} x {row['size']}," if row.get("losses") else ""
        threads = row.get("threads", result.get("threads"))
        what = f"{row['model']},{size} {_counted(row['batch'], 'image')}, {_counted(threads, 'thread')}"
        cells = [milliseconds(min(found)) if (found := _ways(row, peer)) else "" for peer in peers]
        cells.append(f"{row['ratio']:.2f}" if "peer" in row else "")
        rows.append([what, milliseconds(row["seconds"]["minicnn"]), *cells])
    return table([title, "minicnn", *peers, ratio], rows)


def _ways(row: dict[str, Any], peer: str) -> list[float]:
    return [row["seconds"][name] for name in PEERS[peer] if name in row["seconds"]]


def layers(result: dict[str, Any]) -> str:
    """Convolutions alone, by each library at the fastest of its ways."""
    rows = []
    for row in result["rows"]:
        ways = [[t for name, t in row["seconds"].items() if name.startswith(p)] for p in ("torch", "onnxruntime")]
        cells = [milliseconds(min(found)) if found else "" for found in ways]
        cells.append(f"{row['ratio']:.2f}" if "peer" in row else "")
        threads = _counted(row["threads"], "thread")
        rows.append([f"{_alike(row)}, {threads}", milliseconds(row["seconds"]["minicnn"]), *cells])
    return table(["convolution, bias, ReLU", "minicnn", "oneDNN", "MLAS", "times as fast as the faster"], rows)


def pointwise(result: dict[str, Any]) -> str:
    """A row for each layer, with columns for each number of threads."""
    counts = sorted({row["threads"] for row in result["rows"]})
    found: dict[str, dict[int, str]] = {}
    for row in result["rows"]:
        cells = found.setdefault(_alike(row), {})
        cells[row["threads"]] = f"{row['rate']:.0f} GFLOP/s, {100 * row['share']:.0f} %"
    rows = [[layer, *(cells.get(count, "") for count in counts)] for layer, cells in found.items()]
    return table(["1x1 convolutions of ResNet50", *(_counted(count, "thread") for count in counts)], rows)


def _alike(row: dict[str, Any]) -> str:
    """A layer, how many others are like it, and its sizes."""
    more = f" and {len(row['layers']) - 1} more" if len(row["layers"]) > 1 else ""
    return f"{row['case']}{more}: {row['shape']}"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' if number > 1 else ''}"


def memory(result: dict[str, Any]) -> str:
    def megabytes(count: float) -> str:
        return f"{count / 1e6:.0f} MB"

    rows = []
    for row in result["rows"]:
        sizes = megabytes(row["sizes"]["weights"]), megabytes(4 * row["sizes"]["winograd"])
        copies = "none" if row["dense_copies"] == 0 else f"{row['dense_copies']}"
        rows.append([row["model"], megabytes(row["used"]), *sizes, megabytes(row["limit"]), copies])
    header = [
        "a prediction, 1 image",
        "peak of the process",
        "weights",
        "3x3 kernels, prepared",
        "aim",
        "dense weights copied",
    ]
    return table(header, rows)


def tutorial(result: dict[str, Any]) -> str:
    seconds = result["seconds"]
    rows = [["minicnn, first start (compiles)", f"{result['first_seconds']:.1f} s", ""]]
    rows += [["minicnn", f"{seconds['minicnn']:.1f} s", "1"]]
    if "keras" in seconds:
        rows += [["Keras on TensorFlow", f"{seconds['keras']:.1f} s", f"{result['ratio']:.1f}"]]
    title = f"frozen VGG16 and a head, 1,000 images of 32 x 32, {result['epochs']} epochs"
    return table([title, "whole process", "times as long"], rows)


def choice(result: dict[str, Any]) -> str:
    rows = []
    for row in result["rows"]:
        worst = row["layers"][0]
        said = f"{worst['shape']}: {worst['chosen']} for {worst['best']}, {100 * worst['regret']:.0f} %"
        name = f"{row['model']}, {_counted(row['batch'], 'image')}, {len(row['layers'])} distinct layers"
        rows.append([name, f"{100 * row['regret']:.1f} %", said if worst["regret"] else "none"])
    return table(["convolutions", "longer than on the fastest compiled rungs", "the most is lost on"], rows)


def startup(result: dict[str, Any]) -> str:
    imports, vgg16 = result["import"], result["vgg16"]
    packages = ", ".join(imports["minicnn"]["packages"])
    rows = [
        [f"`from minicnn import Tensor` (loads {packages})", milliseconds(imports["minicnn"]["seconds"])],
        ["of which NumPy", milliseconds(imports["numpy"]["seconds"])],
        ["first VGG16 prediction ever (compiles)", milliseconds(vgg16["cold"]["first"])],
        ["first VGG16 prediction of a later process", milliseconds(vgg16["warm"]["first"])],
        ["the next one", milliseconds(vgg16["warm"]["second"])],
    ]
    return table(["start", "time"], rows)


def frozen_epochs(result: dict[str, Any]) -> str:
    images = f"{result['images']} images of {result['size']} x {result['size']}"
    rows = [
        ["first epoch: the frozen base runs once", milliseconds(result["first_seconds"]), ""],
        ["later epochs", milliseconds(result["later_seconds"]), f"{result['ratio']:.2f}"],
        ["the slowest of them", milliseconds(result["slowest_seconds"]), f"{result['slowest_ratio']:.2f}"],
        ["the head alone, on features made before", milliseconds(result["head_alone_seconds"]), "1"],
    ]
    return table([f"an epoch of VGG16 + head, {images}", "time", "ratio"], rows)


def data_loading(result: dict[str, Any]) -> str:
    titles = {
        "plain": "threads work ahead",
        "augmented": "threads work ahead, flip, rotation, zoom, brightness",
        "in turns, augmented": "the same, reading and training in turns",
        "in memory": "all pictures in memory",
    }
    rows = [
        [
            f"MobileNet {alpha}, {titles[way]}",
            milliseconds(found["seconds"]),
            milliseconds(found["waited_seconds"]),
            f"{100 * found['compute_share']:.1f} %",
        ]
        for alpha, ways in result["alphas"].items()
        for way, found in ways.items()
    ]
    photos = f"{result['images']} JPEG files, {result['longer_side']} pixels wide or high"
    return table([f"first epoch on a frozen base, {photos}", "time", "waiting for data", "the rest"], rows)


def flowers(result: dict[str, Any]) -> str:
    """Each way with its interval, and what it gains on the head alone."""
    base = next(arm["base"] for arm in result["arms"] if arm["method"] == "finetuned")
    said = {"scratch": "a small net from scratch", "features": "a head on its features"}
    said |= {"finetuned": "fine-tuned by the default policy"}
    head = next(arm["name"] for arm in result["arms"] if (arm["base"], arm["method"]) == (base, "features"))
    rows = []
    for arm in result["arms"]:
        way = said.get(arm["method"], arm["method"])
        cells = [f"{100 * arm['mean']:.1f} % ({_span(arm['interval_95'])})", _gain(result["differences"], arm, head)]
        rows.append([f"{arm['base']}: {way}" if arm["base"] else way, *cells])
    folds = f"{result['divisions']} x {result['folds']}" if result["divisions"] > 1 else str(result["folds"])
    title = f"{result['pictures']} photos of flowers, {folds} folds"
    found = table([title, "right, 95 % interval", "more than the head"], rows)
    return f"{found}\n\n> {result['verdict']}"


def _gain(differences: list[dict[str, Any]], arm: dict[str, Any], other: str) -> str:
    """The difference of an arm to another by name; they are noted in one direction."""
    for found in differences:
        if {found["of"], found["to"]} == {arm["name"], other}:
            sign = 1 if found["of"] == arm["name"] else -1
            low, high = sorted((sign * found["low"], sign * found["high"]))
            return f"{100 * sign * found['mean']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
    return ""


def _span(interval: list[float]) -> str:
    return " to ".join(f"{100 * limit:.1f}" for limit in interval)


def few_pictures(result: dict[str, Any]) -> str:
    """A row for each number of pictures; for each way a column, and one of what it gains in the same draws."""
    ways = list(result["rows"][0]["ways"])
    rows = []
    for row in result["rows"]:
        cells = []
        for way in ways:
            found = row["ways"][way]
            cells.append(f"{100 * found['accuracy']:.1f} ({_span(found['accuracy_interval'])})")
            if way != "scratch":
                low, high = found["gain_interval"]
                cells.append(f"{100 * found['gain']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})")
        rows.append([str(row["pictures_a_class"]), *cells])
    header = [title for way in ways for title in (f"{WAYS[way]}, %", *(["gain"] if way != "scratch" else []))]
    found = table(["pictures of each class", *header], rows)
    counts = ", ".join(str(row["pictures_a_class"]) for row in result["rows"])
    return f"![Accuracy with {counts} pictures of each class](docs/few_pictures.svg)\n\n{found}"


def decoding(result: dict[str, Any]) -> str:
    said = {"whole": "decoded whole", "half": "decoded at half size, which minicnn does not do"}
    rows = []
    for way, found in result["ways"].items():
        times = found["decode"], found["resize"], found["decode"] + found["resize"]
        change = f"{100 * result['changes'][way]:.1f} %" if way in result["changes"] else ""
        rows.append([said[way], *map(milliseconds, times), change])
    resaved = f"{100 * result['changes']['quality 75']:.1f} %"
    rows.append(["for comparison: decoded whole, saved again at quality 75", "", "", "", resaved])
    title = f"a JPEG file, {result['longer_side']} pixels wide or high, one thread"
    return table([title, "decoding", f"to {result['size']} x {result['size']}", "both", "change of features"], rows)


def two_classes(result: dict[str, Any]) -> str:
    said = {"head": "`minicnn finetune`", "fine-tuned": "`minicnn finetune --unfreeze conv_dw_12`"}
    rows = [[said[row["way"]], f"{row['first_seconds']:.1f} s", f"{row['seconds']:.1f} s"] for row in result["rows"]]
    title = f"{result['images']} photos of two classes, the whole command"
    return table([title, "first run", "later, features in the cache"], rows)


def threads(result: dict[str, Any]) -> str:
    titles = {
        "serial": "one thread, no pool",
        "minicnn": "minicnn's pool",
        "workqueue": "Numba, workqueue",
        "omp": "Numba, OpenMP",
        "tbb": "Numba, TBB",
    }
    rows = [
        [
            titles[way],
            f"{found['compile_seconds']:.2f} s",
            f"{found['call_microseconds']:.0f} µs",
            found.get("four_callers", ""),
            found.get("forked_child", ""),
        ]
        for way, found in result["ways"].items()
        if found
    ]
    return table(["", "to compile", "a small call", "four callers at once", "a forked child"], rows)


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "endtoend": endtoend,
    "training": training,
    "layers": layers,
    "pointwise": pointwise,
    "memory": memory,
    "choice": choice,
    "tutorial": tutorial,
    "startup": startup,
    "frozen_epochs": frozen_epochs,
    "data_loading": data_loading,
    "flowers": flowers,
    "few_pictures": few_pictures,
    "two_classes": two_classes,
    "decoding": decoding,
    "threads": threads,
}
