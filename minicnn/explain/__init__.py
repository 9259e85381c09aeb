"""Explain: which parts of a picture made a model answer as it did.

Read in this order: `scores.py` (the gradient of a class score), `grad_cam.py`, `occlusion.py`, `overlay.py`.
"""

from minicnn.explain.grad_cam import grad_cam
from minicnn.explain.occlusion import occlusion
from minicnn.explain.overlay import overlay
from minicnn.explain.scores import input_gradient

__all__ = ["grad_cam", "input_gradient", "occlusion", "overlay"]
