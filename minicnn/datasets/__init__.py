"""Data sets to try things on: CIFAR and MNIST from their published addresses or files, and shapes drawn on the spot."""

from minicnn.datasets import cifar10, cifar100, fashion_mnist, mnist, shapes
from minicnn.datasets.idx import read_idx

__all__ = ["cifar10", "cifar100", "fashion_mnist", "mnist", "read_idx", "shapes"]
