"""The shared photos and net as fixtures."""

from transfer_cases import net_file, photos

__all__ = ["net_file", "photos"]
