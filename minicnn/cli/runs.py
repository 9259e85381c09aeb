"""`minicnn runs`: the results of training, listed and compared."""

import re
from pathlib import Path

from minicnn.cli.console import NONE, note, one_line, print_json, print_table, say

MOST_COLUMNS = 6
SHOWN_ANYWAY = ("base", "weights", "weights_sha256")  # the base has a column, and its weights go with it

EPILOG = """\
examples:
  minicnn runs                       all runs here and below, the best of each set of pictures first
  minicnn runs runs                  those in runs/
  minicnn runs runs/a runs/b         what differs between two, and which is better by more than chance
  minicnn runs --json                for a program

A run is a folder that minicnn finetune wrote: minicnn finetune photos --out runs/NAME.
A choice that is not the same in all runs has a column.  Runs that are under way, or were stopped, are listed below;
one that can be resumed goes on with the command that began it and --resume."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "runs",
        help="list and compare results of training",
        description="List the runs in folders, and say what differs between two.",
        epilog=EPILOG,
    )
    parser.add_argument("folders", metavar="FOLDER", nargs="*", help="runs, or folders with runs (default: this one)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options) -> int:
    """List; with two, compare."""
    from dataclasses import replace

    from minicnn.runs import compare_answers, differences, find_runs, find_unfinished

    found, begun, problems = {}, {}, []
    folders = options.folders or ["."]
    for folder in folders:
        runs, wrong = find_runs(folder)
        for there, each in ((found, runs), (begun, find_unfinished(folder))):
            each = each if len(folders) == 1 else [replace(run, name=str(run.folder)) for run in each]
            there |= {run.folder.resolve(): run for run in each}
        problems += wrong
    runs, unfinished = list(found.values()), list(begun.values())
    pair = runs if len(runs) == 2 else None
    differing = differences(*pair) if pair else None
    same = compare_answers(*pair) if pair else None
    if options.json:
        told = {"runs": list(map(_plain, runs)), "unfinished": list(map(_plain_unfinished, unfinished))}
        print_json({**told, "differences": differing, "same_pictures": same and vars(same)})
    else:
        if runs:
            _list(runs)
        if runs and unfinished:
            say()
        if unfinished:
            _list_unfinished(unfinished)
        if pair:
            _compare(pair, differing, same)
    for problem in problems:
        note(f"left out: {problem}")
    return 2 if problems else 0


def _plain(run) -> dict:
    return {"run": run.name, "folder": str(Path(run.folder).resolve()), "metrics": run.metrics, **run.record}


def _plain_unfinished(run) -> dict:
    place = {"run": run.name, "folder": str(Path(run.folder).resolve()), "status": run.status}
    return {**place, "reached": run.reached, "last_checkpoint": run.written, "config": run.choices}


def _list_unfinished(runs) -> None:
    print_table(
        ["run", "status", "reached", "last checkpoint", "base"],
        [
            [run.name, run.status, run.reached or NONE, _minute(run.written), run.choices.get("base", NONE)]
            for run in runs
        ],
    )


def _minute(time: str) -> str:
    return time[:16].replace("T", " ") or NONE


def _list(runs) -> None:
    from minicnn.runs import varying

    choices = {name: [run.config.get(name) for run in runs] for name in varying(runs) if name not in SHOWN_ANYWAY}
    columns = [name for name, values in choices.items() if not _is_idle(name, values)][:MOST_COLUMNS]
    header = ["run", "pictures of", "accuracy", "95% interval", "judged on", "base", "made", *columns]
    print_table(header, [[*_row(run), *(_cell(run.config.get(name)) for name in columns)] for run in runs])


def _is_idle(choice: str, values) -> bool:
    """Whether it differs just because some runs fine-tune, all as by default, and others do not; `unfreeze` says so."""
    from minicnn.transfer.policy import FINE_TUNING, Policy

    return choice in (*FINE_TUNING, "augment") and all(value in (None, getattr(Policy(), choice)) for value in values)


def _row(run) -> list[str]:
    low, high = run.metrics["accuracy_interval_95"]
    interval = f"{low:.1%} to {high:.1%}"
    judged = run.metrics["validation_pictures"]
    accuracy = f"{run.metrics['accuracy']:.1%}"
    return [run.name, run.title or NONE, accuracy, interval, judged, run.config.get("base", NONE), _minute(run.created)]


def _cell(value) -> str:
    """A fact in a column, long hashes by their beginning."""
    if value is None:
        return NONE
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1…", str(value))


def _compare(pair, differing, same) -> None:
    say()
    first, second = (one_line(run.name) for run in pair)
    rows = [
        [name, *map(_cell, values)]
        for name, values in differing.items()
        if not _is_idle(name.removeprefix("config."), values)
    ]
    if rows:
        print_table(["differs", first, second], rows)
    else:
        say("nothing that is known differs but the date")
    say()
    if same is None:
        say("they have judged no picture that both name, so their accuracies are of different pictures")
        return
    say(f"of {same.pictures:,} pictures that both judged, both were right on {same.both:,}")
    say(f"{first} alone on {same.first:,}, {second} alone on {same.second:,}: {_verdict(same, first, second)}")


def _verdict(same, first: str, second: str) -> str:
    if same.first == same.second:
        return "neither is better"
    better = first if same.first > same.second else second
    if same.p < 0.05:
        return f"{better} is better (sign test, p = {same.p:.2g})"
    return f"no difference beyond chance (sign test, p = {same.p:.2g})"
