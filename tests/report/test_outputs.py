"""The files of a transfer: written whole, with names that any file can hold, wherever the folder may be written."""

import html
import io
import json
import os
import re
import tempfile
import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from transfer_cases import small_net, write_photos

from minicnn import transfer
from minicnn.data import read_image, scan_folder
from minicnn.errors import FileAccessError
from minicnn.explain import grad_cam, overlay
from minicnn.layers import Conv2D, Dense, GlobalAveragePooling2D, Input
from minicnn.models import Model, Sequential, load_model
from minicnn.report import Mistake, write_outputs
from minicnn.report.describe import describe, trained_layers
from minicnn.report.outputs import OUTPUTS, check_outputs, check_place
from minicnn.report.page import render
from minicnn.report.record import run_record
from minicnn.report.seen import looked_at
from minicnn.runs import read_run
from minicnn.transfer import Policy, Settings, finetune_folder
from minicnn.transfer.checkpoints import choices_of
from minicnn.transfer.samples import samples_of

pytestmark = pytest.mark.numpy_only
ODD = os.fsdecode(b"caf\xe9")


@pytest.fixture
def odd_photos(tmp_path):
    """A class, a picture, a copy of it and a text whose names are not UTF-8."""
    photos = write_photos(tmp_path / "p", 6)
    try:
        (photos / "red").rename(photos / ODD)
    except OSError:
        pytest.skip("this file system has names in UTF-8 only")
    (photos / ODD / f"{ODD}.png").write_bytes((photos / ODD / "0.png").read_bytes())
    (photos / ODD / f"{ODD}.txt").write_text("no picture")
    (photos / "green" / f"{ODD}.png").write_bytes((photos / "blue" / "0.png").read_bytes())
    return photos.rename(tmp_path / ODD)


def finetune(photos, net):
    return finetune_folder(photos, net, settings=Settings(epochs=2, batch_size=8), cache=False)


def test_names_that_are_not_utf8_are_written_with_their_bytes_escaped(odd_photos, net_file, tmp_path):
    result = finetune(odd_photos, net_file)
    paths = write_outputs(result, tmp_path / "out" / ODD, ["minicnn", "finetune", str(odd_photos)])
    page = paths["report.html"].read_text(encoding="utf-8")
    metrics = json.loads(paths["metrics.json"].read_text(encoding="utf-8"))
    names = load_model(paths["model.keras"]).metadata["class_names"]
    assert "caf\\xe9" in page
    assert f"{'caf' + chr(92)}xe9/caf\\xe9.txt" in page
    assert list(metrics["classes"]) == names == ["blue", "caf\\xe9", "green"]
    assert scan_folder(odd_photos, names).class_names == tuple(names)  # such a model still knows its folder
    json.dumps(metrics, ensure_ascii=False).encode()


@pytest.fixture
def closed_parent(tmp_path, monkeypatch):
    """A folder that may be written in a parent that may not, as a mounted /out."""
    out, make = tmp_path / "out", tempfile.mkdtemp

    def refuse(prefix, dir):
        if os.path.samefile(dir, tmp_path):
            raise PermissionError(13, "Permission denied")
        return make(prefix=prefix, dir=dir)

    out.mkdir()
    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    return out


def test_a_folder_is_written_whose_parent_is_not(net_file, tmp_path, closed_parent):
    result = finetune(write_photos(tmp_path / "photos", 4), net_file)
    paths = write_outputs(result, closed_parent, ["minicnn"])
    assert {path.name for path in closed_parent.iterdir()} == {path.name for path in paths.values()}


def test_a_failure_leaves_the_files_of_before(net_file, tmp_path, monkeypatch):
    result = finetune(write_photos(tmp_path / "photos", 4), net_file)
    paths = write_outputs(result, tmp_path / "out", ["minicnn"])
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("minicnn.report.outputs.render", full)
    with pytest.raises(FileAccessError, match="cannot be written"):
        write_outputs(result, tmp_path / "out", ["minicnn"])
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    np.testing.assert_array_equal(sorted(before), sorted(paths.values()))


