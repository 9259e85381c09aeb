"""The packages of pip that bring CuPy and NVRTC, and the commands that install them.

They are named themselves, not by an extra of minicnn, whose name on the public index is another project's.
"""

from .driver import driver_version

CUPY = {12: "cupy-cuda12x[ctk]>=14", 13: "cupy-cuda13x[ctk]>=14"}  # as the extras of pyproject.toml
NVRTC = {12: "nvidia-cuda-nvrtc-cu12", 13: "nvidia-cuda-nvrtc>=13"}


def newest_toolkit() -> int:
    """The newest CUDA that the driver knows, of those that there are packages for."""
    return max(12, min(13, (driver_version() or (13, 0))[0]))


def install_cupy(toolkit: int | None = None) -> str:
    """The command that installs CuPy and its libraries: by default those for the newest CUDA that the driver knows."""
    return f"pip install '{CUPY[toolkit or newest_toolkit()]}'"


def install_nvrtc(toolkit: int | None = None) -> str:
    """The command that installs NVRTC, or a newer one; `toolkit` as in `install_cupy`."""
    return f"pip install --upgrade '{NVRTC[toolkit or newest_toolkit()]}'"
