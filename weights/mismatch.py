"""Say in one line why a file does not fit a model, and what to do about it."""

from .report import LoadReport, ReportRow
from .spec import LayerSpec
from .state_dict import PYTORCH

ANOTHER = "load them into a model of the kind, width and depth that they were saved from"
TORCH = "its layers have PyTorch's names: minicnn.applications.torchvision and .timm build the networks that have them"


def describe_mismatch(report: LoadReport, spec: LayerSpec, file_format: str) -> str:
    """ "FILE does not fit the model 'm': 14 of 16 layers fit; the first of 2 differences: ...; what to do".

    Parameters
    ----------
    report : LoadReport
        At least one row is not loaded.
    spec : LayerSpec
    file_format : str
        Of the WeightFile.
    """
    wanted = sum(row.model is not None for row in report.rows)
    fitting = len(report.loaded)
    count = f"{fitting} of {wanted} layers fit" if fitting else "no layer fits"
    wrong = [row for row in report.rows if row.status != "loaded"]
    which = f"the first of {len(wrong)} differences" if len(wrong) > 1 else "the difference"
    first = _difference(wrong[0], report) if wrong else "the file has no weights"
    remedy = TORCH if file_format == PYTORCH and not report.loaded else _remedy(report)
    verb = "holds weights of another architecture than" if remedy == ANOTHER else "does not fit"
    found = report.looks_like if file_format != PYTORCH else ""  # whose networks are others
    looks = f"; the file looks like {found}" if found else ""
    return f"{report.path} {verb} the model {spec.name!r}{looks}: {count}; {which}: {first}; {remedy}"


def _difference(row: ReportRow, report: LoadReport) -> str:
    if row.status == "missing":
        others = report.unexpected
        instead = f" (the file has {others[0]!r})" if others else ""
        return f"the model's layer {row.model!r} {_shapes(row.model_shapes)} is not in the file{instead}"
    if row.status == "unexpected":
        return f"the file's layer {row.file!r} {_shapes(row.file_shapes)} is not in the model"
    return f"file layer {row.file!r}, model layer {row.model!r}: {row.problem}"


def _shapes(shapes: tuple[tuple[int, ...], ...]) -> str:
    return " ".join(map(str, shapes))


def _remedy(report: LoadReport) -> str:
    """The likely fix, from where the differences are."""
    if not report.loaded:
        return ANOTHER
    model = [row for row in report.rows if row.model is not None]
    ends = [row.status for row in model]
    last = len(model) - ends[::-1].index("loaded")
    body_fits = "mismatched" not in ends[:last] and "missing" not in ends[:last]
    if body_fits and report.mismatched:
        return (
            "the last layers differ: the number of classes is another one; "
            "build the model with the file's classes=, use include_top=False, or on_mismatch='skip'"
        )
    if body_fits and report.missing and report.unexpected:
        return "the last layers have other names: strict=False loads those before them"
    if body_fits and report.missing:
        return "the file lacks the last layers: build the model with include_top=False, or load with strict=False"
    if report.unexpected and not (report.missing or report.mismatched):
        return "the file has more layers than the model: strict=False leaves them out"
    if report.missing and not report.mismatched:
        return "these are weights of another architecture, or of other layer names: strict=False loads what is there"
    if report.matched_by == "name" and report.mismatched and not (report.missing or report.unexpected):
        return "on_mismatch='skip' loads the layers that fit"
    return ANOTHER