@pytest.mark.parametrize("name", ["head.keras", "model.keras", "run.json"])
def test_a_folder_in_the_place_of_a_file_is_refused_before_any_is_replaced(result, tmp_path, name):
    (tmp_path / "out" / name).mkdir(parents=True)
    (tmp_path / "out" / "metrics.json").write_text("of an earlier run")
    before = sorted((tmp_path / "out").iterdir())
    for refused in (check_outputs, lambda folder: write_outputs(result, folder)):
        with pytest.raises(FileAccessError, match=f"out/{name} is a folder: move it away, or name another folder"):
            refused(tmp_path / "out")
        assert sorted((tmp_path / "out").iterdir()) == before
        assert (tmp_path / "out" / "metrics.json").read_text() == "of an earlier run"


def test_what_a_killed_process_leaves_lies_in_the_scratch_folder(result, tmp_path, monkeypatch):
    for place in ("out", "scratch"):
        (tmp_path / place).mkdir()

    def killed(*arguments, **options):
        assert list((tmp_path / "out").iterdir()) == []
        assert [path.name for path in (tmp_path / "scratch").rglob("model.keras")] == ["model.keras"]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("minicnn.report.outputs.render", killed)
        with pytest.raises(KeyboardInterrupt):
            write_outputs(result, tmp_path / "out", scratch=tmp_path / "scratch")
    paths = write_outputs(result, tmp_path / "out", scratch=tmp_path / "scratch")
    assert sorted(paths.values()) == sorted((tmp_path / "out").iterdir())
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.fixture(scope="module")
def result(photos, net_file):
    return finetune_folder(photos, net_file, settings=Settings(epochs=2), cache=False)


def test_the_commands_that_made_and_that_use_the_model_are_quoted_for_a_shell(result, tmp_path):
    folder = tmp_path / "my photos-model"
    paths = write_outputs(result, folder, ["minicnn", "finetune", "my photos", "--base=$x"])
    page = html.unescape(paths["report.html"].read_text(encoding="utf-8"))
    assert "minicnn finetune 'my photos' '--base=$x'" in page
    assert f"minicnn predict '{folder}/model.keras' photo.jpg" in page


@pytest.mark.parametrize("denied", [os.W_OK, os.X_OK])
@pytest.mark.parametrize("place", ["there", "new", "there/new/deep"])
def test_a_place_that_may_not_be_written_is_refused_before_work_begins(tmp_path, monkeypatch, denied, place):
    (tmp_path / "there").mkdir()
    around = tmp_path / ("there" if place.startswith("there") else "")
    monkeypatch.setattr(os, "access", lambda path, mode: path != around or not mode & denied)
    with pytest.raises(FileAccessError, match=f"{place} cannot be written: {around} is not writable; name another"):
        check_place(tmp_path / place)
    monkeypatch.undo()
    assert check_place(tmp_path / place) == tmp_path / place


def test_the_folder_that_one_is_in_is_named_in_full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(FileAccessError, match=f"^{tmp_path} cannot be written: {tmp_path} is not writable"):
        check_place(".")


def test_the_model_of_before_a_fine_tuning_that_did_harm_is_kept(photos, net_file, tmp_path):
    choices = {"epochs": 15, "batch_size": 8, "unfreeze": "conv2", "fine_epochs": 2}
    for rate, kept in ((30.0, True), (1e-3, False)):
        result = finetune_folder(photos, net_file, settings=Settings(**choices, learning_rate=rate), cache=False)
        paths = write_outputs(result, tmp_path / "out", ["minicnn"])
        assert ("head.keras" in paths) == (tmp_path / "out" / "head.keras").exists() == kept
        if kept:
            assert "kept as head.keras" in paths["report.html"].read_text("utf-8")
            head, tuned = (load_model(paths[name]) for name in ("head.keras", "model.keras"))
            assert head.metadata == tuned.metadata
            with result.head_alone() as model:
                expected = model.get_layer("conv2").get_weights()[0]
            assert np.array_equal(head.get_layer("conv2").get_weights()[0], expected)
            assert not np.array_equal(tuned.get_layer("conv2").get_weights()[0], expected)


