"""The sections of the page; each takes a TrainingReport and returns markup, or nothing to say: an empty text."""

import base64
from collections.abc import Sequence

import numpy as np

from minicnn.report.charts import Line, fold_chart, line_chart
from minicnn.report.content import Mistake, Phase, TrainingReport
from minicnn.report.html import Markup, element, join, table
from minicnn.transfer.scores import class_scores, mean_interval, wilson_interval

LARGEST_MATRIX = 24
FEW_CLASSES = 8
LONGEST_LIST = 200


def percent(share: float) -> str:
    """A share as a percentage with one digit."""
    return f"{share:.1%}"


def duration(seconds: float) -> str:
    """
    A time span as a person says it.

    Examples
    --------
    >>> duration(0.0123), duration(0.874), duration(7.26), duration(200)
    ('12 ms', '0.87 s', '7.3 s', '3 min 20 s')
    """
    if seconds < 0.0995:
        return f"{seconds * 1000:.2g} ms"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 0.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def count(number: int, singular: str, plural: str = "") -> str:
    """A number and its noun."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def section(title: str, note: str, *children: str) -> Markup:
    """A heading, one sentence that explains it, and the content."""
    head = element("header", element("h2", title), element("p", note) if note else Markup())
    return element("section", head, *children)


def summary(report: TrainingReport) -> Markup:
    """The result in one sentence, and the figures that qualify it."""
    confusion = np.asarray(report.confusion)
    total, correct = int(confusion.sum()), int(np.trace(confusion))
    low, high = wilson_interval(correct, max(total, 1))
    commonest = int(np.argmax(report.train_counts))
    guess = report.val_counts[commonest] / max(total, 1)
    lede = element(
        "p",
        f"Of {count(total, 'picture')} kept aside from training, the model names ",
        element("strong", f"{correct:,} rightly"),
        f". Calling them all “{report.class_names[commonest]}” would get {percent(guess)}.",
        class_="lede",
    )
    used = sum(report.train_counts) + sum(report.val_counts)
    figures = [
        (percent(report.accuracy), "accuracy", f"95% interval {percent(low)} to {percent(high)}"),
        (str(len(report.class_names)), "classes", _some(report.class_names)),
        (f"{used:,}", "pictures used", f"{sum(report.train_counts):,} to learn from, {total:,} to judge by"),
        (duration(sum(phase.duration for phase in report.phases)), "training", _epochs(report.phases)),
    ]
    cards = [
        element("div", element("dt", name), element("dd", value), element("dd", note, class_="note"))
        for value, name, note in figures
    ]
    return join(lede, element("dl", *cards, class_="figures"))


def _epochs(phases: Sequence[Phase]) -> str:
    return ", ".join(f"{phase.name}: {count(len(phase.seconds), 'epoch')}" for phase in phases)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")


def curves(report: TrainingReport) -> Markup:
    """Loss and accuracy over the epochs of all phases, and the phases side by side."""

    def joined(name: str) -> list[float]:
        return [value for phase in report.phases for value in getattr(phase, name)]

    boundary = len(report.phases[0].loss) if len(report.phases) > 1 else None
    charts = []
    for title, name, describe, bounds in (
        ("Accuracy", "accuracy", lambda value: f"{value:.0%}", (0.0, 1.0)),
        ("Loss", "loss", lambda value: f"{value:.3g}", (0.0, None)),
    ):
        lines = [Line("train", "training", joined(name)), Line("val", "validation", joined(f"val_{name}"))]
        drawing = line_chart(
            f"{title} by epoch, training and validation", lines, describe, bounds=bounds, boundary=boundary
        )
        charts.append(element("figure", element("figcaption", title), drawing))
    rows = [
        [
            phase.name,
            f"{phase.parameters:,}",
            percent(phase.val_accuracy[-1]),
            f"{phase.val_loss[-1]:.3f}",
            duration(phase.seconds[0]),
            duration(float(np.median(phase.seconds[1:]))) if len(phase.seconds) > 1 else "–",
            duration(phase.duration),
        ]
        for phase in report.phases
    ]
    details = [element("p", element("b", phase.name), f": {phase.detail}") for phase in report.phases]
    header = ["Phase", "Numbers trained", "Val. accuracy", "Val. loss", "First epoch", "Later epochs", "In all"]
    return section(
        "How it learned",
        "The two curves of a chart part when the model begins to learn its pictures by heart.",
        element("div", *charts, class_="charts"),
        table(header, rows, class_="plain"),
        element("div", *details, class_="details"),
    )


def folds(report: TrainingReport) -> Markup:
    """The cross-validation of the head, and of fine-tuning where there was one, on one scale."""
    if report.folds is None:
        return Markup()
    judged = [("Head alone", report.folds.head), ("Fine-tuned", report.folds.fine_tuned)]
    drawn = [(name, values, *mean_interval(values)) for name, values in judged if values]
    limits = [limit for _, values, _, interval in drawn for limit in (*values, *interval)]
    parts = []
    for name, values, mean, interval in drawn:
        low, high = (percent(min(max(limit, 0.0), 1.0)) for limit in interval)
        caption = f"{name}: {percent(mean)} on average, 95% interval {low} to {high}"
        chart = fold_chart(values, mean, interval, (min(limits), max(limits)))
        parts.append(element("figure", element("figcaption", caption), chart))
    return section(
        "Cross-validation",
        f"In {len(report.folds.head)} rounds, each picture is judged once by a model that never saw it. "
        "A dot is the accuracy of one round.",
        element("div", *parts, class_="charts"),
    )


def confusion(report: TrainingReport) -> Markup:
    """The confusion matrix as a shaded table, or the commonest confusions when there are many classes."""
    names, matrix = report.class_names, np.asarray(report.confusion)
    if len(names) > LARGEST_MATRIX:
        return section("What it mixes up", "The confusions that happen most.", _confusions(names, matrix))
    head = element(
        "tr",
        element("th", "true class", class_="corner"),
        *(element("th", element("span", name), scope="col", class_="slanted") for name in names),
    )
    rows = []
    for i, name in enumerate(names):
        support = max(int(matrix[i].sum()), 1)
        cells = []
        for j, other in enumerate(names):
            value = int(matrix[i, j])
            cells.append(
                element(
                    "td",
                    str(value) if value else "·",
                    class_="right" if i == j else "wrong",
                    style=f"--share:{value / support:.0%}" if value else None,
                    title=f"{name} named {other}: {value} of {int(matrix[i].sum())}",
                )
            )
        rows.append(element("tr", element("th", name, scope="row"), *cells))
    grid = element(
        "table",
        element("thead", head),
        element("tbody", *rows),
        class_="matrix roomy" if len(names) <= FEW_CLASSES else "matrix",
    )
    return section(
        "What it mixes up",
        "A row is a true class, a column what it said; the stronger the colour, the larger its share of the row.",
        element("div", grid, class_="scroll"),
    )


def _confusions(names: Sequence[str], matrix: np.ndarray) -> Markup:
    errors = matrix * (1 - np.eye(len(names), dtype=matrix.dtype))
    order = np.argsort(-errors, axis=None, kind="stable")[:20]
    pairs = [divmod(int(flat), len(names)) for flat in order]
    rows = [[names[i], names[j], f"{errors[i, j]:,}", f"{matrix[i].sum():,}"] for i, j in pairs if errors[i, j]]
    return table(["True class", "Named", "Times", "Of"], rows, class_="plain")


def classes(report: TrainingReport) -> Markup:
    """Precision, recall, F1 and support of each class, with a bar under each share."""
    rows = []
    scores = class_scores(np.asarray(report.confusion), report.class_names)
    for score, trained in zip(scores, report.train_counts):
        bars = [_bar(value) for value in (score.precision, score.recall, score.f1)]
        rows.append([score.name, *bars, f"{score.support:,}", f"{trained:,}"])
    return section(
        "Class by class",
        "Precision: how often the name is right when given. Recall: how many of the class are found. "
        "F1: the harmonic mean of both.",
        table(["Class", "Precision", "Recall", "F1", "Judged", "Trained on"], rows, class_="plain bars"),
    )


def _bar(share: float) -> Markup:
    return element("span", percent(share), class_="bar", style=f"--share:{share:.1%}")


def mistakes(report: TrainingReport) -> Markup:
    """The wrong answers the model was surest of."""
    if not report.mistakes:
        return Markup()
    return section(
        "Surest mistakes",
        "The wrong answers it was most certain of. Look for wrong labels first: they are often found here.",
        element("div", *(_mistake(mistake) for mistake in report.mistakes), class_="gallery"),
    )


def _mistake(mistake: Mistake) -> Markup:
    data = base64.b64encode(mistake.picture).decode("ascii")
    return element(
        "figure",
        element("img", src=f"data:image/jpeg;base64,{data}", alt=f"{mistake.true}: {mistake.file}"),
        element(
            "figcaption",
            element("span", mistake.predicted, class_="said"),
            element("span", percent(mistake.probability), class_="sure"),
            element("span", "is ", element("b", mistake.true), class_="truth"),
            element("span", mistake.file, class_="file"),
        ),
    )


def files(report: TrainingReport) -> Markup:
    """Which pictures were used, which were not and why."""
    used = sum(report.train_counts) + sum(report.val_counts)
    said = f"{count(used, 'picture')} used, {count(len(report.refused), 'file')} refused."
    parts = [element("p", remark, class_="details") for remark in report.remarks]
    for title, listed in (("Refused", report.refused), ("Used after a conversion", report.adapted)):
        if listed:
            rows = [[name, reason] for name, reason in listed[:LONGEST_LIST]]
            if len(listed) > LONGEST_LIST:
                rows.append(["…", f"and {len(listed) - LONGEST_LIST:,} more"])
            parts += [element("h3", title), table(["File", "Reason"], rows, class_="plain files")]
    return section("The pictures", said, *parts)


def making(report: TrainingReport) -> Markup:
    """All that is needed to do it again."""
    groups = []
    for title, values in report.facts.items():
        pairs = [element("div", element("dt", name), element("dd", value)) for name, value in values.items()]
        groups.append(element("div", element("h3", title), element("dl", *pairs, class_="facts")))
    parts = [element("h3", "Command"), element("pre", report.command)]
    if report.next_command:
        parts += [element("h3", "Use the model"), element("pre", report.next_command)]
    if report.cache:
        parts.append(element("p", report.cache, class_="details"))
    return section("How this was made", "", *parts, element("div", *groups, class_="groups"))
