"""Data sets to try things on: CIFAR-10 from its published address, and pictures of shapes drawn on the spot."""

from minicnn.datasets import cifar10, shapes

__all__ = ["cifar10", "shapes"]
