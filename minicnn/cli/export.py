"""`minicnn export`: a model as an ONNX file."""

from minicnn.cli.console import say

EPILOG = """\
examples:
  minicnn export photos-model/model.keras photos.onnx

Needs the package onnx: pip install 'minicnn[onnx]'. Inputs and outputs are as of the model: pictures (N,H,W,C),
prepared as the model wants them; how, is in the file's metadata under the key "minicnn"."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "export",
        help="write a model as an ONNX file",
        description="Write a model as an ONNX file, for ONNX Runtime and others.",
        epilog=EPILOG,
    )
    parser.add_argument("model", metavar="MODEL", help="a .keras or .h5 file with a whole model")
    parser.add_argument("out", metavar="OUT.onnx", help="the file to write")
    parser.set_defaults(run=run)


def run(options) -> int:
    """Build, and write."""
    from minicnn.cli.classifier import holds_model, weights_alone
    from minicnn.models import load_model
    from minicnn.onnx import export

    if not holds_model(options.model):
        raise weights_alone(options.model)
    model = load_model(options.model)
    export(model, options.out)
    say(f"{options.out}: {model.name}, {model.count_params():,} weights")
    return 0
