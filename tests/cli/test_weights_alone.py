"""Files of weights alone, where a model is asked for: what is in them, and what they are good for."""

import json

import pytest
from pytorch_weights import CLASSES, state_dict
from transfer_cases import small_net

from minicnn.applications import MobileNet
from minicnn.cli import main
from minicnn.weights.safetensors import write

pytestmark = pytest.mark.numpy_only


def refused(capsys, command, path, photos) -> str:
    """The one line with which a command refuses a file."""
    assert main([command, str(path), *([] if command == "summary" else [str(photos)])]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err.rstrip("\n")


@pytest.mark.parametrize("command", ["predict", "evaluate", "summary"])
def test_weights_that_are_not_known_are_to_be_inspected(command, photos, tmp_path, capsys):
    path = tmp_path / "net.h5"
    small_net().save_weights(path)
    line = refused(capsys, command, path, photos)
    assert line.endswith("net.h5 holds weights alone, no model: minicnn inspect FILE shows what is in it")


@pytest.mark.parametrize("command", ["predict", "evaluate", "summary"])
def test_weights_without_classes_are_a_base(command, photos, tmp_path, capsys):
    path = tmp_path / "thin.h5"
    MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), include_top=False).save_weights(path)
    line = refused(capsys, command, path, photos)
    assert "thin.h5 holds weights alone, of MobileNet, alpha 0.25, no top: minicnn inspect FILE shows" in line
    assert line.endswith(", minicnn finetune PHOTOS --base FILE learns your classes on it")


def test_weights_with_classes_name_pictures(photos, tmp_path, capsys):
    path = tmp_path / "thin.h5"
    MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), classes=5).save_weights(path)
    line = refused(capsys, "summary", path, photos)
    assert line.endswith(", minicnn predict FILE IMAGE names pictures with it")


def test_a_state_dict_names_pictures(photos, golden, tmp_path, capsys):
    path, picture = tmp_path / "thin.safetensors", next(photos.rglob("*.png"))
    write(path, state_dict("timm.mobilenetv2_035", golden))
    line = refused(capsys, "summary", path, photos)
    assert "of timm.mobilenetv2_035, 10 classes: minicnn inspect" in line
    assert line.endswith(", minicnn predict FILE IMAGE names pictures with it")
    assert main(["predict", str(path), str(picture), "--json", "--top", str(CLASSES)]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert {given["name"] for given in answer["classes"]} == {f"class {i}" for i in range(CLASSES)}
    assert abs(sum(given["probability"] for given in answer["classes"]) - 1) < 1e-5
