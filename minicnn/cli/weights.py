"""`minicnn weights`: the published weight files: which there are, where they lie, fetch one, verify those here."""

import contextlib
import os

from minicnn.cli.console import print_json, print_table, say

SAID = 4  # files of a model in one line

EPILOG = """\
examples:
  minicnn weights list                         all published files, and which are on this machine
  minicnn weights fetch mobilenet_1_0_224_tf_no_top.h5
  minicnn weights path mobilenet_1_0_224_tf_no_top.h5
  minicnn weights verify                       whether the files on this machine are the published ones
  minicnn weights fetch imagenet_class_index.json     the names of the 1,000 classes

Files lie in the cache folder (MINICNN_CACHE); those that Keras has downloaded are used too."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "weights",
        help="list, fetch, find and verify published weight files",
        description="List the published weight files, fetch one, print where it lies, or verify those on this machine.",
        epilog=EPILOG,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list all files", description="List all published weight files.")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=run_list)
    for name, run, said in (
        ("fetch", run_fetch, "Download a file, verify it, and print its path."),
        ("path", run_path, "Print the path of a file that is on this machine."),
    ):
        action = actions.add_parser(name, help=said.lower().rstrip("."), description=said)
        action.add_argument("file", metavar="FILE", help="the name of a file in `minicnn weights list`")
        action.set_defaults(run=run)
    said = "Compare files on this machine with the published hashes; where there is none, open them."
    action = actions.add_parser("verify", help="compare files with the published hashes", description=said)
    action.add_argument("files", nargs="*", metavar="FILE", help="names of files (default: all that are here)")
    action.add_argument("--json", action="store_true", help="print JSON")
    action.set_defaults(run=run_verify)


def run_list(options) -> int:
    """All files with where they are."""
    from minicnn.weights.registry import published_files

    rows = [(entry, place_of(entry)) for entry in published_files()]
    if options.json:
        print_json(
            [
                {
                    "file": entry.file,
                    "model": entry.model,
                    "include_top": entry.include_top,
                    "alpha": entry.alpha,
                    "rows": entry.rows,
                    "url": entry.url,
                    "hash": entry.hash,
                    "path": place,
                }
                for entry, place in rows
            ]
        )
        return 0
    print_table(
        ["file", "model", "top", "on this machine"],
        [[entry.file, entry.model, "with" if entry.include_top else "without", place or "no"] for entry, place in rows],
    )
    return 0


def run_fetch(options) -> int:
    """Download a file unless it is here; with a classifier the names of its classes, which predict needs later."""
    from minicnn.errors import DownloadError
    from minicnn.weights.fetch import locate
    from minicnn.weights.registry import class_index

    entry = entry_of(options.file)
    say(str(locate(entry)))
    if entry.model and entry.include_top:
        with contextlib.suppress(DownloadError):  # the file itself is here; predict says how to get the names
            locate(class_index())
    return 0


def run_path(options) -> int:
    """Where a file lies."""
    from minicnn.errors import FileAccessError

    place = place_of(entry_of(options.file))
    if place is None:
        raise FileAccessError(
            f"{options.file} is not on this machine: get it with minicnn weights fetch {options.file}"
        )
    say(str(place))
    return 0


def run_verify(options) -> int:
    """Whether files are the published ones; 1 when one is not."""
    from minicnn.errors import FileAccessError
    from minicnn.weights.fetch import verify
    from minicnn.weights.registry import class_index, published_files

    entries = [entry_of(name) for name in options.files] or [*published_files(), class_index()]
    here = [(entry, place) for entry in entries if (place := place_of(entry))]
    if missing := [entry.file for entry in entries if options.files and not place_of(entry)]:
        raise FileAccessError(f"{missing[0]} is not on this machine: get it with minicnn weights fetch {missing[0]}")
    rows = [(place, verify(entry, place), entry.hash) for entry, place in here]
    if options.json:
        print_json([{"path": place, "doubt": doubt or None, "hash": known} for place, doubt, known in rows])
    elif not rows:
        say("no published weights file is on this machine")
    else:
        good = {True: "as published", False: "can be opened; no hash is published"}
        print_table(["file", "verdict"], [[place, doubt or good[bool(known)]] for place, doubt, known in rows])
    return int(any(doubt for _, doubt, _ in rows))


def entry_of(name: str):
    """The entry of a file name.

    Raises
    ------
    ArgumentError
        No published file has this name; the message lists similar ones.
    """
    import difflib

    from minicnn.errors import ArgumentError
    from minicnn.weights.registry import class_index, published_files

    entries = {entry.file: entry for entry in (*published_files(), class_index())}
    if name not in entries:
        said = f"no published weights file is called {name!r} (minicnn weights list names all)"
        if of_model := [entry.file for entry in published_files() if entry.model.lower() == name.lower()]:
            more = f" and {len(of_model) - SAID} more" if len(of_model) > SAID else ""
            raise ArgumentError(f"{said}; those of the model are {', '.join(of_model[:SAID])}{more}")
        similar = difflib.get_close_matches(name, entries, n=2, cutoff=0.6)
        raise ArgumentError(f"{said}; similar: {', '.join(similar)}" if similar else said)
    return entries[name]


def place_of(entry):
    """The path of a published file in minicnn's or Keras' cache; None when it is in neither."""
    from minicnn.weights.fetch import cache_folder, keras_folder

    for root in (cache_folder(), keras_folder()):
        path = root / entry.folder / entry.file
        if os.path.isfile(path):
            return path
    return None
