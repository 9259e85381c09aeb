"""Each command does its work: the files it writes, the lines it prints, the JSON it gives to programs."""

import json
import re

import numpy as np
import pytest
from cli_cases import FAST
from transfer_cases import small_net

from minicnn.applications import MobileNet
from minicnn.cli import main
from minicnn.cli.options import DENSE_STORAGES
from minicnn.kernels import autotune_wanted, dense
from minicnn.models import load_model

pytestmark = pytest.mark.numpy_only


def test_the_command_line_offers_the_storages_that_kernels_know():
    assert DENSE_STORAGES == dense.STORAGES


def test_finetune_writes_its_files_and_says_where(photos, net_file, tmp_path, feature_folder, capsys):
    out = tmp_path / "new" / "out"
    command = ["finetune", str(photos), "--base", net_file, "--folds", "2", "--out", str(out), *FAST]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "accuracy 100.0% on 6 pictures (95% interval 61.0% to 100.0%)\n2 folds of all 24 pictures, head: "
    )
    assert said.endswith(f"model   {out}/model.keras\nreport  {out}/report.html\n")
    assert sorted(path.name for path in out.iterdir()) == [
        "history.csv", "metrics.json", "model.keras", "predictions.csv", "report.html", "run.json",
    ]  # fmt: skip
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert list(feature_folder.rglob("*.features"))
    metrics = json.loads((out / "metrics.json").read_text())
    assert (metrics["accuracy"], metrics["validation_pictures"]) == (1.0, 6)
    assert metrics["cross_validation"]["head"]["accuracies"] == [1.0, 1.0]
    rows = (out / "history.csv").read_text().splitlines()
    assert rows[0] == "phase,epoch,loss,accuracy,val_loss,val_accuracy,seconds,learning_rate"
    assert len(rows) == 13
    page = (out / "report.html").read_text()
    assert " ".join(["minicnn", *command]) in re.sub("<[^>]+>", "", page)
    assert load_model(out / "model.keras").metadata["class_names"] == ["blue", "green", "red"]


