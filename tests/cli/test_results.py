"""Results that cannot be written: what was trained is kept, and one line says where."""

import os
import tempfile
from pathlib import Path

import pytest
from cli_cases import FAST

from minicnn.cli import main
from minicnn.errors import FileAccessError
from minicnn.models import load_model
from minicnn.report import outputs

pytestmark = [pytest.mark.numpy_only, pytest.mark.usefixtures("in_an_empty_folder")]
FULL = OSError(28, "No space left on device")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


def finetune(photos, net_file, capsys, code, *options) -> list[str]:
    """The last two lines that a training says, without checkpoints unless it is told to keep them."""
    assert main(["finetune", str(photos), "--base", net_file, "--out", "run", *FAST, *options]) == code
    return capsys.readouterr().err.splitlines()[-2:]


def test_results_for_which_a_folder_has_no_room_go_elsewhere(photos, net_file, elsewhere, monkeypatch, capsys):
    move = os.replace

    def full(source, target):
        if Path(target).parent == Path("run"):
            raise FULL
        move(source, target)

    monkeypatch.setattr(os, "replace", full)
    kept, error = finetune(photos, net_file, capsys, 2)
    assert error == "minicnn: error: run cannot be written (No space left on device): name another folder"
    (folder,) = elsewhere.iterdir()
    assert kept == f"minicnn: the results are kept in {folder}"
    assert {path.name for path in folder.iterdir()} == set(outputs.OUTPUTS) - {"head.keras"}
    assert not Path("run").exists()


@pytest.mark.parametrize(("failure", "code"), [(FULL, 2), (MemoryError(), 1)])
def test_the_model_alone_is_kept_where_nothing_else_can_be(
    photos, net_file, elsewhere, monkeypatch, capsys, failure, code
):
    def fail(*arguments):
        raise failure

    monkeypatch.setattr(outputs, "render", fail)
    kept, error = finetune(photos, net_file, capsys, code)
    assert error.startswith("minicnn: error: run cannot be written" if code == 2 else "minicnn: failure: MemoryError")
    (folder,) = Path("run").iterdir()
    assert kept == f"minicnn: the model is kept in {folder}"
    assert load_model(folder / "model.keras").metadata["class_names"] == ["blue", "green", "red"]
    assert list(elsewhere.iterdir()) == []


def test_where_there_is_no_room_at_all_one_line_says_so(photos, net_file, elsewhere, monkeypatch, capsys):
    def full(*arguments, **options):
        raise FileAccessError("no room")

    monkeypatch.setattr("minicnn.models.Model.save", full)
    kept, error = finetune(photos, net_file, capsys, 2)
    assert kept == "minicnn: the trained model could be kept nowhere"
    assert error == "minicnn: error: no room"
    assert list(elsewhere.iterdir()) == []
    assert not Path("run").exists()


def test_checkpoints_that_are_left_where_there_is_no_room_are_told(photos, net_file, elsewhere, monkeypatch, capsys):
    def full(*arguments, **options):
        raise FileAccessError("no room")

    with monkeypatch.context() as patch:
        patch.setattr("minicnn.models.Model.save", full)
        kept, error = finetune(photos, net_file, capsys, 2, "--checkpoint-every", "5")
    said = "checkpoints of the trained model are kept in run/checkpoints: --resume writes the results once it can"
    assert (kept, error) == (f"minicnn: {said}", "minicnn: error: no room")
    finetune(photos, net_file, capsys, 0, "--resume")
    assert load_model("run/model.keras").metadata["class_names"] == ["blue", "green", "red"]
