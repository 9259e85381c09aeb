"""`minicnn demo`: the whole job offline, on pictures that minicnn draws itself."""

from pathlib import Path

from minicnn.cli.console import Progress, note, say
from minicnn.cli.finetune import print_result

PER_CLASS = 120
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
    parser.add_argument("--out", default="minicnn-demo", metavar="DIR", help="new folder (default: minicnn-demo)")
    parser.set_defaults(run=run)


def run(options) -> int:
    """Draw, train, report."""
    from minicnn.datasets import shapes
    from minicnn.report import write_outputs
    from minicnn.report.outputs import check_place
    from minicnn.transfer import Settings, finetune_folder

    out = check_place(options.out)
    pictures = Path(out) / "pictures"
    if not pictures.exists():
        shapes.write(pictures, PER_CLASS)
        note(f"drew pictures of {', '.join(shapes.CLASS_NAMES)} in {pictures}")
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
    paths = write_outputs(result, out, command)
    for remark in result.remarks:
        note(remark)
    print_result(result, paths)
    say(f"\nOpen {paths['report.html']} in a browser; do the same with your own photos: minicnn finetune PHOTOS")
    return 0
