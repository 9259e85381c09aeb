"""Files of weights alone, where a model is asked for: what is in them, and what they are good for."""

import json

import pytest
from cli_cases import refused
from transfer_cases import small_net

from minicnn.applications import MobileNet
from minicnn.cli import main

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize("command", ["predict", "evaluate", "summary", "export"])
def test_weights_that_are_not_known_are_to_be_inspected(command, photos, tmp_path, capsys):
    path = tmp_path / "net.h5"
    small_net().save_weights(path)
    line = refused(capsys, tmp_path, command, path, *([] if command == "summary" else [photos]))
    assert (
        "net.h5 holds weights alone, of no network that minicnn models lists: save the whole model in one file" in line
    )
    assert line.endswith("; minicnn inspect FILE shows what is in it")


@pytest.fixture
def body(tmp_path):
    path = tmp_path / "thin.h5"
    MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), include_top=False).save_weights(path)
    return path


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_weights_without_classes_are_a_base(command, body, photos, tmp_path, capsys):
    line = refused(capsys, tmp_path, command, body, photos)
    assert "thin.h5 holds weights of MobileNet, alpha 0.25, no top, which names no classes: minicnn finetune" in line


def test_weights_without_classes_have_layers(body, capsys):
    assert main(["summary", str(body), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["outputs"] == [[None, None, None, 256]]
    assert err == f"minicnn: {body} holds weights of MobileNet, alpha 0.25, no top\n"


def test_weights_with_classes_are_the_published_network(tmp_path, capsys):
    path = tmp_path / "thin.h5"
    MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), classes=5).save_weights(path)
    assert main(["summary", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == [[None, 5]]
