"""The sections of the page; each takes a TrainingReport and returns markup, or nothing to say: an empty text."""

import base64
import re
from collections.abc import Mapping, Sequence

import numpy as np

from minicnn.metrics import log_loss
from minicnn.metrics.class_scores import class_scores
from minicnn.report.charts import Border, Line, fold_chart, line_chart
from minicnn.report.content import Mistake, Phase, TrainingReport
from minicnn.report.html import Markup, abbreviation, bar, element, join, section, table
from minicnn.report.plots import rate_chart
from minicnn.report.words import axis_percent, count, duration, percent, shortened
from minicnn.transfer.scores import folds_interval, wilson_interval

LONGEST_LIST = 200
LONG_NAME, LONG_FILE = 36, 44
NAMED_CLASSES = 6


def summary(report: TrainingReport) -> Markup:
    """The result in one sentence, what a careful reader must know of it, and the figures that qualify it."""
    confusion = np.asarray(report.confusion)
    total, correct = int(confusion.sum()), int(np.trace(confusion))
    low, high = wilson_interval(correct, max(total, 1))
    commonest = int(np.argmax(report.train_counts))
    guess = report.val_counts[commonest] / max(total, 1)
    lede = element(
        "p",
        "The model got ",
        element("strong", f"{correct:,} of {total:,}"),
        f" validation {'picture' if total == 1 else 'pictures'} right. Validation pictures are kept aside: the model "
        f"is never trained on them. Always answering “{report.class_names[commonest]}” would get {percent(guess)}.",
        class_="lede",
    )
    remarks = element("ul", *(element("li", remark) for remark in report.remarks), class_="remarks")
    trained = sum(report.train_counts)
    figures = [
        (
            percent(report.accuracy),
            "accuracy",
            f"likely {percent(low)} to {percent(high)} (95%\N{NO-BREAK SPACE}interval)",
        ),
        (str(len(report.class_names)), "classes", _some(report.class_names)),
        (f"{trained + total:,}", "pictures", f"{trained:,} for training, {total:,} for validation"),
        (duration(sum(phase.duration for phase in report.phases)), "training", _epochs(report.phases)),
    ]
    cards = [
        element("div", element("dt", name), element("dd", value), element("dd", note, class_="note"))
        for value, name, note in figures
    ]
    return join(lede, remarks if report.remarks else Markup(), element("dl", *cards, class_="figures"))


def _epochs(phases: Sequence[Phase]) -> str:
    return ", ".join(f"{phase.name}: {count(len(phase.seconds), 'epoch')}" for phase in phases)


def _some(names: Sequence[str]) -> Markup:
    shown = [abbreviation(*pair) for pair in zip(shortened(names), names)][:NAMED_CLASSES]
    return Markup(", ".join([*shown, "…"] if len(names) > NAMED_CLASSES else shown))


def curves(report: TrainingReport) -> Markup:
    """Loss and accuracy over the epochs of all phases, and the phases side by side."""

    def joined(name: str) -> list[float]:
        return [value for phase in report.phases for value in getattr(phase, name)]

    border = None
    note = (
        "An epoch is one pass over the training pictures. Where the training curve gets better and the validation "
        "curve does not, the model only memorises its training pictures."
    )
    if len(report.phases) > 1:
        head, fine_tuning = report.phases
        border = Border(len(head.loss), head.name, fine_tuning.name)
        note += " Fine-tuning changes layers below the head, so the curves may jump where it begins."
    charts = []
    for title, name, describe, bounds in (
        ("Accuracy", "accuracy", axis_percent, (0.0, 1.0)),
        ("Loss", "loss", lambda value: f"{value:.3g}", (0.0, None)),
    ):
        lines = [Line(which, which, joined(key)) for which, key in (("training", name), ("validation", f"val_{name}"))]
        drawing = line_chart(
            f"{title} by epoch, training and validation", lines, describe, bounds=bounds, border=border
        )
        charts.append(element("figure", element("figcaption", title), drawing))
    if all(len(phase.rates) and max(phase.rates) > 0 for phase in report.phases):
        rates = rate_chart([(phase.name, phase.rates) for phase in report.phases])
        charts.append(element("figure", element("figcaption", "Learning rate"), rates))
    details = [element("p", element("b", phase.name), f": {phase.detail}") for phase in report.phases]
    return section(
        "How it learned",
        note,
        element("div", *charts, class_="charts"),
        _phases(report),
        element("div", *details, class_="details"),
    )


def _phases(report: TrainingReport) -> Markup:
    """The phases side by side; of the last, whose early stopping watches other pictures, what the model has."""
    ends = [(phase.val_accuracy[-1], phase.val_loss[-1]) for phase in report.phases]
    if report.judged is not None:
        ends[-1] = (report.accuracy, log_loss(report.judged.labels, report.judged.probabilities))
    rows = [
        [
            phase.name,
            f"{phase.parameters:,}",
            percent(accuracy),
            f"{loss:.3f}",
            duration(phase.seconds[0]),
            duration(float(np.median(phase.seconds[1:]))) if len(phase.seconds) > 1 else "–",
            duration(phase.duration),
        ]
        for phase, (accuracy, loss) in zip(report.phases, ends)
    ]
    header = [
        "Phase",
        "Trained parameters",
        "Validation accuracy",
        "Validation loss",
        "First epoch",
        "Later epochs",
        "Time in all",
    ]
    return table(header, rows, class_="plain phases")


