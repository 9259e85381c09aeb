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


def replace_cupy(toolkit: int | None = None) -> str:
    """The command that removes every CuPy, and then installs one: two of them share the folder `cupy/`."""
    installed = cupy_packages() or [wanted.partition("[")[0] for wanted in CUPY.values()]
    return f"pip uninstall -y {' '.join(installed)} && {install_cupy(toolkit)}"


def cupy_packages() -> list[str]:
    """The names of what is installed as `cupy`, as ["cupy-cuda13x"]."""
    from importlib.metadata import packages_distributions  # which imports what is heavy; this is seldom asked

    return sorted({name for name in packages_distributions().get("cupy", ()) if name})


def several_cupys() -> str:
    """What is wrong, and what to do, where more than one CuPy is installed; else nothing.

    >>> from minicnn import kernels
    >>> said = kernels.several_cupys()
    """
    installed = cupy_packages()
    if len(installed) < 2:
        return ""
    return f"installed over each other: {', '.join(installed)}: {replace_cupy()}"


def install_nvrtc(toolkit: int | None = None) -> str:
    """The command that installs NVRTC, or a newer one; `toolkit` as in `install_cupy`."""
    return f"pip install --upgrade '{NVRTC[toolkit or newest_toolkit()]}'"
