"""A program of its own: one kernel of overflows.cu under AddressSanitizer; prints the sum of x when it is done."""

import sys

import numpy as np

from emulator.launching import launch

if __name__ == "__main__":
    kernel, number = sys.argv[1:]
    x = np.ones(64, np.float32)
    for order in (0, 1):
        launch("overflows.cu", kernel, x, np.int32(number), grid=3, block=64, mode="asan", order=order)
    print(f"sum {x.sum()}")
