"""Sections on what the probabilities are worth: curves over thresholds, calibration, and where features lie."""

from collections.abc import Sequence

import numpy as np

from minicnn.metrics import (
    fit_temperature,
    log_loss,
    precision_recall_curve,
    reliability_diagram,
    roc_curve,
    with_temperature,
)
from minicnn.report.content import TrainingReport
from minicnn.report.html import Markup, abbreviation, element, section, table
from minicnn.report.plots import COLOURS, Bin, Curve, Spot, reliability_chart, scatter_chart, unit_chart
from minicnn.report.projection import projections
from minicnn.report.words import count, percent, shortened
from minicnn.transfer.judged import Judged
from minicnn.transfer.scores import wilson_interval

BINS = 10
LONG_NAME = 30


def thresholds(report: TrainingReport) -> Markup:
    """ROC and precision-recall curves of each class against the rest, and the areas under them."""
    judged = report.judged
    if judged is None or len(np.unique(judged.labels)) < 2:
        return Markup()
    areas = judged.areas()
    known = [number for number, area in enumerate(areas) if area["roc_auc"] is not None]
    shown = sorted(sorted(known, key=lambda number: areas[number]["roc_auc"] or 0)[:COLOURS])
    short = shortened(report.class_names, LONG_NAME)
    rocs, precisions, rows = [], [], []
    for colour, number in enumerate(shown):
        name, column = report.class_names[number], ((judged.labels == number) * 1, judged.probabilities[:, number])
        false, true, _ = roc_curve(*column)
        precision, recall, _ = precision_recall_curve(*column)
        rocs.append(Curve(name, false, true, colour))
        precisions.append(Curve(name, recall, precision, colour))
        rows.append(
            [_keyed(colour, abbreviation(short[number], name)), *(f"{area:.3f}" for area in areas[number].values())]
        )
    charts = [
        ("ROC curve", "false alarms", "found", rocs, {"diagonal": True}),
        ("Precision over recall", "recall", "precision", precisions, {"steps": True}),
    ]
    drawn = [
        element("figure", element("figcaption", title), unit_chart(title, (x, y), curves, **options))
        for title, x, y, curves, options in charts
    ]
    note = (
        "A class counts as found when its probability is above a threshold, which falls along each curve. The area "
        "under the ROC curve is the chance that a picture of the class gets a higher probability than one of another "
        "class: 0.5 is guessing, 1 is perfect."
    )
    if len(known) > COLOURS:
        note += f" Of {len(known):,} classes, the {COLOURS} with the smallest area are shown."
    return section(
        "How well it tells each class from the rest",
        note,
        element("div", *drawn, class_="charts"),
        table(["Class", "ROC area", "Average precision"], rows, class_="plain areas"),
    )


def _keyed(colour: int, name: Markup) -> Markup:
    """A name behind a dot of its colour."""
    return element("span", element("span", class_=f"key k{colour % COLOURS}"), name, class_="keyed")


def calibration(report: TrainingReport) -> Markup:
    """Whether the model is right as often as it is sure."""
    judged = report.judged
    if judged is None or not len(judged.labels):
        return Markup()
    diagram = reliability_diagram(judged.labels, judged.probabilities, BINS)
    bins = []
    for confidence, accuracy, samples in zip(diagram.confidence, diagram.accuracy, diagram.count):
        if samples:
            limits = wilson_interval(round(accuracy * samples), int(samples))
            bins.append(Bin(float(confidence), int(samples), float(accuracy), limits))
    low = np.floor(min(found.confidence for found in bins) * BINS) / BINS
    drawing = reliability_chart(bins, diagram.count / diagram.count.sum(), min(float(low), 1 - 1 / BINS))
    caption = element("figcaption", "Right as often as sure?")
    return section(
        "Can its probabilities be believed?",
        "Pictures are grouped by how sure the model was. Where it is honest, a dot lies on the line: of the pictures "
        "of which it is 80% sure, 80% are right. Below the line it is too sure. The whiskers are 95% intervals.",
        element("div", element("figure", caption, drawing), _believed(judged, diagram.error), class_="charts beside"),
    )


def _believed(judged: Judged, error: float) -> Markup:
    """The calibration in figures, and what a temperature would do."""
    labels, p = judged.labels, judged.probabilities
    sure, right = float(p.max(axis=1).mean()), float((p.argmax(axis=1) == labels).mean())
    temperature = fit_temperature(labels, p)
    before, after = log_loss(labels, p), log_loss(labels, with_temperature(p, temperature))
    said = "too sure" if sure > right else "not sure enough"
    facts = {
        "sure, on average": percent(sure),
        "right": percent(right),
        "calibration error": percent(error),
        "log-loss": f"{before:.3f}",
    }
    note = (
        f"On average the model is {said} by {percent(abs(sure - right))}. The calibration error is the mean distance "
        "of the dots from the line, each weighed by its pictures. "
    )
    if right == 1:
        note += (
            "All of these pictures were named rightly, so they cannot tell how much surer the model might be: a "
            "temperature is found by its mistakes, on more pictures."
        )
    else:
        facts |= {"temperature": f"{temperature:.2f}", "log-loss at that temperature": f"{after:.3f}"}
        note += (
            "Dividing the scores before the softmax by the temperature would make the probabilities "
            f"{'softer' if temperature > 1 else 'sharper'} and change no answer; it was found on these same pictures, "
            "so on others it helps a little less."
        )
    pairs = [element("div", element("dt", name), element("dd", value)) for name, value in facts.items()]
    return element("div", element("dl", *pairs, class_="facts"), element("p", note, class_="details"))


def features(report: TrainingReport) -> Markup:
    """Where the network sees the pictures: those that it finds alike lie together."""
    judged = report.judged
    found = projections(judged.features) if judged is not None else []
    if judged is None or not found:
        return Markup()
    names, answers = report.class_names, judged.probabilities.argmax(axis=1)
    colours = {number: i for i, number in enumerate(sorted({int(label) for label in judged.labels}))}
    charts = []
    for projection in found:
        spots = []
        for (x, y), row in zip(projection.points, map(int, projection.rows)):
            label, answer = int(judged.labels[row]), int(answers[row])
            said = _title(judged, names, row, answer)
            spots.append(Spot(float(x), float(y), colours[label], answer != label, said))
        caption = element("figcaption", projection.name, " ", element("span", projection.detail))
        charts.append(element("figure", caption, scatter_chart(f"pictures by {projection.name}", spots)))
    short = shortened(names, LONG_NAME)
    keys = [_keyed(i, abbreviation(short[number], names[number])) for number, i in colours.items()]
    legend = element(
        "p",
        *keys,
        element("span", element("span", class_="key ring"), "named wrongly", class_="keyed"),
        class_="legend",
    )
    drawn = len(found[0].rows)
    every = "The validation pictures" if drawn == len(judged.labels) else f"{count(drawn, 'validation picture')}"
    twice = " Colours repeat: point at a dot to see its class." if len(colours) > COLOURS else ""
    return section(
        "What the network finds alike",
        f"{every} by their features from the frozen base, {judged.features.shape[1]:,} numbers each, as near on the "
        f"page as they are alike.{twice}",
        element("div", *charts, class_="charts"),
        legend,
    )


def _title(judged: Judged, names: Sequence[str], row: int, answer: int) -> str:
    label = int(judged.labels[row])
    said = "" if answer == label else f", named {names[answer]}"
    return f"{judged.names[row]}: {names[label]}{said}"
