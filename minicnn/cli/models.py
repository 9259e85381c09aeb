"""`minicnn models`: the networks that minicnn builds, and what was published about each."""

import textwrap

from minicnn.cli.console import NONE, print_json, print_table, say

WIDTH, INDENT = 120, 15

EPILOG = """\
examples:
  minicnn models --list                    all networks
  minicnn models efficientnetb0            one of them: paper, licence, weight files
  minicnn models torchvision.resnet50      what takes a state dict of torchvision
  minicnn models --list --json             for a program

top-1 is the accuracy on ImageNet's validation set in percent, as published with the weights; weights counts the numbers
with a classifier for 1,000 classes; prepared is how pixels become numbers, none where the network does it; the licence
is that of the published weights, where one is stated.  Any of the names is a base: minicnn finetune PHOTOS --base
NAME, with --weights FILE where minicnn weights list names no file of it."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "models",
        help="list the networks that minicnn builds",
        description="List the networks that minicnn builds, or say what is known of one.",
        epilog=EPILOG,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("name", nargs="?", metavar="NAME", help="a network, in small or capital letters")
    what.add_argument("--list", action="store_true", help="list all (this is done without a NAME too)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options) -> int:
    """List all, or describe one."""
    from minicnn.applications.state_dicts import NETWORKS
    from minicnn.weights.architectures import architecture, architectures

    rows, networks = architectures(), list(NETWORKS.values())
    if options.name:
        known = NETWORKS.get(options.name.lower())
        name = None if known else architecture(options.name, others=NETWORKS).name
        rows, networks = [row for row in rows if row.name == name], [known] if known else []
    if options.json:
        print_json([*map(_plain, rows), *map(_plain_network, networks)])
    elif not options.name:
        _list(rows, networks)
    elif rows:
        _describe(rows)
    else:
        _describe_network(*networks)
    return 0


def _list(rows, networks) -> None:
    header = ["model", "pixels", "weights", "prepared", "top-1", "licence", "paper"]
    told = [[row, row.side, f"{row.parameters:,}", *_rest(row), row.licence or NONE, row.paper] for row in rows]
    print_table(header, told)
    say()
    say("PyTorch's networks, for state dicts as .safetensors: --base torchvision.NAME or timm.NAME, --weights FILE")
    for package in ("torchvision", "timm"):
        names = [name for module, _, name in (network.name.partition(".") for network in networks) if module == package]
        indent = " " * INDENT
        lines = textwrap.fill(" ".join(names), WIDTH, initial_indent=indent, subsequent_indent=indent)
        say(f"  {package}{lines[len(package) + 2 :]}")


def _rest(row) -> list[str]:
    return [row.preprocessing, NONE if row.top1 is None else f"{row.top1:.1f}"]


def _plain(row) -> dict:
    return {**vars(row), "arguments": dict(row.arguments), "files": [entry.file for entry in _files(row.name)]}


def _plain_network(network) -> dict:
    """As of a row; it takes a while to count the weights of all of them."""
    from dataclasses import fields

    from minicnn.weights.architectures import Architecture

    known = {key: getattr(network, key) for key in ("name", "side", "least", "preprocessing")}
    module = network.name.partition(".")[0]
    unknown = dict.fromkeys(field.name for field in fields(Architecture))
    return {**unknown, **known, "module": module, "arguments": {}, "files": []}


def _files(name: str) -> list:
    from minicnn.weights.registry import published_files

    return [entry for entry in published_files() if entry.model == name]


def _describe(rows) -> None:
    first = rows[0]
    say(f"{first.name}: {first.paper}")
    say(f"  pictures   {_pictures(first)}")
    say(f"  licence    of the published weights: {first.licence or 'not stated'}")
    say()
    header = ["variant", "weights", "without top", "top-1"]
    print_table(header, [[row, f"{row.parameters:,}", f"{row.headless:,}", _rest(row)[1]] for row in rows])
    say()
    files = _files(first.name)
    say("files for minicnn weights fetch:" if files else "no weights of it are published in Keras' format")
    for entry in files:
        say(f"  {entry.file}")


def _describe_network(network) -> None:
    package = network.name.partition(".")[0]
    whole, bare = network(), network(include_top=False)
    say(f"{network.name}: as in {package}, for its state dict saved as .safetensors")
    say(f"  pictures   {_pictures(network)}")
    say(f"  weights    {whole.count_params():,}; without top {bare.count_params():,}")
    say()
    say(f"in Python, of a model of {package}:")
    say("  safetensors.torch.save_file(model.state_dict(), 'FILE.safetensors')")
    say("then here:")
    say(f"  minicnn finetune PHOTOS --base {network.name} --weights FILE.safetensors")
    say("  minicnn predict FILE.safetensors IMAGE")


def _pictures(row) -> str:
    return f"{row.side} x {row.side} pixels, at least {row.least}; prepared as {row.preprocessing!r}"
