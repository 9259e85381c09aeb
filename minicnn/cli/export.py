"""`minicnn export`: a model as an ONNX file."""

from minicnn.cli.console import say
from minicnn.cli.options import MODEL_HELP
from minicnn.errors import ArgumentError

EPILOG = """\
examples:
  minicnn export photos-model/model.keras photos.onnx
  minicnn export resnet50.safetensors resnet50.onnx      a state dict of torchvision or timm

Needs the package onnx: pip install onnx. Inputs and outputs are as of the model: pictures (N,H,W,C),
prepared as the model wants them; how, is in the file's metadata under the key "minicnn"."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "export",
        help="write a model as an ONNX file",
        description="Write a model as an ONNX file, for ONNX Runtime and others.",
        epilog=EPILOG,
    )
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("out", metavar="OUT.onnx", help="the file to write")
    parser.set_defaults(run=run)


def run(options) -> int:
    """Build, and write."""
    from minicnn.cli.model_files import load
    from minicnn.onnx import export

    if options.model.endswith(".onnx") and not options.out.endswith(".onnx"):
        raise ArgumentError(
            f"the model comes first, then the file to write: minicnn export {options.out} {options.model}"
        )
    model = load(options.model)
    export(model, options.out)
    say(f"{options.out}: {model.name}, {model.count_params():,} weights")
    return 0