def test_finetune_prints_json_alone(photos, net_file, tmp_path, capsys):
    out = str(tmp_path / "out")
    command = ["finetune", str(photos), "--base", net_file, "--out", out, "--no-cache", "--unfreeze", "conv2"]
    assert main([*command, "--fine-epochs", "1", "--json", *FAST]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [phase["name"] for phase in found["phases"]] == ["head", "fine-tuning"]


def test_finetune_keeps_views_in_float16_and_says_how_far_they_are_off(photos, net_file, tmp_path, feature_folder):
    out = tmp_path / "out"
    command = ["finetune", str(photos), "--base", net_file, "--out", str(out), "--augment-views", "2"]
    assert main([*command, "--feature-storage", "float16", *FAST]) == 0
    text = (out / "report.html").read_text()
    said = re.search(
        r"24 pictures and 48 views of them: (\d+) from the cache, (\d+) computed; stored in float16, off by", text
    )
    assert said is not None
    assert int(said[1]) + int(said[2]) == 24 + 48


def test_finetune_takes_a_file_of_mobilenet_v2_and_predict_its_model(photos, tmp_path, capsys):
    from minicnn.applications import MobileNetV2

    weights, out = str(tmp_path / "thin.h5"), tmp_path / "out"
    MobileNetV2(weights=None, alpha=0.35, input_shape=(32, 32, 3), include_top=False).save_weights(weights)
    base = ["--base", "mobilenetv2", "--weights", weights, "--size", "32", "--no-cache"]
    tuning = ["--unfreeze", "block_16", "--fine-epochs", "1"]
    assert main(["finetune", str(photos), *base, *tuning, "--out", str(out), *FAST]) == 0
    assert load_model(out / "model.keras").metadata["base"] == "MobileNetV2, alpha 0.35"
    capsys.readouterr()
    assert main(["predict", str(out / "model.keras"), str(photos / "red" / "0.png"), "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert {c["name"] for c in entry["classes"]} == {"blue", "green", "red"}


def test_finetune_again_replaces_its_files_and_leaves_others(photos, net_file, trained):
    (trained / "mine.txt").write_text("keep")
    before = (trained / "report.html").read_text()
    arguments = ["--epochs", "2", "--out", str(trained)]
    assert main(["finetune", str(photos), "--base", net_file, *arguments]) == 0
    assert (trained / "report.html").read_text() != before
    assert (trained / "mine.txt").read_text() == "keep"


def test_without_out_results_lie_beside_under_the_name_of_the_photos(photos, net_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["finetune", str(photos), "--base", net_file, "--no-cache", *FAST]) == 0
    assert (tmp_path / "colours-model" / "model.keras").is_file()


def test_the_written_model_predicts_what_was_reported(trained, photos, capsys):
    capsys.readouterr()
    files = [str(photos / "red" / "1.png"), str(photos / "blue" / "2.png")]
    assert main(["predict", str(trained / "model.keras"), *files, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [entry["file"] for entry in found] == files
    assert [entry["classes"][0]["name"] for entry in found] == ["red", "blue"]
    assert all(abs(sum(c["probability"] for c in entry["classes"]) - 1) < 1e-5 for entry in found)


def test_predict_says_that_dense_weights_were_rounded(trained, photos, capsys):
    capsys.readouterr()
    command = ["predict", str(trained / "model.keras"), str(photos / "red" / "1.png")]
    told = {}
    for storage in DENSE_STORAGES:
        assert main([*command, "--json", "--dense-storage", storage]) == 0
        out, err = capsys.readouterr()
        (told[storage],) = json.loads(out)
        assert (f"weights of dense layers were stored as {storage}" in err) == (storage != "float32")
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [told["float32"]]
    assert [entry.get("dense_storage") for entry in told.values()] == [None, "bfloat16", "int8"]
    full, *rounded = ([c["probability"] for c in entry["classes"]] for entry in told.values())
    assert all(0 < max(np.abs(np.subtract(found, full))) < 0.05 for found in rounded)


def test_predict_prints_a_line_a_picture(trained, photos, capsys):
    capsys.readouterr()
    assert main(["predict", str(trained / "model.keras"), str(photos / "green"), "--top", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert all(re.fullmatch(r".*green/\d\.png  green \d+\.\d%", line) for line in lines)


def test_predict_goes_on_after_a_bad_picture_and_ends_with_2(trained, photos, tmp_path, capsys):
    capsys.readouterr()
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"<html>")
    assert main(["predict", str(trained / "model.keras"), str(bad), str(photos / "red" / "0.png")]) == 2
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert "red/0.png" in out
    assert err.startswith(f"minicnn: error: {bad}: ")
    assert err.count("\n") == 1


def test_predict_numbers_classes_without_names(tmp_path, photos, capsys):
    path = str(tmp_path / "plain.h5")
    small_net().save(path)
    picture = str(photos / "red" / "0.png")
    assert main(["predict", path, picture, "--preprocessing", "tf", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert {c["name"] for c in entry["classes"]} <= {f"class {i}" for i in range(4)}


def test_extract_writes_arrays_without_objects(photos, net_file, tmp_path, feature_folder, capsys):
    out = tmp_path / "f.npz"
    assert main(["extract", str(photos), "--base", net_file, "--out", str(out)]) == 0
    assert re.fullmatch(rf"{out}: 8 features of 24 pictures by small.keras \(\w+\)\n", capsys.readouterr().out)
    with np.load(out, allow_pickle=False) as data:
        assert data["features"].shape == (24, 8)
        assert data["class_names"][data["labels"]].tolist() == [name.split("/")[0] for name in data["files"]]


@pytest.mark.parametrize("command", [["finetune"], ["extract", "--out", "f.npz"]])
def test_without_a_network_the_remedies_are_named(photos, tmp_path, monkeypatch, capsys, command):
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "minicnn"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("MINICNN_OFFLINE", "1")
    assert main([*command, str(photos)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    place = tmp_path / "minicnn" / "models" / "mobilenet_1_0_224_tf_no_top.h5"
    assert "(MINICNN_OFFLINE is set): " in line
    assert line.endswith(f": put the file at {place}, or use --weights FILE, or --base bundled (offline)")


@pytest.mark.parametrize(("pooling", "width"), [("avg", 8), ("max", 8), ("none", 12 * 12 * 8)])
def test_extract_takes_the_outputs_of_any_layer(photos, net_file, tmp_path, pooling, width):
    out, options = tmp_path / "f.npz", ["--layer", "relu1", "--pooling", pooling, "--no-cache"]
    assert main(["extract", str(photos), "--base", net_file, "--out", str(out), *options]) == 0
    with np.load(out, allow_pickle=False) as data:
        assert data["features"].shape == (24, width)
        assert (data["features"] >= 0).all()


def test_extract_names_layers_near_to_one_that_is_not_there(photos, net_file, tmp_path, capsys):
    command = ["extract", str(photos), "--base", net_file, "--out", str(tmp_path / "f.npz"), "--layer", "relu"]
    assert main(command) == 2
    assert "has no layer 'relu'; some that it has: relu2, relu1" in capsys.readouterr().err


def test_extract_makes_the_folder_of_its_file(photos, net_file, tmp_path):
    out = tmp_path / "new" / "er" / "f.npz"
    assert main(["extract", str(photos), "--base", net_file, "--out", str(out), "--no-cache"]) == 0
    assert out.is_file()


def test_summary_prints_the_layers(net_file, capsys):
    assert main(["summary", net_file]) == 0
    said = capsys.readouterr().out
    assert "conv1" in said
    assert "BatchNormalization" in said
    assert main(["summary", net_file, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [layer["name"] for layer in found["layers"]][:2] == ["pictures", "conv1"]
    assert found["weights"] == small_net().count_params()


def test_doctor_reports_every_part(capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["software", "processor", "kernels", "cuda", "extras", "folders"]
    assert found["software"]["numpy"].startswith(np.__version__)
    assert found["kernels"]["operations"] > 10
    assert main(["doctor"]) == 0
    assert "vector instructions" in capsys.readouterr().out


def test_doctor_says_when_the_number_of_threads_is_none(monkeypatch, capsys):
    monkeypatch.setenv("MINICNN_NUM_THREADS", "abc")
    monkeypatch.setattr("minicnn.kernels._threads._threads", None)
    assert main(["doctor"]) == 0
    assert "NOT USABLE: MINICNN_NUM_THREADS is 'abc'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("choice", "numba", "said"),
    [
        ("numpy", "0.65", "NumPy, since MINICNN_KERNELS is numpy"),
        ("", "0.65", "Numba"),
        ("", "not installed", "NumPy; faster with Numba: pip install numba (extra 'fast')"),
    ],
)
def test_doctor_says_which_kernels_run_and_why(choice, numba, said, monkeypatch, capsys):
    monkeypatch.setenv("MINICNN_KERNELS", choice)
    monkeypatch.setattr("minicnn.cli.doctor.version", lambda package: numba)
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kernels"]["default form"] == said


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("", "off; MINICNN_AUTOTUNE=1 takes what is measured fastest; choices: "),
        ("1", "on, by MINICNN_AUTOTUNE; choices: "),
        ("yes", "NOT USABLE: MINICNN_AUTOTUNE is 'yes'; it may be '1', '0' or unset; choices: "),
    ],
)
def test_doctor_says_whether_kernels_are_measured_and_where_that_is_kept(choice, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    monkeypatch.setenv("MINICNN_AUTOTUNE", choice)
    monkeypatch.setattr("minicnn.kernels.autotune_wanted", autotune_wanted.__wrapped__)
    (tmp_path / "kernels" / "a").mkdir(parents=True)
    for name in ("autotune-1.json", "autotune-2.json", "a kernel"):
        (tmp_path / "kernels" / "a" / name).write_text("{}")
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["kernels"]["autotune"]
    assert found == f"{said}{tmp_path / 'kernels'}, 2 files, 0.0 MiB"


@pytest.mark.parametrize(
    ("driver", "usable", "said"),
    [
        ((13, 0), (True, "NVIDIA H200"), ["CUDA 13.0", "NVIDIA H200"]),
        ((12, 4), (False, "it is old: buy another"), ["CUDA 12.4", "not usable: it is old: buy another"]),
        (None, (False, "none"), ["none found: kernels run on the processor", "not usable: none"]),
    ],
)
@pytest.mark.parametrize(("compiler", "can"), [((True, "NVRTC 13.2"), "NVRTC 13.2"), ((False, "no"), "not usable: no")])
def test_doctor_says_what_there_is_of_a_gpu(driver, usable, said, compiler, can, monkeypatch, capsys):
    monkeypatch.setattr("minicnn.kernels.cuda_compiler", lambda: compiler)
    monkeypatch.setattr("minicnn.kernels.driver_version", lambda: driver)
    monkeypatch.setattr("minicnn.kernels.cuda_usable", lambda: usable)
    monkeypatch.setattr("minicnn.kernels.several_cupys", str)
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cuda"] == {"driver": said[0], "compiler": can, "GPU": said[1]}


def test_doctor_says_when_two_cupys_are_installed(monkeypatch, capsys):
    monkeypatch.setattr("minicnn.kernels.several_cupys", lambda: "two of them: remove both")
    assert main(["doctor"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  CuPy")]
    assert line.split() == ["CuPy", "two", "of", "them:", "remove", "both"]


def test_doctor_says_when_the_cache_cannot_be_written(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "file"))
    assert main(["doctor"]) == 0
    assert "NOT WRITABLE: set MINICNN_CACHE" in capsys.readouterr().out


def test_predict_takes_published_weights_alone(photos, tmp_path, capsys):
    path = str(tmp_path / "thin.h5")
    MobileNet(weights=None, alpha=0.25, classes=6).save_weights(path)
    assert main(["predict", path, str(photos / "red" / "0.png"), "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert {c["name"] for c in entry["classes"]} <= {f"class {i}" for i in range(6)}


def test_thousand_classes_have_the_names_of_imagenet_where_they_are_here(tmp_path, monkeypatch, capsys):
    from minicnn.cli.classifier import _usual_names

    names = [(f"n{i}", f"thing {i}") for i in range(1000)]
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    monkeypatch.setattr("minicnn.cli.classifier.imagenet_classes", lambda: names)
    monkeypatch.setattr("minicnn.weights.download.download", lambda *_: pytest.fail("asked the network"))
    assert _usual_names(1000)[7] == "class 7"
    said = "classes are numbered; minicnn weights fetch imagenet_class_index.json, once, gets their names"
    assert capsys.readouterr().err == f"minicnn: {said}\n"
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "imagenet_class_index.json").write_text("{}")
    assert _usual_names(1000)[7] == "thing 7"
    assert _usual_names(3) == ["class 0", "class 1", "class 2"]


def test_real_mobilenet_names_real_pictures(test_data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    monkeypatch.setenv("MINICNN_OFFLINE", "1")
    index = tmp_path / "models" / "imagenet_class_index.json"
    index.parent.mkdir()
    index.write_bytes((test_data / "datasets" / "imagenet_class_index.json").read_bytes())
    files = sorted((test_data / "datasets" / "imagenet_sample40").iterdir())
    model = str(test_data / "models" / "mobilenet_2_5_224_tf.h5")
    assert main(["predict", model, *map(str, files), "--json", "--top", "1"]) == 0
    said = {entry["file"]: entry["classes"][0]["name"] for entry in json.loads(capsys.readouterr().out)}
    names = json.loads(index.read_text())
    right = sum(said[str(file)] == names[str(int(file.name.split("_")[0]))][1] for file in files)
    assert right >= 20


FER2013 = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


def test_a_model_of_grey_pictures_predicts_and_gives_features(test_data, tmp_path, capsys):
    model = str(test_data / "models" / "fer2013_mini_XCEPTION.102-0.66.hdf5")
    faces = test_data / "datasets" / "faces7"
    assert main(["predict", model, str(faces), "--preprocessing", "tf", "--top", "1", "--json"]) == 0
    said = [entry["classes"][0]["name"] for entry in json.loads(capsys.readouterr().out)]
    named = [FER2013[int(name.removeprefix("class "))] for name in said]
    assert named[:4] == ["surprise", "happy", "sad", "angry"]  # the author's own labels
    for emotion in (5, 3):
        folder = tmp_path / "p" / f"class {emotion}"
        folder.mkdir(parents=True)
        face = {5: "0_surprise.png", 3: "1_happy.png"}[emotion]
        (folder / face).write_bytes((faces / face).read_bytes())
    assert (
        main(["extract", str(tmp_path / "p"), "--base", model, "--preprocessing", "tf", "--out", f"{tmp_path}/f.npz"])
        == 0
    )
    assert np.load(tmp_path / "f.npz")["features"].shape == (2, 7)


def test_a_base_of_grey_pictures_learns(photos, tmp_path, capsys):
    from minicnn.layers import Conv2D, Dense, GlobalAveragePooling2D, Input
    from minicnn.models import Sequential

    net = Sequential([Input((24, 24, 1)), Conv2D(8, 3, activation="relu"), GlobalAveragePooling2D(), Dense(5)])
    net.metadata = {"preprocessing": "tf"}
    net.save(tmp_path / "grey.keras")
    out = tmp_path / "out"
    command = ["finetune", str(photos), "--base", str(tmp_path / "grey.keras"), "--out", str(out), "--no-cache", *FAST]
    assert main(command) == 0
    assert main(["evaluate", str(out / "model.keras"), str(photos)]) == 0
    assert "on 24 pictures" in capsys.readouterr().out


@pytest.mark.parametrize(("count", "said"), [(3, "3 kernels are ready ("), (0, "nothing to compile: ")])
def test_warmup_says_how_many_kernels_are_ready(count, said, monkeypatch, capsys):
    def warmup(progress, must_keep):
        assert must_keep
        for done in range(count):
            progress(done + 1, count)
        return count

    monkeypatch.setattr("minicnn.kernels.warmup", warmup)
    assert main(["warmup"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(said)
    assert ("compiling: 3 of 3" in err) == (count == 3)


def test_warmup_fails_at_once_where_nothing_can_be_kept(tmp_path, monkeypatch, capsys):
    pytest.importorskip("numba")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr("minicnn.kernels._warmup.examples", lambda make: pytest.fail("began to compile"))
    assert main(["warmup"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("minicnn: error: compiled kernels are not kept, so each start compiles them again (")
    assert err.endswith("; set MINICNN_CACHE to a folder of yours\n")
    assert err.count("\n") == 1
