"""The page itself: one file that needs no network and no script, light or dark, on a phone and on paper."""

from pathlib import Path

from minicnn.report import costs, judging, sections
from minicnn.report.content import TrainingReport
from minicnn.report.html import Markup, element, join
from minicnn.report.matrix import confusion

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def render(report: TrainingReport) -> str:
    """
    A TrainingReport as one HTML page.

    Every name, path and sentence is escaped; pictures are embedded; a content policy in the page forbids
    scripts and network access, so that opening a report made from a stranger's files is safe.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn.report import Phase, TrainingReport
    >>> phase = Phase("head", "a dense layer", 6, [0.7], [0.5], [0.6], [1.0], [0.01], 0.3)
    >>> report = TrainingReport("Pets", "today", "minicnn finetune pets", ["cat", "dog"], np.eye(2, dtype=int),
    ...                         [phase], [4, 4], [1, 1])
    >>> render(report).startswith("<!doctype html>")
    True
    """
    style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{report.title} · minicnn report"),
        element("style", Markup(style)),
    )
    top = element(
        "header",
        element("p", "minicnn training report", element("time", report.created), class_="eyebrow"),
        element("h1", report.title),
        sections.summary(report),
        class_="top",
    )
    drawn = (
        sections.curves,
        sections.folds,
        confusion,
        sections.classes,
        judging.thresholds,
        judging.calibration,
        sections.mistakes,
        judging.features,
        costs.groups,
        sections.files,
        costs.timing,
        sections.making,
    )
    body = element("body", element("main", top, *(part(report) for part in drawn)))
    return join(Markup("<!doctype html>\n"), element("html", head, body, lang="en")) + "\n"
