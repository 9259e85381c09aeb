"""State dicts of torchvision and timm on the command line: no line of Python is needed for them."""

import json

import numpy as np
import pytest
from cli_cases import FAST, refused
from pytorch_weights import CLASSES, state_dict
from transfer_cases import small_net

from minicnn.applications.state_dicts import NETWORKS, StateDict
from minicnn.cli import main
from minicnn.models import load_model
from minicnn.weights.safetensors import write

pytestmark = pytest.mark.numpy_only
THIN = "timm.mobilenetv2_035"


@pytest.fixture
def state(golden, tmp_path):
    """The state dict of a network for ten classes, in a file."""
    path = tmp_path / "thin.safetensors"
    write(path, state_dict(THIN, golden))
    return path


@pytest.mark.parametrize("named", [True, False])
def test_finetune_learns_on_it_and_predict_takes_the_model(named, state, photos, tmp_path, feature_folder, capsys):
    base = ["--base", THIN.upper(), "--weights", str(state)] if named else ["--base", str(state)]
    out = tmp_path / "out"
    assert main(["finetune", str(photos), *base, "--size", "32", "--out", str(out), "--no-cache", *FAST]) == 0
    page = (out / "report.html").read_text()
    assert THIN in page
    assert "thin.safetensors" in page
    assert load_model(out / "model.keras").metadata["preprocessing"] == "torch"
    assert main(["predict", str(out / "model.keras"), str(photos / "red" / "0.png")]) == 0


