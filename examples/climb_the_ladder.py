"""The rungs of an operation: list them, time each on one layer, force one on a whole model, see what ran.

    python examples/climb_the_ladder.py

A rung is chosen by name for one call (`rung=`) or for all calls within a block (`kernels.use`).
"""

import argparse
import sys
import time

import numpy as np

from minicnn import kernels
from minicnn.cli.ending import exit_code
from minicnn.layers import Conv2D, Dense, GlobalAveragePooling2D, Input, MaxPooling2D
from minicnn.models import Sequential


def seconds(rung: str, x: np.ndarray, w: np.ndarray) -> float:
    """The time of the second call: the first may compile."""
    kernels.conv2d.forward(x, w, padding="same", rung=rung)
    begun = time.perf_counter()
    kernels.conv2d.forward(x, w, padding="same", rung=rung)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=56, help="side of the image (default 56)")
    options = parser.parse_args()

    x = np.random.default_rng(0).standard_normal((1, options.size, options.size, 32), np.float32)
    w = np.random.default_rng(1).standard_normal((3, 3, 32, 32), np.float32)
    work = 2 * x.size * w[..., 0].size
    print(f"conv2d, {x.shape} with {w.shape}: {work / 1e6:.0f} million operations")
    for rung in kernels.rungs("conv2d"):
        if rung == "reference":
            small = x[:, :6, :6]
            rate = 2 * small.size * w[..., 0].size / seconds(rung, small, w)
        else:
            rate = work / seconds(rung, x, w)
        print(f"  {rung:12} {rate / 1e9:10.4f} GFLOP/s")

    layers = [Input((12, 12, 3)), Conv2D(8, 3, activation="relu"), MaxPooling2D(), GlobalAveragePooling2D(), Dense(2)]
    model = Sequential(layers)
    images = np.random.default_rng(2).random((2, 12, 12, 3), np.float32)
    model.predict(images)  # makes the plan
    with kernels.record() as calls:
        y = model.predict(images)
    print("\nwhat predict ran:", *(" ".join(call) for call in calls), sep="\n  ")
    with kernels.use("conv2d", rung="reference"), kernels.record() as calls:
        z = model.predict(images)
    print("\nwith conv2d forced to its definition:", *(" ".join(call) for call in calls), sep="\n  ")
    print(f"\nlargest difference of the outputs: {np.abs(y - z).max():.1e}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
