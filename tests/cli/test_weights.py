"""`minicnn weights`: published files are listed, found, fetched and verified."""

import json
import re

import pytest

from minicnn.applications import MobileNet
from minicnn.cli import main
from minicnn.weights.registry import PublishedFile

pytestmark = pytest.mark.numpy_only
CLASS_INDEX = PublishedFile("imagenet_class_index.json", "", "99914b932bd37a50b983c5e7c90ae93b")  # md5 of "{}"


def test_weights_are_listed_found_and_fetched_from_the_cache(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("MINICNN_OFFLINE", "1")
    name = "mobilenet_2_5_224_tf.h5"
    assert main(["weights", "path", name]) == 2
    assert capsys.readouterr().err.endswith(f"get it with minicnn weights fetch {name}\n")
    assert main(["weights", "fetch", name]) == 1
    assert "MINICNN_OFFLINE is set" in capsys.readouterr().err
    place = tmp_path / "models" / name
    place.parent.mkdir()
    place.write_bytes(b"weights")
    for action in ("path", "fetch"):
        assert main(["weights", action, name]) == 0
        assert capsys.readouterr().out == f"{place}\n"
    names = tmp_path / "models" / "imagenet_class_index.json"
    names.write_bytes(b"{}")
    assert main(["weights", "fetch", names.name]) == 0
    assert capsys.readouterr().out == f"{names}\n"
    assert main(["weights", "list", "--json"]) == 0
    listed = {entry["file"]: entry["path"] for entry in json.loads(capsys.readouterr().out)}
    assert listed[name] == str(place)
    assert listed["mobilenet_5_0_224_tf.h5"] is None
    assert main(["weights", "list"]) == 0
    assert re.search(rf"{name} +MobileNet +with +{place}", capsys.readouterr().out)
    assert main(["weights", "path", "mobilenet"]) == 2
    assert capsys.readouterr().err.endswith(
        "no published weights file is called 'mobilenet' (minicnn weights list names all); those of the model are "
        "mobilenet_1_0_224_tf.h5, mobilenet_1_0_224_tf_no_top.h5, mobilenet_1_0_192_tf.h5, "
        "mobilenet_1_0_192_tf_no_top.h5 and 28 more\n"
    )
    assert main(["weights", "path", "mobilenet_2_5_224_tf"]) == 2
    assert "; similar: mobilenet_2_5_224_tf.h5, " in capsys.readouterr().err


def test_the_names_of_the_classes_come_with_a_classifier(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("MINICNN_OFFLINE", raising=False)
    asked = []
    monkeypatch.setattr("minicnn.weights.download.download", lambda url, target, _: asked.append(target.name))
    for name, fetched in (
        ("mobilenet_2_5_224_tf_no_top.h5", ["mobilenet_2_5_224_tf_no_top.h5"]),
        ("mobilenet_2_5_224_tf.h5", ["mobilenet_2_5_224_tf.h5", "imagenet_class_index.json"]),
    ):
        assert main(["weights", "fetch", name]) == 0
        assert capsys.readouterr().out == f"{tmp_path / 'models' / name}\n"
        assert asked == fetched
        asked.clear()


def test_weights_on_this_machine_are_verified(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert main(["weights", "verify"]) == 0
    assert capsys.readouterr().out == "no published weights file is on this machine\n"
    place = tmp_path / "models" / "mobilenet_2_5_224_tf.h5"
    place.parent.mkdir()
    MobileNet(weights=None, alpha=0.25).save_weights(place)
    assert main(["weights", "verify"]) == 0
    assert f"{place}  can be opened; no hash is published" in capsys.readouterr().out
    other = tmp_path / "keras" / "models" / "imagenet_class_index.json"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"{}")
    assert main(["weights", "verify"]) == 1
    assert (
        "its md5 is 99914b932bd37a50b983c5e7c90ae93b, not c2c37ea517e94d9795004a39431a14cb" in capsys.readouterr().out
    )
    monkeypatch.setattr("minicnn.weights.registry.class_index", lambda: CLASS_INDEX)
    assert main(["weights", "verify", other.name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"path": str(other), "doubt": None, "hash": CLASS_INDEX.hash}]
    place.write_bytes(b"weights")
    assert main(["weights", "verify", place.name]) == 1
    assert "is not usable (" in capsys.readouterr().out
    assert main(["weights", "verify", "mobilenet_5_0_224_tf.h5"]) == 2
    assert "get it with minicnn weights fetch mobilenet_5_0_224_tf.h5" in capsys.readouterr().err