def folds(report: TrainingReport) -> Markup:
    """The cross-validation of the head, and of fine-tuning where there was one, on one scale."""
    if report.folds is None:
        return Markup()
    judged = [("Head alone", report.folds.head), ("Fine-tuned", report.folds.fine_tuned)]
    drawn = [(name, values, *folds_interval(values)) for name, values in judged if values]
    limits = [limit for _, values, _, interval in drawn for limit in (*values, *interval)]
    low, high = min(limits), max(limits)
    span = (low, high) if low < high else (max(low - 0.05, 0.0), min(high + 0.05, 1.0))
    parts = []
    for name, values, mean, interval in drawn:
        ends = f"95% interval {percent(interval[0])} to {percent(interval[1])}"
        caption = element("figcaption", f"{name}: {percent(mean)} on average", " ", element("span", ends))
        parts.append(element("figure", caption, fold_chart(values, mean, interval, span)))
    rounds, pictures = len(report.folds.head), sum(report.train_counts) + sum(report.val_counts)
    return section(
        "Cross-validation",
        f"All {pictures:,} pictures, those for training and those for validation together, are divided into {rounds} "
        f"parts. In each of {rounds} rounds, another part is kept aside and judged by a model that is trained on the "
        "rest. A dot is the accuracy of one round, the line their mean.",
        element("div", *parts, class_="charts"),
    )


def classes(report: TrainingReport) -> Markup:
    """Precision, recall, F1 and support of each class, with a bar under each share."""
    rows = []
    scores = class_scores(np.asarray(report.confusion), report.class_names)
    names = shortened(report.class_names, LONG_NAME)
    for score, short, trained in zip(scores, names, report.train_counts):
        bars = [bar(value) for value in (score.precision, score.recall, score.f1)]
        rows.append([abbreviation(short, score.name), *bars, f"{score.support:,}", f"{trained:,}"])
    header = ["Class", "Precision", "Recall", "F1", "Validation pictures", "Training pictures"]
    return section(
        "Class by class",
        "Precision: how often the model is right when it answers with this class. Recall: how many pictures of the "
        "class it finds. F1: the harmonic mean of both.",
        table(header, rows, class_="plain bars"),
    )


def mistakes(report: TrainingReport) -> Markup:
    """The wrong answers of the highest loss."""
    if not report.mistakes:
        return Markup()
    short = dict(zip(report.class_names, shortened(report.class_names)))
    note = (
        "The wrong answers that cost most: those where the model gave the picture's own class the least probability. "
        "Look for wrong labels first: they are often found here."
    )
    if report.seen:
        note += (
            " Beside each picture, what the model looked at: red speaks for its wrong answer, blue does not "
            "(Grad-CAM, Selvaraju et al. 2017)."
        )
    figures = [_mistake(mistake, short, report) for mistake in report.mistakes]
    gallery = "gallery pairs" if report.seen else "gallery"
    return section("Worst mistakes", note, element("div", *figures, class_=gallery))


def _mistake(mistake: Mistake, short: Mapping[str, str], report: TrainingReport) -> Markup:
    seen, true_share = report.seen.get(mistake.file), _share_of_truth(mistake, report)
    said, true = (abbreviation(short.get(name, name), name) for name in (mistake.predicted, mistake.true))
    pictures = [_jpeg(mistake.picture, f"{mistake.true}: {mistake.file}")] if mistake.picture else []
    pictures += [] if seen is None else [_jpeg(seen, f"what spoke for {mistake.predicted}")]
    return element(
        "figure",
        element("div", *pictures, class_="shots"),
        element(
            "figcaption",
            element("span", said, class_="said"),
            element("span", percent(mistake.probability), class_="sure"),
            element("span", "labelled ", element("b", true), class_="truth" if true_share else "truth alone"),
            *([element("span", true_share, class_="sure")] if true_share else []),
            element("span", shortened([mistake.file], LONG_FILE)[0], class_="file", title=mistake.file),
        ),
    )


def _share_of_truth(mistake: Mistake, report: TrainingReport) -> str:
    """The probability of a mistake's own class, where it is known."""
    if report.judged is None or mistake.file not in report.judged.names:
        return ""
    row = list(report.judged.names).index(mistake.file)
    return percent(float(report.judged.probabilities[row, report.judged.labels[row]]))


def _jpeg(picture: bytes, alt: str) -> Markup:
    return element("img", src=f"data:image/jpeg;base64,{base64.b64encode(picture).decode('ascii')}", alt=alt)


def files(report: TrainingReport) -> Markup:
    """Which pictures were used, which were not and why."""
    used = sum(report.train_counts) + sum(report.val_counts)
    said = f"{count(used, 'picture')} used, {count(len(report.refused), 'file')} refused."
    parts = []
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
    parts = [element("h3", "Command"), _command(report.command)] if report.command else []
    if report.next_command:
        parts += [element("h3", "Use the model"), _command(report.next_command)]
    return section("How this was made", "", *parts, element("div", *groups, class_="groups"))


def _command(line: str) -> Markup:
    """A command that is broken before an option rather than within one."""
    return element("pre", join(*(element("span", part) for part in re.split(r"(?<= )(?=--)", line))))
