"""`minicnn export` without the package that it needs, and of what is no model."""

import sys

import pytest
from cli_cases import refused

from minicnn.cli import main
from minicnn.layers import Dense, Input
from minicnn.models import Sequential

pytestmark = pytest.mark.numpy_only


def test_a_missing_package_is_named(tmp_path, capsys, monkeypatch):
    Sequential([Input((4,)), Dense(2)]).save(tmp_path / "a.keras")
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert main(["export", str(tmp_path / "a.keras"), str(tmp_path / "a.onnx")]) == 1
    assert "pip install onnx" in capsys.readouterr().err
    assert not (tmp_path / "a.onnx").exists()


def test_weights_alone_are_refused(tmp_path, capsys):
    Sequential([Input((4,)), Dense(2)]).save_weights(tmp_path / "a.h5")
    assert "holds weights alone" in refused(capsys, tmp_path, "export", tmp_path / "a.h5", tmp_path / "a.onnx")


def test_arguments_in_the_wrong_order_are_turned_round(tmp_path, capsys):
    said = "the model comes first, then the file to write: minicnn export model.keras m.onnx"
    assert said in refused(capsys, tmp_path, "export", "m.onnx", "model.keras")


def test_another_ending_is_refused(tmp_path, capsys):
    Sequential([Input((4,)), Dense(2)]).save(tmp_path / "a.keras")
    assert "must end in .onnx" in refused(capsys, tmp_path, "export", tmp_path / "a.keras", tmp_path / "a.pb")
