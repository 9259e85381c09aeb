"""Runs: the folders that `minicnn finetune` writes, read back, listed and compared."""

from minicnn.runs.compare import SamePictures, compare_answers, differences, varying
from minicnn.runs.run import Run, find_runs, read_run

__all__ = ["Run", "SamePictures", "compare_answers", "differences", "find_runs", "read_run", "varying"]
