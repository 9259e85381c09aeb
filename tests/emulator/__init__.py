"""CUDA on a CPU: kernel files built by g++, run on NumPy arrays, and looked at while they run.

`build` makes a library of a .cu file, `Module` launches its kernels; `EmulatedDevice` is the device "cuda-emulated",
on which whole models run.  shim/ is the CUDA language and its runtime in C++.
"""

from .build import MODES, build
from .module import EmulatorError, Module

__all__ = ["MODES", "EmulatorError", "Module", "build"]
