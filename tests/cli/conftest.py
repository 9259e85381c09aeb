"""The shared photos, net and model as fixtures."""

from cli_cases import trained
from transfer_cases import feature_folder, net_file, photos

__all__ = ["feature_folder", "net_file", "photos", "trained"]
