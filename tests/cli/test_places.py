"""Where results go: beside the photos and never among them, and what was there before is told."""

from pathlib import Path

import pytest
from cli_cases import refused
from transfer_cases import write_photos

from minicnn.cli import main
from minicnn.cli.places import result_folder
from minicnn.errors import ArgumentError

pytestmark = pytest.mark.numpy_only

FAST = ["--epochs", "2", "--batch-size", "8", "--no-cache"]


@pytest.fixture
def own_photos(tmp_path) -> Path:
    return write_photos(tmp_path / "album" / "photos", 4)


@pytest.mark.parametrize("inside", [".", "red"])
@pytest.mark.parametrize("named", [".", "absolute", "link"])
def test_results_of_a_run_inside_the_photos_lie_beside_them(own_photos, net_file, monkeypatch, capsys, inside, named):
    monkeypatch.chdir(own_photos / inside)
    (own_photos.parent / "link").symlink_to(own_photos)
    photos = {".": ".." if inside == "red" else ".", "absolute": own_photos, "link": own_photos.parent / "link"}[named]
    before = sorted(own_photos.rglob("*"))
    assert main(["finetune", str(photos), "--base", net_file, *FAST]) == 0
    assert (own_photos.parent / "photos-model" / "model.keras").is_file()
    assert sorted(own_photos.rglob("*")) == before
    said = capsys.readouterr().out.split("model   ")[1].splitlines()[0]
    assert Path(said).resolve() == own_photos.parent / "photos-model" / "model.keras"


@pytest.mark.parametrize("out", ["photos", "photos/", "photos/new", "photos/red", "../album/photos/x/y", "link/new"])
def test_results_among_the_photos_are_refused(own_photos, net_file, monkeypatch, capsys, out):
    monkeypatch.chdir(own_photos.parent)
    Path("link").symlink_to("photos")
    before = sorted(own_photos.rglob("*"))
    assert main(["finetune", "photos", "--base", net_file, "--out", out, *FAST]) == 2
    err = capsys.readouterr().err
    assert "lies among the photos" in err
    assert "name another folder with --out" in err
    assert err.count("\n") == 1
    assert sorted(own_photos.rglob("*")) == before


@pytest.mark.parametrize("logs", ["photos/logs", "album/../photos"])
def test_figures_among_the_photos_are_refused(own_photos, net_file, monkeypatch, capsys, logs):
    monkeypatch.chdir(own_photos.parent)
    Path("album").mkdir()
    before = sorted(own_photos.parent.rglob("*"))
    for folder, said in ((logs, f"{logs} lies among the photos in photos"), ("", "after --tensorboard is empty")):
        assert main(["finetune", "photos", "--base", net_file, "--tensorboard", folder, *FAST]) == 2
        err = capsys.readouterr().err
        assert said in err
        assert err.count("\n") == 1
        assert sorted(own_photos.parent.rglob("*")) == before


def test_a_folder_in_the_place_of_a_result_is_refused_before_work_begins(own_photos, net_file, tmp_path, capsys):
    (tmp_path / "run" / "model.keras").mkdir(parents=True)
    line = refused(capsys, tmp_path, "finetune", own_photos, "--base", net_file, "--out", tmp_path / "run", *FAST)
    assert line.endswith("model.keras is a folder: move it away, or name another folder for the results")


def test_results_may_lie_around_or_beside_the_photos(own_photos, monkeypatch):
    monkeypatch.chdir(own_photos.parent)
    assert result_folder(".", "photos") == Path(".")
    assert result_folder("photos2", "photos") == Path("photos2")
    assert result_folder(None, "photos") == Path("photos-model")
    assert result_folder(None, "photos/red/..") == Path("photos-model")


def test_a_whole_disk_of_photos_has_no_beside():
    with pytest.raises(ArgumentError, match="name another folder with --out"):
        result_folder(None, "/")


def test_a_second_run_without_out_keeps_the_results_of_the_first(own_photos, net_file, monkeypatch, capsys):
    monkeypatch.chdir(own_photos.parent)
    command = ["finetune", "photos", "--base", net_file, *FAST]
    for number, folder in enumerate(("photos-model", "photos-model-2", "photos-model-3")):
        before = {path: path.read_bytes() for path in Path().glob("photos-model*/*")}
        capsys.readouterr()
        assert main(command) == 0
        out, err = capsys.readouterr()
        assert f"model   {folder}/model.keras" in out
        kept = f"photos-model holds earlier results, which are kept: these go to {folder}; --out names another folder"
        assert (kept in err) == (number > 0)
        assert all(path.read_bytes() == data for path, data in before.items())
    assert main([*command, "--out", "photos-model"]) == 0
    assert "earlier results in photos-model were replaced" in capsys.readouterr().err


def test_where_results_go_is_not_said_of_work_that_is_refused(own_photos, net_file, monkeypatch, capsys):
    monkeypatch.chdir(own_photos.parent)
    Path("photos-model").mkdir()
    Path("photos-model/model.keras").touch()
    assert main(["finetune", "photos", "--base", "no_such_file.keras", *FAST]) == 2
    assert "photos-model" not in capsys.readouterr().err


def test_files_are_not_taken_for_folders_of_results(own_photos, monkeypatch):
    monkeypatch.chdir(own_photos.parent)
    Path("photos-model").mkdir()
    Path("photos-model/model.keras").touch()
    Path("photos-model-2").touch()
    assert result_folder(None, "photos") == Path("photos-model-3")


def test_a_training_under_way_is_found_behind_files_and_before_finished_ones(own_photos, monkeypatch):
    monkeypatch.chdir(own_photos.parent)
    for name in ("photos-model", "photos-model-4"):
        Path(name).mkdir()
        Path(name, "model.keras").touch()
    Path("photos-model-2").touch()
    assert result_folder(None, "photos", resume=True) == Path("photos-model")
    Path("photos-model-3/checkpoints").mkdir(parents=True)
    assert result_folder(None, "photos", resume=True) == Path("photos-model-3")


def test_what_the_folder_held_before_is_told(own_photos, net_file, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["finetune", str(own_photos), "--base", net_file, "--out", str(out), *FAST]
    for said in (
        "",
        f"{out} held other files before: the results lie among them",
        f"earlier results in {out} were replaced",
    ):
        capsys.readouterr()
        assert main(command) == 0
        err = capsys.readouterr().err
        assert said in err
        assert ("held other files" in err or "earlier results" in err) == bool(said)
        if not said:
            for path in out.iterdir():
                path.unlink()
            (out / "mine.txt").write_text("mine")
    assert (out / "mine.txt").read_text() == "mine"
