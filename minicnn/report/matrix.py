"""What the model mixes up: the confusion matrix, and the commonest confusions as a list where it has no room."""

from collections.abc import Sequence

import numpy as np

from minicnn.report.content import TrainingReport
from minicnn.report.html import Markup, abbreviation, element, join, section, table
from minicnn.report.words import shortened

LARGEST = 24  # classes in a matrix
LARGEST_ON_A_PHONE = 8
DENSE = 12
SHORT_NAME = 10  # characters that stand upright over a column
LONGEST_LIST = 20

IN_A_MATRIX = (
    "Each row is a true class, each column an answer of the model; the stronger the colour, the larger its share of "
    "the row."
)
IN_A_LIST = "The confusions that happen most."


def confusion(report: TrainingReport) -> Markup:
    """The matrix, the list, or both, of which the style sheet shows one."""
    names, matrix = shortened(report.class_names), np.asarray(report.confusion)
    if len(names) > LARGEST:
        return section("What it mixes up", IN_A_LIST, _list(report.class_names, names, matrix))
    grid = _grid(report.class_names, names, matrix)
    if len(names) <= LARGEST_ON_A_PHONE:
        return section("What it mixes up", IN_A_MATRIX, grid)
    both = join(element("span", IN_A_MATRIX, class_="wide"), element("span", IN_A_LIST, class_="narrow"))
    listed = element("div", _list(report.class_names, names, matrix), class_="narrow")
    return section("What it mixes up", both, element("div", grid, class_="wide"), listed)


def _grid(full: Sequence[str], names: Sequence[str], matrix: np.ndarray) -> Markup:
    """The matrix as a table that is shaded by the share of each cell in its row."""
    head = element(
        "tr",
        element("th", "true class", class_="corner"),
        *(element("th", abbreviation(*pair), scope="col", class_="slanted") for pair in zip(names, full)),
    )
    rows = [
        element("tr", element("th", abbreviation(name, full[i]), scope="row"), *_cells(full, matrix, i))
        for i, name in enumerate(names)
    ]
    longest = max(map(len, names))
    upright = len(names) <= LARGEST_ON_A_PHONE and longest <= SHORT_NAME
    return element(
        "table",
        element("thead", head),
        element("tbody", *rows),
        class_="matrix roomy" if upright else "matrix dense" if len(names) > DENSE else "matrix",
        style=f"--classes:{len(names)};--letters:{longest}",
    )


def _cells(full: Sequence[str], matrix: np.ndarray, row: int) -> list[Markup]:
    support = int(matrix[row].sum())
    cells = []
    for column, value in enumerate(map(int, matrix[row])):
        cells.append(
            element(
                "td",
                str(value) if value else "·",
                class_="right" if row == column else "wrong",
                style=f"--share:{value / max(support, 1):.0%}" if value else None,
                title=f"true class {full[row]}, answer {full[column]}: {value} of {support}",
            )
        )
    return cells


def _list(full: Sequence[str], names: Sequence[str], matrix: np.ndarray) -> Markup:
    """The commonest confusions, the most frequent first."""
    errors = matrix * (1 - np.eye(len(names), dtype=matrix.dtype))
    order = np.argsort(-errors, axis=None, kind="stable")[:LONGEST_LIST]
    pairs = [divmod(int(flat), len(names)) for flat in order]
    rows = [
        [
            abbreviation(names[i], full[i]),
            abbreviation(names[j], full[j]),
            f"{errors[i, j]:,} of {matrix[i].sum():,}",
        ]
        for i, j in pairs
        if errors[i, j]
    ]
    if not rows:
        return element("p", "None: it got every validation picture right.", class_="details")
    return table(["True class", "Answer", "Times"], rows, class_="plain confusions")
