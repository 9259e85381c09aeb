"""Runs: the folders that `minicnn finetune` writes, read back, listed and compared."""

from minicnn.runs.compare import SamePictures, compare_answers, differences, varying
from minicnn.runs.run import Run, find_runs, read_run
from minicnn.runs.unfinished import UnfinishedRun, find_unfinished

__all__ = [
    "Run",
    "SamePictures",
    "UnfinishedRun",
    "compare_answers",
    "differences",
    "find_runs",
    "find_unfinished",
    "read_run",
    "varying",
]
