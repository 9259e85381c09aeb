"""`minicnn models`: the table of architectures, and one of them."""

import json

import pytest
from cli_cases import refused

from minicnn.applications.state_dicts import NETWORKS
from minicnn.cli import main
from minicnn.weights.architectures import architectures


def told(capsys, *arguments: str) -> str:
    assert main(["models", *arguments]) == 0
    return capsys.readouterr().out


def test_every_architecture_is_a_line_of_the_list(capsys):
    table, _, others = told(capsys, "--list").partition("\n\n")
    header, *lines = table.splitlines()
    assert header.split() == ["model", "pixels", "weights", "prepared", "top-1", "licence", "paper"]
    assert [line.partition("  ")[0] for line in lines] == [str(row) for row in architectures()]
    vgg16 = next(line for line in lines if line.startswith("VGG16"))
    assert vgg16.split()[1:5] == ["224", "138,357,544", "caffe", "71.3"]
    assert told(capsys) == f"{table}\n\n{others}"
    heading, *names = others.splitlines()
    assert "--base torchvision.NAME or timm.NAME, --weights FILE" in heading
    listed = " ".join(names).split()
    assert sorted(listed) == sorted(["torchvision", "timm", *(name.partition(".")[2] for name in NETWORKS)])
    assert max(map(len, others.splitlines())) <= 120


def test_one_architecture_with_its_variants_and_files(capsys):
    out = told(capsys, "mobilenet")
    assert "MobileNet: Howard et al. 2017, arXiv:1704.04861" in out
    assert "224 x 224 pixels, at least 32; prepared as 'tf'" in out
    assert "of the published weights: Apache 2.0" in out
    assert "MobileNet, alpha 0.25    475,544      218,544   51.6" in out
    assert "files for minicnn weights fetch:\n  mobilenet_1_0_224_tf.h5\n" in out
    assert "MobileNetV2" not in out


def test_the_list_for_a_program(capsys):
    rows = json.loads(told(capsys, "--list", "--json"))
    assert [row["name"] for row in rows] == [*(row.name for row in architectures()), *NETWORKS]
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    resnet = next(row for row in rows if row["name"] == "ResNet50")
    assert (resnet["parameters"], resnet["licence"], len(resnet["files"])) == (25636712, "MIT", 2)


def test_a_network_of_pytorch_says_what_it_takes(capsys):
    out = told(capsys, "Torchvision.ResNet18")
    assert "  weights    11,699,112; without top 11,186,112\n" in out
    assert "  minicnn finetune PHOTOS --base torchvision.resnet18 --weights FILE.safetensors\n" in out
    (row,) = json.loads(told(capsys, "timm.resnet18", "--json"))
    assert (row["name"], row["side"], row["files"]) == ("timm.resnet18", 224, [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resnet18"], "there is no architecture 'resnet18', did you mean torchvision.resnet18?"),
        (["resnet51"], "there is no architecture 'resnet51', did you mean resnet50?"),
        (["vgg16", "--list"], "not allowed with argument"),
    ],
)
def test_bad_input_is_one_line(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert said in refused(capsys, tmp_path, "models", *arguments)
