"""Pictures and models that cannot be used: one line that names the thing and the remedy, and nothing written."""

import errno
import os
from pathlib import Path

import pytest
from refused_commands import refused
from transfer_cases import small_net

pytestmark = [pytest.mark.numpy_only, pytest.mark.usefixtures("in_an_empty_folder")]


def test_pictures_that_cannot_be_predicted(net_file, tmp_path, capsys):
    assert "no such file" in refused(capsys, tmp_path, "predict", net_file, tmp_path / "missing.jpg")
    (tmp_path / "empty").mkdir()
    assert "holds no pictures" in refused(capsys, tmp_path, "predict", net_file, tmp_path / "empty")
    (tmp_path / "page.jpg").write_text("<html>")
    assert "page.jpg" in refused(capsys, tmp_path, "predict", net_file, "page.jpg")
    assert "is empty" in refused(capsys, tmp_path, "predict", net_file, "")


def test_a_folder_of_pictures_with_one_in_it_that_cannot_be_opened(photos, net_file, tmp_path, capsys, monkeypatch):
    scandir = os.scandir

    def without_permission(path):
        if Path(path) == photos / "red":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", without_permission)
    assert "red cannot be read (Permission denied)" in refused(capsys, tmp_path, "predict", net_file, photos)


def test_a_model_that_does_not_say_how_pixels_are_prepared(photos, tmp_path, capsys):
    small_net().save(tmp_path / "silent.keras")
    line = refused(capsys, tmp_path, "predict", tmp_path / "silent.keras", photos / "red" / "0.png")
    assert line.endswith("add --preprocessing caffe|tf|torch|none")


def test_a_model_that_is_no_classifier(photos, tmp_path, capsys):
    from minicnn.models import Model

    model = small_net()
    Model(model.inputs, model.get_layer("relu2").output).save(tmp_path / "map.keras")
    line = refused(capsys, tmp_path, "predict", tmp_path / "map.keras", photos / "red" / "0.png")
    assert "is no classifier: its outputs have shapes (12, 12, 8)" in line


def test_classes_that_the_model_does_not_know(photos, tmp_path, capsys):
    model = small_net(classes=2, preprocessing="tf", class_names=["red", "violet"])
    model.save(tmp_path / "two.keras")
    line = refused(capsys, tmp_path, "evaluate", tmp_path / "two.keras", photos)
    assert "'blue', 'green', which the model does not know" in line


def test_classes_that_differ_by_capital_letters_alone(photos, tmp_path, capsys):
    model = small_net(classes=3, preprocessing="tf", class_names=["Red", "green", "BLUE"])
    model.save(tmp_path / "three.keras")
    line = refused(capsys, tmp_path, "evaluate", tmp_path / "three.keras", photos)
    assert (
        "'blue', 'red', which the model does not know: rename 'blue' to 'BLUE', 'red' to 'Red'; known: 'Red'," in line
    )
