"""benchmarks/ can be imported."""

import pytest
from import_graph import ROOT


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
