"""`minicnn summary`: the layers of a model."""

from minicnn.cli.console import print_json, say
from minicnn.cli.options import MODEL_HELP

EPILOG = """\
examples:
  minicnn summary photos-model/model.keras
  minicnn summary old_model.h5 --json

Weights alone are built as the network of `minicnn models` that they are of; what is in other files, minicnn inspect
shows."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "summary",
        help="print the layers of a model",
        description="Build the model of a file and print its layers: shapes, weights, trainable, BatchNorm mode.",
        epilog=EPILOG,
    )
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options) -> int:
    """Build and print."""
    from minicnn.cli.model_files import load

    model = load(options.model)
    if options.json:
        print_json(describe(model))
        return 0
    model.summary(print_fn=say)
    names = model.metadata.get("class_names")
    if names:
        say(f"classes {', '.join(map(str, names))}")
    return 0


def describe(model) -> dict:
    """The model as plain values."""
    return {
        "name": model.name,
        "inputs": [list(tensor.shape) for tensor in model.inputs],
        "outputs": [list(tensor.shape) for tensor in model.outputs],
        "weights": model.count_params(),
        "trainable_weights": sum(parameter.size for parameter in model.trainable_weights),
        "metadata": model.metadata,
        "layers": [
            {
                "name": layer.name,
                "class": type(layer).__name__,
                "output": list(layer.output_shape),
                "weights": layer.count_params(),
                "trainable": bool(layer.trainable),
            }
            for layer in model.layers
        ],
    }
