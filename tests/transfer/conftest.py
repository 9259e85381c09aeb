"""The shared photos and net as fixtures."""

from transfer_cases import feature_folder, net_file, passes, photos

__all__ = ["feature_folder", "net_file", "passes", "photos"]
