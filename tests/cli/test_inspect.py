"""`minicnn inspect`: what is in a file, who wrote it, what runs it."""

import json
import re

import h5py
import numpy as np
import pytest
from pytorch_weights import state_dict
from transfer_cases import small_net

from minicnn.applications import VGG16, MobileNet
from minicnn.cli import main
from minicnn.layers import Dense, GlobalAveragePooling2D
from minicnn.models import Sequential
from minicnn.weights.safetensors import write

pytestmark = pytest.mark.numpy_only


def test_inspect_describes_a_file_without_building_it(net_file, capsys):
    assert main(["inspect", net_file, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["has_config"], found["architecture"]) == ("Keras 3 archive", True, None)
    assert found["numbers"] == small_net().count_params()
    assert main(["inspect", net_file]) == 0
    said = capsys.readouterr().out
    assert "format        Keras 3 archive, in the format of Keras 3.15.1\n" in said
    assert "made by       minicnn\n" in said
    assert "to run it     load_model(FILE)\n" in said
    rows = [line.split() for line in said.split("stored as\n")[1].splitlines()]
    assert rows[0] == ["conv1", "kernel", "3", "×", "3", "×", "3", "×", "8", "float32"]
    assert [row[0] for row in rows] == [
        "conv1", "bias", "bn1", "beta", "moving_mean", "moving_variance", "conv2", "bias",
        "bn2", "beta", "moving_mean", "moving_variance", "old_head", "bias",
    ]  # fmt: skip


def test_inspect_says_what_runs_a_file(tmp_path, capsys):
    path = str(tmp_path / "a.h5")
    for model, said in (
        (MobileNet(weights=None, alpha=0.25, classes=6), "MobileNet(weights=FILE, classes=6, alpha=0.25)"),
        (VGG16(weights=None, include_top=False), "VGG16(weights=FILE, include_top=False)"),
        (small_net(), "a model that is built as the one that was saved, then model.load_weights(FILE)"),
    ):
        model.save_weights(path)
        assert main(["inspect", path, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["to_run"].removeprefix("minicnn.applications.") == said


@pytest.mark.parametrize("ending", [".h5", ".weights.h5", ".safetensors"])
def test_weights_of_a_network_inside_a_model_need_that_model_or_are_a_base(ending, tmp_path, capsys):
    path = str(tmp_path / f"nested{ending}")
    base = MobileNet(weights=None, alpha=0.25, include_top=False, input_shape=(32, 32, 3))
    Sequential([base, GlobalAveragePooling2D(), Dense(3)]).save_weights(path)
    assert main(["inspect", path]) == 0
    said = capsys.readouterr().out
    assert "architecture  MobileNet, alpha 0.25, 3 classes, in a model around it\n" in said
    assert "to run it     a model that is built as the one that was saved, then model.load_weights(FILE)\n" in said
    assert "or            minicnn finetune PHOTOS --base FILE\n" in said
    assert main(["predict", path, __file__]) == 2
    assert "in a model around it: build that model as it was, then model.load_weights(FILE)" in capsys.readouterr().err


def test_inspect_names_the_layer_that_is_not_built(golden, capsys):
    assert main(["inspect", str(golden / "files" / "evil_lambda_bytecode.h5")]) == 0
    assert re.search(r"to run it     minicnn cannot build it: layer '\w+' is a Lambda", capsys.readouterr().out)


def test_inspect_says_who_wrote_a_file(trained, test_data, capsys):
    from minicnn import __version__

    capsys.readouterr()
    assert main(["inspect", str(trained / "model.keras")]) == 0
    assert f"made by       minicnn {__version__}; 3 classes: blue, green, red\n" in capsys.readouterr().out
    assert main(["inspect", str(test_data / "models" / "onepixel_lenet.h5")]) == 0
    said = capsys.readouterr().out
    assert "format        legacy model, written by Keras 2.1.4\n" in said
    assert "made by" not in said
    assert [line.split()[0] for line in said.split("stored as\n")[1].splitlines()][1] == "bias"


def test_inspect_describes_safetensors(tmp_path, capsys):
    path = str(tmp_path / "a.safetensors")
    MobileNet(weights=None, alpha=0.25, classes=6).save_weights(path)
    assert main(["inspect", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["to_run"]) == (
        "safetensors",
        "minicnn.applications.MobileNet(weights=FILE, classes=6, alpha=0.25)",
    )
    write(path, {"layer1.0.conv1.weight": np.zeros((4, 3, 1, 1), np.float32), "bn1.num_batches_tracked": np.int64(0)})
    assert main(["inspect", path]) == 0
    said = capsys.readouterr().out
    assert "format        PyTorch state dict\n" in said
    assert "architecture  not one" in said
    rows = [line.split() for line in said.split("stored as\n")[1].splitlines()]
    assert rows == [["layer1.0.conv1", "weight", "4", "×", "3", "×", "1", "×", "1", "float32"]]


@pytest.mark.parametrize("name", ["torchvision.resnet18", "timm.mobilenetv2_035"])
def test_inspect_names_the_network_of_a_state_dict(name, golden, tmp_path, capsys):
    path, arrays = str(tmp_path / "a.safetensors"), state_dict(name, golden)
    body = {key: array for key, array in arrays.items() if not key.startswith(("fc.", "classifier."))}
    for given, said, head in (
        (arrays, f"{name}, 10 classes", "classes=10"),
        (body, f"{name}, no top", "include_top=False"),
    ):
        write(path, given)
        assert main(["inspect", path, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["architecture"], found["to_run"]) == (said, f"minicnn.applications.{name}(weights=FILE, {head})")
    write(path, body | {"another.weight": np.zeros(3, np.float32)})
    assert main(["inspect", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["architecture"] is None


def test_what_a_file_says_commands_no_terminal(tmp_path, capsys):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = np.array([], "S1")
        file.attrs["keras_version"] = "2.0\x1b[31m\nto run it"
    assert main(["inspect", str(tmp_path / "a.h5")]) == 0
    assert r"written by Keras 2.0\x1b[31m to run it" in capsys.readouterr().out
