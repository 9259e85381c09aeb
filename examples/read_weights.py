"""Read a Keras weights file without building a model: what is in it, and the numbers of one array.

    python examples/read_weights.py vgg16.h5
    python examples/read_weights.py vgg16.h5 block1_conv1

The file's format is told by its contents; nothing in it is ever run.
"""

import argparse
import math
import sys

from minicnn.cli.ending import exit_code
from minicnn.weights import open_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help=".h5, .weights.h5 or .keras")
    parser.add_argument("layer", nargs="?", help="read the arrays of this layer")
    options = parser.parse_args()

    with open_weights(options.file) as file:
        print(f"{options.file}: {file.format}, written by Keras {file.keras_version or 'of an unknown version'}")
        for layer in file.layers:
            for weight in layer.weights:
                print(f"  {layer.name:24} {weight.name:40} {weight.dtype:8} {'x'.join(map(str, weight.shape))}")
        count = sum(math.prod(weight.shape) for layer in file.layers for weight in layer.weights)
        print(f"{count:,} numbers in {len(file.layers)} layers")

        for weight in (weight for layer in file.layers if layer.name == options.layer for weight in layer.weights):
            array = weight.read(weight.shape)
            print(f"{weight.name}: mean {array.mean():.4g}, standard deviation {array.std():.4g}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
