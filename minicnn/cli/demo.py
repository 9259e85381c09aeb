"""`minicnn demo`: the whole job offline, on pictures that minicnn draws itself."""

from pathlib import Path

from minicnn.cli.console import Progress, note, say
from minicnn.cli.finetune import print_result
from minicnn.cli.places import named_folder, said_of_contents
from minicnn.cli.results import write_results
from minicnn.errors import DataError

PER_CLASS = 120
PICTURES = "pictures"
LAYER, RATE, EPOCHS = "stage2", 1e-3, 20  # the drawn shapes are far from photos: train all but the first stage

EPILOG = """\
examples:
  minicnn demo                 results in minicnn-demo/, pictures in minicnn-demo/pictures/
  minicnn demo --out /tmp/d    somewhere else

Nothing is downloaded. Open report.html in a browser afterwards."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "demo",
        help="draw pictures, train a classifier of them, write a report: offline, under two minutes",
        description="Draw a small set of labelled pictures, transfer the bundled network to it, write a report.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "--out", default="minicnn-demo", metavar="DIR", help="folder for results and pictures (default: minicnn-demo)"
    )
    parser.set_defaults(run=run)


def run(options) -> int:
    """Draw, train, report."""
    from minicnn.datasets import shapes
    from minicnn.report.outputs import check_outputs
    from minicnn.transfer import Settings, finetune_folder

    out = check_outputs(named_folder(options.out))
    held = said_of_contents(out, known=PICTURES)
    pictures = Path(out) / PICTURES
    if not pictures.exists():
        shapes.write(pictures, PER_CLASS)
        note(f"drew pictures of {', '.join(shapes.CLASS_NAMES)} in {pictures}")
    elif not pictures.is_dir() or {path.name for path in pictures.iterdir()} != set(shapes.CLASS_NAMES):
        raise DataError(f"{pictures} is there and does not hold the demo's pictures: name another folder with --out")
    progress = Progress()
    try:
        result = finetune_folder(
            pictures,
            "bundled",
            settings=Settings(unfreeze=LAYER, learning_rate=RATE, fine_epochs=EPOCHS),
            progress=progress,
        )
    finally:
        progress.close()
    choices = ["--base", "bundled", "--unfreeze", LAYER, "--learning-rate", f"{RATE:g}", "--fine-epochs", f"{EPOCHS}"]
    command = ["minicnn", "finetune", str(pictures), *choices, "--out", str(out)]
    paths = write_results(result, out, command)
    if held:
        note(held)
    for remark in result.remarks:
        note(remark)
    print_result(result, paths)
    say(f"\nOpen {paths['report.html']} in a browser; do the same with your own photos: minicnn finetune PHOTOS")
    return 0
