"""minicnn: a CNN engine written from scratch, with transfer learning."""

from importlib import import_module
from typing import Any

from .autograd import Parameter, Tensor, from_dlpack, gradcheck, no_grad
from .errors import MinicnnError

__version__ = "0.1.0"
SUBMODULES = (
    "applications",
    "callbacks",
    "data",
    "datasets",
    "kernels",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "schedules",
    "transfer",
    "utils",
    "weights",
)
__all__ = ["MinicnnError", "Parameter", "Tensor", "from_dlpack", "gradcheck", "no_grad", *SUBMODULES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    """Submodules are imported when they are first named, so that `import minicnn` stays quick."""
    if name in SUBMODULES:
        return import_module(f"minicnn.{name}")
    raise AttributeError(f"module 'minicnn' has no attribute {name!r}")
