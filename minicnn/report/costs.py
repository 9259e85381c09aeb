"""Sections on what was trained and what it took: layer groups, time, cache."""

from minicnn.report.content import TrainingReport
from minicnn.report.html import Markup, bar, element, section, table
from minicnn.report.words import duration


def groups(report: TrainingReport) -> Markup:
    """The layer groups of a fine-tuning, from the inputs to the head."""
    if not report.groups:
        return Markup()
    rows = [
        [group.name, f"{group.parameters:,}", f"{group.trained:,}", f"{group.rate:.2g}" if group.trained else "–"]
        for group in report.groups
    ]
    return section(
        "What was trained",
        "The layers of the network from the picture to the answer. Those that see simple things change least, or not "
        "at all.",
        table(["Layers", "Weights", "Trained", "Highest rate"], rows, class_="plain layers"),
    )


def timing(report: TrainingReport) -> Markup:
    """How long each step took, and what the cache of features did."""
    if not report.seconds and not report.cache:
        return Markup()
    total = sum(report.seconds.values())
    rows = [[step, duration(seconds), bar(seconds / total)] for step, seconds in report.seconds.items()]
    listed = table(["Step", "Time", "Share"], [*rows, ["all of it", duration(total), ""]], class_="plain times")
    cache = [element("p", report.cache, class_="details")] if report.cache else []
    return section("Where the time went", "", *([listed] if rows else []), *cache)
