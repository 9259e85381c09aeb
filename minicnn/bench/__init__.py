"""Timing: rungs of a kernel against each other, networks against other engines, results against older ones."""
