"""`minicnn inspect`: what is in a file of weights or of a model, without running it."""

import hashlib
import math
from pathlib import Path

from minicnn.cli.console import one_line, print_json, print_table, say
from minicnn.errors import MinicnnError

NAMES_SHOWN = 8

EPILOG = """\
examples:
  minicnn inspect mobilenet_1_0_224_tf.h5        format, layers, shapes, architecture
  minicnn inspect model.keras --json             the same for a program

Opens legacy .h5 (weights or whole models), Keras 3 .weights.h5 and .keras, and .safetensors. Nothing in the file is
run."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "inspect",
        help="say what is in a weights file",
        description="Say what is in a weights file: format, writer, layers, shapes, architecture.",
        epilog=EPILOG,
    )
    parser.add_argument("file", metavar="FILE", help="a .h5, .weights.h5, .keras or .safetensors file")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options) -> int:
    """Describe the file."""
    found = describe(options.file)
    if options.json:
        print_json(found)
    else:
        _print(found)
    return 0


def describe(path: str) -> dict:
    """The contents of a weights file as plain values."""
    from minicnn.applications.from_weights import AROUND, doubt_of, network_in, network_inside
    from minicnn.weights import open_weights
    from minicnn.weights.contents import contents

    with open_weights(path) as file:
        layers = [
            {
                "name": layer.name,
                "class": layer.class_name,
                "weights": [
                    {"name": w.name, "role": role, "shape": list(w.shape), "dtype": w.dtype}
                    for role, w in layer.weights
                ],
            }
            for layer in contents(file)
        ]
        network, inner = network_in(file), network_inside(file)
        return {
            "file": str(path),
            "bytes": Path(path).stat().st_size,
            "sha256": _sha256(path),
            "format": file.format,
            "keras_version": file.keras_version,
            "architecture": f"{inner}, {AROUND}" if inner else str(network) if network else None,
            "doubt": (network and doubt_of(network)) or None,
            "has_config": file.config is not None,
            "to_run": to_run(file, network),
            "command": None if file.config is not None else command(network, inner),
            "metadata": file.metadata,
            "numbers": sum(math.prod(w["shape"]) for layer in layers for w in layer["weights"]),
            "layers": layers,
        }


def to_run(file, network) -> str:
    """What it takes to have a model that runs; `network` is the one that the weights are of, where that is known."""
    from minicnn.applications.from_weights import call
    from minicnn.models.config_reading import model_from_config

    if file.config is not None:
        try:
            model_from_config(file.config, file.keras_version)
        except MinicnnError as error:
            return f"minicnn cannot build it: {error}"
        return "load_model(FILE)"
    if network is None:
        return "a model that is built as the one that was saved, then model.load_weights(FILE)"
    return call(network)


def command(network, inner) -> str | None:
    """What the command line does with the weights of a network, or of a model around one."""
    if network is not None and network.classes:
        return "minicnn predict FILE IMAGE"
    return "minicnn finetune PHOTOS --base FILE" if network or inner else None


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _print(found: dict) -> None:
    own = found["metadata"] is not None  # minicnn writes the formats of Keras, and says so in metadata of its own
    writer = f", {'in the format of' if own else 'written by'} Keras {one_line(found['keras_version'])}"
    writer = writer if found["keras_version"] else ""
    weighted = sum(bool(layer["weights"]) for layer in found["layers"])
    say(found["file"])
    say(f"  format        {found['format']}{writer}")
    say(f"  size          {found['bytes']:,} bytes")
    say(f"  sha256        {found['sha256']}")
    say(f"  architecture  {found['architecture'] or 'not one that minicnn models lists'}")
    if found["doubt"]:
        say(f"  doubt         {found['doubt']}")
    say(f"  config        {'present' if found['has_config'] else 'none: weights only'}")
    say(f"  to run it     {one_line(found['to_run'])}")
    if found["command"]:
        say(f"  or            {found['command']}")
    say(f"  layers        {len(found['layers'])}, of them {weighted} with weights; {found['numbers']:,} numbers")
    if own:
        say(f"  made by       {one_line(_maker(found['metadata']))}")
    say()
    rows = [
        [layer["name"] if i == 0 else "", weight["role"] or weight["name"], _shape(weight["shape"]), weight["dtype"]]
        for layer in found["layers"]
        for i, weight in enumerate(layer["weights"])
    ]
    print_table(["layer", "weight", "shape", "stored as"], rows)


def _maker(metadata: dict) -> str:
    names = metadata.get("class_names")
    said = f"minicnn {metadata.get('minicnn', '')}".rstrip()
    if not isinstance(names, list) or not names:
        return said
    more = ", …" if len(names) > NAMES_SHOWN else ""
    return f"{said}; {len(names)} classes: {', '.join(map(str, names[:NAMES_SHOWN]))}{more}"


def _shape(shape: list[int]) -> str:
    return " × ".join(map(str, shape)) or "number"
