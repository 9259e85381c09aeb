"""`minicnn evaluate`: figures of a labelled folder, and what qualifies them."""

import json
import os

import numpy as np
import pytest
from cli_cases import refused
from PIL import Image
from transfer_cases import small_net, write_photos

from minicnn.cli import main
from minicnn.models import load_model
from minicnn.transfer.pictures import MOST_REMEMBERED, count_trained_on, trained_on

pytestmark = pytest.mark.numpy_only


def test_evaluate_measures_the_folder(trained, tmp_path, capsys):
    capsys.readouterr()
    photos = write_photos(tmp_path / "test", 3, seed=9)
    (photos / "red" / "broken.png").write_bytes((photos / "red" / "0.png").read_bytes()[:90])
    assert main(["evaluate", str(trained / "model.keras"), str(photos), "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["pictures"], found["accuracy"], found["unreadable_files"]) == (9, 1.0, 1)
    assert found["confusion"] == np.diag([3, 3, 3]).tolist()
    assert "broken.png" in err
    assert main(["evaluate", str(trained / "model.keras"), str(photos)]) == 0
    assert capsys.readouterr().out.startswith("accuracy 100.0% on 9 pictures")


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_a_picture_of_a_dot_is_doubted(command, trained, tmp_path, capsys):
    photos = write_photos(tmp_path / "test", 1, seed=9)
    Image.new("RGB", (1, 1), (200, 40, 40)).save(photos / "red" / "dot.png")
    capsys.readouterr()
    assert main([command, str(trained / "model.keras"), str(photos)]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert [line.partition("red")[2] for line in said] == [
        f"{os.sep}dot.png: enlarged from 1 x 1: there is little to see on it"
    ]


def test_evaluate_says_how_dense_weights_were_stored(trained, photos, capsys):
    capsys.readouterr()
    command = ["evaluate", str(trained / "model.keras"), str(photos)]
    for options, storage in (([], "float32"), (["--dense-storage", "int8"], "int8")):
        assert main([*command, *options, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["dense_storage"] == storage
        assert main([*command, *options]) == 0
        said = f"weights of dense layers stored as {storage}" in capsys.readouterr().out.splitlines()
        assert said == (storage != "float32")


def test_a_model_without_class_names_says_how_to_give_them(photos, net_file, tmp_path, capsys):
    line = refused(capsys, tmp_path, "evaluate", net_file, photos)
    assert line.endswith(
        "has class 'blue', 'green', 'red', but the file of the model does not name its classes: add --classes NAMES, "
        "in the order of its outputs (Keras sorts folders by name)"
    )


def test_classes_without_pictures_have_no_scores(trained, tmp_path, capsys):
    capsys.readouterr()
    photos = write_photos(tmp_path / "test", 3, {"red": (200, 40, 40)}, seed=9)
    assert main(["evaluate", str(trained / "model.keras"), str(photos)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["green", "–", "–", "–", "0"] in rows
    assert ["red", "100.0%", "100.0%", "100.0%", "3"] in rows
    assert main(["evaluate", str(trained / "model.keras"), str(photos), "--json"]) == 0
    green = json.loads(capsys.readouterr().out)["classes"][1]
    assert green == {"name": "green", "precision": None, "recall": None, "f1": None, "support": 0}


def test_evaluate_judges_the_validation_part_alone(trained, tmp_path, capsys):
    capsys.readouterr()
    write_photos(tmp_path / "p" / "train", 5)
    write_photos(tmp_path / "p" / "val", 2)
    assert main(["evaluate", str(trained / "model.keras"), str(tmp_path / "p"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"] == 6


def test_pictures_that_the_model_was_trained_on_are_counted(trained, photos, tmp_path, capsys):
    capsys.readouterr()
    load_model(trained / "model.keras").save(tmp_path / "model.h5")
    for model in (trained / "model.keras", tmp_path / "model.h5"):
        assert main(["evaluate", str(model), str(photos), "--json"]) == 0
        out, err = capsys.readouterr()
        assert json.loads(out)["trained_on"] == 18
        assert err.splitlines()[-1] == (
            "minicnn: warning: 18 of the 24 pictures were used to train this model: the accuracy on new ones is lower"
        )
    new = write_photos(tmp_path / "new", 2, seed=9)
    assert main(["evaluate", str(trained / "model.keras"), str(new)]) == 0
    assert "used to train" not in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_as_many_pictures_as_are_remembered_fit_into_a_file(ending, tmp_path):
    hashes = [f"{i:012x}" + 52 * "0" for i in range(MOST_REMEMBERED + 1)]
    assert trained_on(hashes) == {}
    model = small_net(**trained_on(hashes[:-1]))
    model.save(tmp_path / f"many.{ending}")
    assert count_trained_on(load_model(tmp_path / f"many.{ending}").metadata, hashes) == MOST_REMEMBERED
    assert count_trained_on({"trained_on": [7, {}]}, hashes) == count_trained_on({}, hashes) == 0
