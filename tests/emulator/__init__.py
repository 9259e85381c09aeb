"""CUDA on a CPU: kernel files built by g++, run on NumPy arrays, and looked at while they run.

`build.build` makes a library of a .cu file, `module.Module` launches its kernels; `device.EmulatedDevice` is the device
"cuda-emulated", on which whole models run.  shim/ is the CUDA language and its runtime in C++.
"""
