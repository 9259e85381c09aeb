"""--classes: names for the classes of a model whose file has none, as somebody else's Keras writes it."""

import json

import numpy as np
import pytest
from cli_cases import refused
from transfer_cases import small_net

from minicnn.cli import main
from minicnn.models import load_model

pytestmark = pytest.mark.numpy_only


@pytest.fixture
def nameless(trained, tmp_path):
    """A trained model of photos whose file says nothing; its outputs are blue, green, red."""
    model = load_model(trained / "model.keras")
    model.metadata = {}
    model.save(tmp_path / "theirs.h5")
    return tmp_path / "theirs.h5"


@pytest.mark.parametrize("given", ["blue,green,red", "blue, green ,red", "names.txt"])
def test_evaluate_and_predict_take_the_names(given, nameless, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.txt").write_bytes("\ufeffblue\r\n green\r\n\r\nred".encode())
    choices = ["--preprocessing", "tf", "--classes", given]
    capsys.readouterr()
    assert main(["evaluate", str(nameless), str(photos), *choices, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["confusion"] == np.diag([8, 8, 8]).tolist()
    assert [score["name"] for score in found["classes"]] == ["blue", "green", "red"]
    assert "class" not in err
    assert main(["predict", str(nameless), str(photos / "red" / "0.png"), *choices, "--top", "1"]) == 0
    assert "0.png  red " in capsys.readouterr().out


def test_names_in_the_file_give_way_with_a_warning(trained, photos, capsys):
    capsys.readouterr()
    command = ["predict", str(trained / "model.keras"), str(photos / "red" / "0.png"), "--top", "1", "--classes"]
    assert main([*command, "a,b,c"]) == 0
    out, err = capsys.readouterr()
    assert "0.png  c " in out
    assert "model.keras names its classes blue, green, red; those of --classes are used instead" in err
    assert main([*command, "blue,green,red"]) == 0
    assert capsys.readouterr().err == ""


def test_two_names_for_one_output(photos, tmp_path, capsys):
    model = small_net(1, preprocessing="tf")
    model.get_layer("old_head").activation = "sigmoid"
    model.save(tmp_path / "yes.keras")
    command = ["predict", str(tmp_path / "yes.keras"), str(photos / "red" / "0.png"), "--json", "--classes", "no,yes"]
    assert main(command) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert {given["name"] for given in answer["classes"]} == {"no", "yes"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("a,b", "--classes a,b has 2 names; the model has 4 classes: give the names of all, as cat,dog"),
        ("nmaes.txt", "--classes nmaes.txt is one name, and no file; the model has 4 classes: give the names of all"),
        ("", "the names after --classes are empty: write them as cat,dog or in a text file, one a line"),
        ("a,b,,c", "--classes a,b,,c has an empty name: write the names as cat,dog"),
        ("a,b,a,c", "--classes a,b,a,c has the name 'a' 2 times: each class needs a name of its own"),
        ("three.txt", "three.txt has 3 names; the model has 4 classes"),
        ("binary.txt", "binary.txt is no text file in UTF-8 with one class a line: name another file"),
        ("long.txt", "long.txt is no text file in UTF-8 with one class a line"),
        (".", "--classes . is a folder: name the classes as cat,dog or in a text file, one a line"),
    ],
)
def test_wrong_names_are_refused(given, said, net_file, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "three.txt").write_text("a\nb\nc\n")
    (tmp_path / "binary.txt").write_bytes(b"\x89HDF\r\n")
    (tmp_path / "long.txt").write_text("a\n" * 2_000_001)
    for command in ("predict", "evaluate"):
        assert said in refused(capsys, tmp_path, command, net_file, photos, "--classes", given)
