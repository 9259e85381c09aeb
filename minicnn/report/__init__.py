"""The report: what a training run did and how well, on one page that can be shown to others."""

from minicnn.report.content import LayerGroup, TrainingReport
from minicnn.report.describe import describe
from minicnn.report.outputs import write_outputs
from minicnn.report.page import render
from minicnn.transfer.judged import Judged
from minicnn.transfer.result import Folds, Mistake, Phase

__all__ = ["Folds", "Judged", "LayerGroup", "Mistake", "Phase", "TrainingReport", "describe", "render", "write_outputs"]
