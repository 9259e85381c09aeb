"""Engines: processes of other Pythons, wherever these lie."""

import subprocess

import pytest

from minicnn.bench.engines import Engine


@pytest.mark.parametrize(
    ("given", "run"), [("env/bin/python", "{}/env/bin/python"), ("/env/bin/python", "/env/bin/python"), ("py", "py")]
)
def test_a_python_is_named_as_seen_from_the_current_folder(given, run, monkeypatch, tmp_path):
    started = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "Popen", lambda command, **options: started.append(command[0]))
    Engine("torch", given, 1)
    assert started == [run.format(tmp_path)]
