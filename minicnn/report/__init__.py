"""The report: what a training run did and how well, on one page that can be shown to others."""

from minicnn.report.content import Mistake, Phase, TrainingReport
from minicnn.report.page import render

__all__ = ["Mistake", "Phase", "TrainingReport", "render"]