def test_summary_and_predict_build_its_network(state, photos, capsys):
    assert main(["summary", str(state), "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["name"], found["outputs"]) == ("timm_mobilenetv2_035", [[None, CLASSES]])
    assert err == f"minicnn: {state} holds weights of {THIN}, 10 classes\n"
    assert main(["predict", str(state), str(photos / "red" / "0.png"), "--json", "--top", str(CLASSES)]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert {given["name"] for given in answer["classes"]} == {f"class {i}" for i in range(CLASSES)}
    assert abs(sum(given["probability"] for given in answer["classes"]) - 1) < 1e-5


@pytest.mark.parametrize(
    ("name", "doubt"),
    [
        ("timm.mobilenetv3_small_100", "timm.tf_mobilenetv3_small_100, which is another function"),
        ("timm.efficientnet_b0", "timm.tf_efficientnet_b0 or timm.efficientnet_blur_b0, which are other functions"),
        ("torchvision.resnet18", "timm.resnetblur18, which is another function"),
        ("torchvision.resnet50", "timm.resnetblur50 or timm.resnetaa50, which are other functions"),
        ("timm.resnet50", "timm.resnetblur50 or timm.resnetaa50, which are other functions"),
        ("torchvision.efficientnet_b0", None),
        ("torchvision.resnet34", None),
        (THIN, None),
    ],
)
def test_weights_that_other_networks_have_too_are_doubted(name, doubt):
    said = f"if they are those of {doubt}, results are wrong" if doubt else ""
    assert StateDict(NETWORKS[name], 3).doubt == said


@pytest.mark.filterwarnings("default")
def test_a_doubt_is_said(photos, tmp_path, feature_folder, capsys):
    file = str(tmp_path / "net.h5")
    NETWORKS["timm.mobilenetv3_small_100"](classes=3).save_weights(file)
    doubt = "if they are those of timm.tf_mobilenetv3_small_100, which is another function, results are wrong"
    assert main(["summary", file]) == 0
    assert f"3 classes; {doubt}" in capsys.readouterr().err
    assert main(["inspect", file]) == 0
    assert f"  doubt         {doubt}\n" in capsys.readouterr().out
    assert main(["extract", str(photos), "--base", file, "--size", "32", "--out", str(tmp_path / "a.npz")]) == 0
    assert f"warning: {file} holds weights of timm.mobilenetv3_small_100, 3 classes; {doubt}" in capsys.readouterr().err


def test_without_a_classifier_it_is_a_base(state, golden, photos, tmp_path, capsys):
    write(state, {key: array for key, array in state_dict(THIN, golden).items() if not key.startswith("classifier")})
    assert main(["summary", str(state)]) == 0
    assert f"thin.safetensors holds weights of {THIN}, no top" in capsys.readouterr().err
    line = refused(capsys, tmp_path, "predict", state, photos / "red" / "0.png")
    assert line.endswith("which names no classes: minicnn finetune PHOTOS --base FILE learns yours")


def test_inspect_says_what_the_command_line_does_with_it(state, golden, capsys):
    assert main(["inspect", str(state)]) == 0
    assert f"classes={CLASSES})\n  or            minicnn predict FILE IMAGE\n" in capsys.readouterr().out
    write(state, {key: array for key, array in state_dict(THIN, golden).items() if not key.startswith("classifier")})
    assert main(["inspect", str(state)]) == 0
    assert "  or            minicnn finetune PHOTOS --base FILE\n" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["predict", "summary", "finetune"])
def test_a_state_dict_of_another_network_is_called_that(command, photos, tmp_path, capsys):
    path = tmp_path / "vit.safetensors"
    write(path, {"blocks.0.attn.qkv.weight": np.zeros((6, 2), np.float32)})
    arguments = {"predict": [path, photos], "summary": [path], "finetune": [photos, "--base", path]}[command]
    line = refused(capsys, tmp_path, command, *arguments)
    assert "vit.safetensors holds a PyTorch state dict, of no network that minicnn models lists" in line


def test_what_stands_before_every_name_is_said(state, golden, photos, tmp_path, capsys):
    write(state, {f"module.{key}": array for key, array in state_dict(THIN, golden).items()})
    line = refused(capsys, tmp_path, "predict", state, photos)
    assert f"thin.safetensors holds the state dict of {THIN}, 10 classes, with 'module.' before every name" in line


def test_a_name_of_weights_is_no_file(photos, tmp_path, capsys):
    base = ["--base", "torchvision.resnet50", "--weights", "IMAGENET1K_V1"]
    line = refused(capsys, tmp_path, "finetune", photos, *base)
    assert "no weights of torchvision.resnet50 are published that minicnn can download: add --weights FILE.saf" in line


def test_a_part_of_a_checkpoint_is_called_that(state, golden, tmp_path, capsys):
    names = list(arrays := state_dict(THIN, golden))
    write(tmp_path / "model-00001-of-00002.safetensors", {name: arrays[name] for name in names[:40]})
    line = refused(capsys, tmp_path, "summary", tmp_path / "model-00001-of-00002.safetensors")
    assert "holds a part of a checkpoint: load all parts with safetensors.numpy.load_file, save the arrays as" in line


def test_a_base_is_named_that_takes_the_weights(state, photos, tmp_path, capsys):
    for base in ("resnet50", "torchvision.resnet18", "mobilenetv2"):
        line = refused(capsys, tmp_path, "finetune", photos, "--base", base, "--weights", state)
        assert line.endswith(f": use base {THIN}")


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("torchvision.resnet50", "no weights of torchvision.resnet50 are published that minicnn can download: add "
         "--weights FILE.safetensors, saved with safetensors.torch.save_file, or take another --base (minicnn "),
        ("alexnet", "no weights of AlexNet are published that minicnn can download: add --weights FILE, or take "),
        ("resnet18", "there is no base 'resnet18', did you mean torchvision.resnet18? use one that"),
        ("torchvision.resnet51", "did you mean torchvision.resnet50?"),
    ],
)  # fmt: skip
def test_bases_that_need_a_file_or_another_name(base, said, photos, tmp_path, capsys):
    assert said in refused(capsys, tmp_path, "finetune", photos, "--base", base)


def test_a_name_that_is_none_is_said_before_its_weights(state, photos, tmp_path, capsys):
    line = refused(capsys, tmp_path, "finetune", photos, "--base", "mobilenetv2_035", "--weights", state)
    assert f"there is no base 'mobilenetv2_035', did you mean {THIN}? use one that" in line


def test_imagenet_may_have_capital_letters(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MINICNN_OFFLINE", "1")
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    assert main(["finetune", str(photos), "--weights", "ImageNet"]) == 1
    assert "mobilenet_1_0_224_tf_no_top.h5 could not be downloaded" in capsys.readouterr().err


def test_weights_that_minicnn_saved_of_such_a_network_are_known(tmp_path, capsys):
    from minicnn.applications import torchvision

    torchvision.mobilenet_v3_small(classes=3).save_weights(tmp_path / "net.h5")
    assert main(["inspect", str(tmp_path / "net.h5"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["architecture"] == "torchvision.mobilenet_v3_small, 3 classes"


def test_layers_with_dots_in_their_names_are_keras_too(tmp_path, capsys):
    model = small_net()
    model.get_layer("conv1").name = "conv.1"
    model.save_weights(tmp_path / "net.h5")
    assert main(["inspect", str(tmp_path / "net.h5")]) == 0
