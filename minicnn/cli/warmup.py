"""`minicnn warmup`: compile all kernels now, so that nothing waits for it later."""

import time

from minicnn.cli.console import Progress, note, say

EPILOG = """\
examples:
  minicnn warmup          once after installing or updating, or as a line of a Dockerfile

Compiled kernels are kept in the cache folder (minicnn doctor names it)."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "warmup",
        help="compile all kernels now",
        description="Compile all kernels now and keep them on disk, so that nothing waits for it later.",
        epilog=EPILOG,
    )
    parser.set_defaults(run=run)


def run(options) -> int:
    """Compile."""
    from minicnn import kernels
    from minicnn.errors import FileAccessError

    begun = time.perf_counter()
    progress = Progress()
    try:
        count = kernels.warmup(lambda done, total: progress("compiling", done, total), must_keep=True)
    except FileAccessError as error:  # of the cache, not of anything that was typed
        note(f"error: {error}")
        return 1
    finally:
        progress.close()
    if count:
        say(f"{count} kernels are ready ({time.perf_counter() - begun:.1f} s)")
    else:
        say("nothing to compile: kernels run on NumPy; faster with Numba: pip install numba (extra 'fast')")
    return 0