def test_a_run_of_the_head_alone_names_no_choices_of_fine_tuning(result):
    config = run_record(replace(result, policy=Policy(unfreeze=None)), [])["config"]
    assert config["head_epochs"] == 40
    assert {config[name] for name in ("unfreeze", "epochs", "learning_rate", "layer_decay", "augment")} == {None}
    policy = Policy(unfreeze=None, views=2, class_weight="sqrt", label_smoothing=0.1)
    config = run_record(replace(result, policy=policy), [])["config"]
    assert [config[name] for name in ("augment", "class_weight", "label_smoothing")] == ["mirror", "sqrt", 0.1]
    facts = describe(replace(result, policy=policy), [], "").facts["Settings"]
    assert [facts[name] for name in ("views", "class weight", "label smoothing")] == ["2", "sqrt", "0.1"]
    assert "warmup" not in facts


def test_what_changes_pictures_need_not_be_a_thing_that_can_be_copied(result):
    class Locked:
        __qualname__ = "Locked"

        def __init__(self):
            self.lock = threading.Lock()

        def __call__(self, picture, index, epoch):
            return picture

    policy = Policy(unfreeze=1, augment=Locked())
    assert "Locked" in run_record(replace(result, policy=policy), [])["config"]["augment"]
    assert choices_of(result.base, samples_of((np.eye(4), [0, 1, 0, 1]), result.base), policy, Settings())["augment"]


def test_a_run_is_recorded_with_what_it_took_effect_from(result, tmp_path):
    paths = write_outputs(result, tmp_path / "out", ["minicnn", "finetune", "photos"])
    run = read_run(tmp_path / "out")
    assert run.title == "colours"
    assert run.record["command"] == ["minicnn", "finetune", "photos"]
    assert run.config["size"] == [24, 24]
    assert (run.config["head_epochs"], run.config["preprocessing"]) == (2, "tf")
    assert run.facts()["data.training_and_validation.red"] == [6, 2]
    answers = run.answers()
    assert len(answers) == 6
    right = sum(true == said for true, said in answers.values())
    assert right / 6 == run.metrics["accuracy"]
    rows = (tmp_path / "out" / "history.csv").read_text().splitlines()
    rates = [float(row.split(",")[-1]) for row in rows[1:]]
    assert rates == pytest.approx(result.phases[0].rates, rel=1e-5)
    assert 0 < rates[1] < rates[0] <= 0.02  # a cosine
    assert paths["run.json"].is_file()


def test_each_mistake_has_what_the_model_looked_at(photos, tmp_path):
    path = tmp_path / "net.keras"
    small_net(preprocessing="tf").save(path)
    result = finetune_folder(photos, str(path), settings=Settings(epochs=1, validation=0.5), cache=False)
    pixels = np.stack([read_image(photos / name, size=24).pixels for name in result.judged.names[:3]])
    wrong = [Mistake(name, "red", "green", 0.9, b"", shot) for name, shot in zip(result.judged.names, pixels)]
    seen = looked_at(replace(result, mistakes=wrong))
    assert list(seen) == result.judged.names[:3]
    drawings = [np.array(Image.open(io.BytesIO(jpeg)), np.int64) for jpeg in seen.values()]
    assert all(drawing.shape == (24, 24, 3) for drawing in drawings)
    heat = grad_cam(result.model, result.base.preparation(pixels), result.class_names.index("green"))
    for drawing, picture, map_ in zip(drawings, pixels, heat):
        assert np.abs(drawing - overlay(picture, map_)).mean() < 12  # what JPEG changes
    assert looked_at(replace(result, mistakes=[replace(mistake, pixels=None) for mistake in wrong])) == {}


def test_the_layer_groups_of_a_fine_tuning_have_their_rates(photos, net_file):
    settings = Settings(epochs=1, batch_size=8, unfreeze="conv2", fine_epochs=1, learning_rate=1e-3)
    result = finetune_folder(photos, net_file, settings=settings, cache=False)
    groups = trained_layers(result)
    assert groups[-1].name == "classifier"
    assert (groups[-1].parameters, groups[-1].trained, groups[-1].rate) == (27, 27, 1e-3)
    assert sum(group.parameters for group in groups) == result.model.count_params()
    assert sum(group.trained for group in groups) == result.phases[1].parameters
    halved = replace(result, policy=replace(result.training, layer_decay=0.5))
    assert [group.rate for group in trained_layers(halved)][-2] == 5e-4
    assert trained_layers(replace(result, phases=result.phases[:1])) == []


