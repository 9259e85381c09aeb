"""The command line: one file a command; `main` parses, runs and turns errors into exit codes."""

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, see `entry.main`; interrupted while it is being imported, end as quietly as anywhere else."""
    try:
        from minicnn.cli import entry
    except KeyboardInterrupt:
        return 130
    return entry.main(argv)
