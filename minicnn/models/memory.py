"""How much memory can be had, and the refusal of what does not fit in it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from minicnn.errors import OutOfMemoryError

FALLBACK = 4 << 30  # bytes, where the system says nothing
MEMINFO = Path("/proc/meminfo")
GROUP = Path("/sys/fs/cgroup")  # of a container: its limit, and what it uses


def available_memory() -> int:
    """Bytes of memory that can be had, as far as the system says: half of all where it does not say what is free."""
    found = [FALLBACK]
    with suppress(OSError, ValueError, AttributeError):
        found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2]
    with suppress(OSError):
        found = [kib << 10 for kib in _numbers(MEMINFO, "MemAvailable:")] or found
    with suppress(OSError, ValueError):
        limit, used = (int((GROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
        found += [limit - used + spare for spare in _numbers(GROUP / "memory.stat", "inactive_file")]
    return max(0, min(found))


def _numbers(path: Path, name: str) -> list[int]:
    """The numbers after a name at the beginning of a line."""
    return [int(number) for number in re.findall(rf"^{name}\s+(\d+)", path.read_text(), re.MULTILINE)]


def out_of_memory(what: str, samples: int, error: MemoryError) -> OutOfMemoryError:
    """The refusal that an allocation which failed leads to; one that says more already stays."""
    if isinstance(error, OutOfMemoryError):
        return error
    left = in_words(available_memory())
    return OutOfMemoryError(
        f"{what} of {samples} samples takes more memory than there is ({error}; {left} are left): "
        "make batch_size smaller"
    )


def in_words(size: float) -> str:
    """A number of bytes as a person says it."""
    for unit in ("KiB", "MiB"):
        size /= 1024
        if size < 1000:
            return f"{size:.3g} {unit}"
    return f"{size / 1024:,.1f} GiB"
