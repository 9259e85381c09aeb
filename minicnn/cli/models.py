"""`minicnn models`: the architectures that minicnn builds, and what was published about each."""

from minicnn.cli.console import NONE, print_json, print_table, say

EPILOG = """\
examples:
  minicnn models --list                all architectures
  minicnn models efficientnetb0        one of them: paper, licence, weight files
  minicnn models --list --json         for a program

top-1 is the accuracy on ImageNet's validation set in percent, as published with the weights; weights counts the numbers
with a classifier for 1,000 classes; prepared is how pixels become numbers, none where the network does it; the licence
is that of the published weights, where one is stated.  Any of the names is a base: minicnn finetune PHOTOS --base
NAME."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "models",
        help="list the architectures",
        description="List the architectures that minicnn builds, or say what is known of one.",
        epilog=EPILOG,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("name", nargs="?", metavar="NAME", help="an architecture, in small or capital letters")
    what.add_argument("--list", action="store_true", help="list all (this is done without a NAME too)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options) -> int:
    """List all, or describe one."""
    from minicnn.weights.architectures import architecture, architectures

    rows = architectures()
    if options.name:
        name = architecture(options.name).name
        rows = [row for row in rows if row.name == name]
    if options.json:
        print_json([_plain(row) for row in rows])
    elif options.name:
        _describe(rows)
    else:
        header = ["model", "pixels", "weights", "prepared", "top-1", "licence", "paper"]
        told = [[row, row.side, f"{row.parameters:,}", *_rest(row), row.licence or NONE, row.paper] for row in rows]
        print_table(header, told)
    return 0


def _rest(row) -> list[str]:
    return [row.preprocessing, NONE if row.top1 is None else f"{row.top1:.1f}"]


def _plain(row) -> dict:
    return {**vars(row), "arguments": dict(row.arguments), "files": [entry.file for entry in _files(row.name)]}


def _files(name: str) -> list:
    from minicnn.weights.registry import published_files

    return [entry for entry in published_files() if entry.model == name]


def _describe(rows) -> None:
    first = rows[0]
    say(f"{first.name}: {first.paper}")
    say(f"  pictures   {first.side} x {first.side} pixels, at least {first.least}; prepared as {first.preprocessing!r}")
    say(f"  licence    of the published weights: {first.licence or 'not stated'}")
    say()
    header = ["variant", "weights", "without top", "top-1"]
    print_table(header, [[row, f"{row.parameters:,}", f"{row.headless:,}", _rest(row)[1]] for row in rows])
    say()
    files = _files(first.name)
    say("files for minicnn weights fetch:" if files else "no weights of it are published in Keras' format")
    for entry in files:
        say(f"  {entry.file}")
