"""What loading a file into a model did, or would have done: one row a layer, printable as a table."""

from dataclasses import dataclass, field

from .identify import identify, nearest

Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class ReportRow:
    """One layer of the model, of the file, or of both.

    Attributes
    ----------
    model, file : str or None
        The layer's name on either side ("base/conv1" in nested models); None where there is none.
    model_shapes, file_shapes : tuple of shapes
    problem : str
        Why the layer cannot be loaded; "" when it can.
    """

    model: str | None
    file: str | None
    model_shapes: Shapes = ()
    file_shapes: Shapes = ()
    problem: str = ""

    @property
    def status(self) -> str:
        if self.file is None:
            return "missing"
        if self.model is None:
            return "unexpected"
        return "mismatched" if self.problem else "loaded"


@dataclass
class LoadReport:
    """The outcome, layer by layer.

    Attributes
    ----------
    path : str
    matched_by : str
        "name", "order" or "path" (Keras 3's numbered class names).
    rows : list of ReportRow
        In the model's order, then what is only in the file.
    warnings : list of str
        What is doubtful about the weights that were loaded: NaN, infinity, negative variances.
    loaded, missing, unexpected, mismatched : list of str
        Names of layers: the model's, except in `unexpected`.
    looks_like : str
        The published architecture that the file's weights are of: "ResNet50, no top".

    Examples
    --------
    >>> rows = [ReportRow("fc", "fc", ((4, 2),), ((4, 2),)), ReportRow("top", None, ((2, 3),))]
    >>> report = LoadReport("a.h5", "name", rows)
    >>> report.loaded, report.missing
    (['fc'], ['top'])
    """

    path: str
    matched_by: str
    rows: list[ReportRow]
    warnings: list[str] = field(default_factory=list)

    def names(self, status: str) -> list[str]:
        """Names of the layers with one status."""
        return [row.model or row.file or "" for row in self.rows if row.status == status]

    @property
    def loaded(self) -> list[str]:
        return self.names("loaded")

    @property
    def missing(self) -> list[str]:
        return self.names("missing")

    @property
    def unexpected(self) -> list[str]:
        return self.names("unexpected")

    @property
    def mismatched(self) -> list[str]:
        return self.names("mismatched")

    @property
    def looks_like(self) -> str:
        """The published architecture that the file's weights are of, or are nearest to; "" when there is none."""
        shapes = [shape for row in self.rows for shape in row.file_shapes]
        if found := identify(shapes):
            return str(found)
        near = nearest(shapes)
        return f"{near}, changed" if near else ""

    def __str__(self) -> str:
        counts = {word: len(self.names(word)) for word in ("loaded", "missing", "unexpected", "mismatched")}
        said = ", ".join(f"{count} {word}" for word, count in counts.items() if count or word == "loaded")
        titles = ("model layer", "file layer", "model shapes", "file shapes", "")
        lines = [
            (
                row.model or "-",
                row.file or "-",
                _text(row.model_shapes),
                _text(row.file_shapes),
                row.problem or row.status,
            )
            for row in self.rows
        ]
        widths = [max(len(line[i]) for line in [titles, *lines]) for i in range(5)]
        table = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in [titles, *lines]
        ]
        heading = f"{self.path}: {said} (layers, by {self.matched_by})"
        found = self.looks_like if len(self.loaded) < len(self.rows) else ""
        looks = [f"the file looks like {found}"] if found else []
        return "\n".join([heading, *looks, *table, *self.warnings])


def _text(shapes: Shapes) -> str:
    return " ".join("×".join(map(str, shape)) or "scalar" for shape in shapes) or "-"
