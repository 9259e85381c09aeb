"""The shared photos, net and model as fixtures."""

import pytest
from cli_cases import trained
from transfer_cases import feature_folder, net_file, photos

__all__ = ["feature_folder", "net_file", "photos", "trained"]


@pytest.fixture
def in_an_empty_folder(tmp_path, monkeypatch, feature_folder):
    """Whatever a command would write lands in tmp_path."""
    monkeypatch.chdir(tmp_path)
