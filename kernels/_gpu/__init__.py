"""What the host code of every kernel for a GPU shares: launches, how work is cut, the compiler and its cache.

`_cuda.py`, one folder up, is the device itself and the only file that imports CuPy.
"""