def test_a_layer_of_the_base_behind_its_maps_has_its_own_rate():
    inputs = Input((16, 16, 3))
    x = Conv2D(4, 3, strides=2, name="wide")(inputs)
    x = GlobalAveragePooling2D()(Conv2D(4, 3, strides=2, name="narrow")(x))
    model = Model(inputs, Dense(2, activation="softmax")(Dense(6, activation="relu", name="inner")(x)))
    pictures = np.random.default_rng(0).normal(size=(12, 16, 16, 3)).astype(np.float32)
    policy = Policy(unfreeze=2, head_epochs=1, epochs=1, learning_rate=1e-2, layer_decay=0.5, augment=None)
    result = transfer.finetune(model, (pictures, np.arange(12) % 2), policy)
    shown = [(group.name, group.trained > 0, group.rate) for group in trained_layers(result.details)]
    assert shown[1:] == [("narrow", True, 2.5e-3), ("inner", True, 5e-3), ("classifier", True, 1e-2)]
    assert shown[0][:2] == ("wide", False)


def test_with_early_stopping_the_report_judges_by_the_validation_pictures(photos, net_file):
    policy = Policy(unfreeze=1, head_epochs=1, epochs=4, batch_size=8, patience=4, held_out=0.3, learning_rate=0.05)
    result = finetune_folder(photos, net_file, policy=policy, cache=False)
    report = describe(result, [], "")
    page = render(report)
    losses = re.findall(r'<td data-label="Validation loss">(.*?)</td>', page)
    assert losses[1] == f"{result.metrics()['log_loss']:.3f}" != f"{result.phases[1].val_loss[-1]:.3f}"
    assert re.findall(r'<td data-label="Validation accuracy">(.*?)</td>', page)[1] == f"{result.accuracy:.1%}"
    assert "kept aside for early stopping" in page
    assert report.facts["Settings"]["held out"] == "0.3"
    assert "kept aside for early stopping" not in render(describe(replace(result, phases=result.phases[:1]), [], ""))


def folder_of(photos, net_file):
    """finetune by a policy, of a folder."""
    return transfer.finetune(net_file, photos, Policy(unfreeze=1, head_epochs=2, epochs=1, batch_size=8))


def arrays_of(photos, net_file):
    """finetune of arrays that a model of one channel takes as they are, with labels that nothing tells."""
    model = Sequential([Input((16, 16, 1)), Conv2D(4, 3, activation="relu"), GlobalAveragePooling2D(), Dense(3)])
    generator = np.random.default_rng(0)
    x = generator.normal(size=(30, 16, 16, 1)).astype(np.float32)
    return transfer.finetune(model, (x, np.arange(30) % 3), Policy(unfreeze=None, head_epochs=2))


@pytest.mark.parametrize(("make", "title"), [(folder_of, "colours"), (arrays_of, "samples")])
def test_the_result_of_finetune_has_the_same_files_and_page(photos, net_file, tmp_path, make, title):
    result = make(photos, net_file)
    paths = write_outputs(result, tmp_path / "run")
    assert set(OUTPUTS) - {"head.keras"} <= paths.keys()
    page = html.unescape(paths["report.html"].read_text("utf-8"))
    headings = re.findall("<h[12]>(.*?)</h[12]>", page)
    assert {title, "How it learned", "What it mixes up", "Class by class", "Can its probabilities be believed?",
            "What the network finds alike", "Where the time went"} <= set(headings)  # fmt: skip
    assert ("Worst mistakes" in headings) == (len(result.details.mistakes) > 0) == (make is arrays_of)
    assert page.count("data:image/jpeg") == 2 * len(result.details.mistakes)  # each with what the model looked at
    assert "<h3>Command</h3>" not in page
    run = read_run(tmp_path / "run")
    assert (run.title, run.metrics["accuracy"]) == (title, result.accuracy)
    assert len(run.answers()) == len(result.labels)
    losses = [-np.log(p[label]) for p, label in zip(result.probabilities, result.labels) if p.argmax() != label]
    names = {result.details.judged.names[i]: i for i in range(len(result.labels))}
    rows = [names[mistake.file] for mistake in result.details.mistakes]
    found = [-np.log(result.probabilities[row, result.labels[row]]) for row in rows]
    assert found == sorted(losses, reverse=True)
