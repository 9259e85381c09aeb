"""The command line: one file a command; `main` parses, runs and turns errors into exit codes."""

from minicnn.cli.entry import main

__all__ = ["main"]
