"""minicnn: a CNN engine written from scratch, with transfer learning."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what HOMES says, for type checkers
    from .autograd import Parameter, Tensor, from_dlpack, gradcheck, no_grad  # noqa: F401
    from .errors import MinicnnError  # noqa: F401
    from .layers import Input  # noqa: F401
    from .models import Model, Sequential  # noqa: F401

__version__ = "0.1.0"
HOMES = {
    **dict.fromkeys(("Parameter", "Tensor", "from_dlpack", "gradcheck", "no_grad"), "autograd"),
    **dict.fromkeys(("Model", "Sequential"), "models"),
    "Input": "layers",
    "MinicnnError": "errors",
}
SUBMODULES = (
    "applications",
    "autograd",
    "callbacks",
    "constraints",
    "data",
    "datasets",
    "errors",
    "estimators",
    "explain",
    "initializers",
    "kernels",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "regularizers",
    "schedules",
    "training",
    "transfer",
    "utils",
    "weights",
)
__all__ = [*HOMES, *SUBMODULES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    """Everything is imported when it is first named, so that `import minicnn` is quick and Ctrl-C finds a command."""
    if name in HOMES:
        return getattr(import_module(f"minicnn.{HOMES[name]}"), name)
    if name in SUBMODULES:
        return import_module(f"minicnn.{name}")
    raise AttributeError(f"module 'minicnn' has no attribute {name!r}")
