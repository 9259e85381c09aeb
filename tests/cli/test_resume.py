"""finetune --resume: killed at any step it ends with the same bits; another training is refused, and nothing lost."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_cases import FAST, refused, snapshot
from transfer_cases import stopped_after, write_photos

from minicnn.cli import main
from minicnn.models import load_model
from minicnn.transfer import Checkpoints

pytestmark = [pytest.mark.numpy_only, pytest.mark.usefixtures("in_an_empty_folder")]

POLICY = "default,unfreeze=2,epochs=6,head_epochs=5,batch_size=4,dropout=0.2,ema=0.9,patience=9,rank=2"
LIVES = """
import os, signal, sys
from minicnn.cli import main
from minicnn.models.fitting import Trainer

step, left = Trainer.step, [0]

def counted(self, batch):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return step(self, batch)

Trainer.step = counted
for steps in [*map(int, sys.argv[1].split()), -1]:
    left[0], process = steps, os.fork()
    if not process:
        os._exit(main(sys.argv[2:]))
    status = os.waitpid(process, 0)[1]
    assert os.WIFSIGNALED(status) == (steps >= 0), f"{steps} steps: status {status}"
sys.exit(os.waitstatus_to_exitcode(status))
"""


def finetune(photos, net_file, out, *options) -> list[str]:
    """The command; what a later option says is what holds."""
    return ["finetune", str(photos), "--base", net_file, "--out", str(out), "--policy", POLICY, *options]


def lives(kills: str, command: list[str]) -> None:
    """Run a command that is killed after so many steps of training each time, and then comes to its end."""
    environment = {**os.environ, "MINICNN_KERNELS": "numpy", "OPENBLAS_NUM_THREADS": "1", "MINICNN_CACHE": "cache"}
    program = [sys.executable, "-W", "error", "-c", LIVES, kills, *command]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def found(out) -> tuple[list[bytes], list[list[str]], bytes]:
    """The arrays of a run's model, its history but for the seconds, and its answers."""
    with Path(out, "history.csv").open() as file:
        rows = [[value for name, value in row.items() if name != "seconds"] for row in csv.DictReader(file)]
    weights = [array.tobytes() for array in load_model(Path(out, "model.keras")).get_weights()]
    return weights, rows, Path(out, "predictions.csv").read_bytes()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_killed_in_every_stage_it_ends_as_if_it_never_was(photos, net_file):
    lives("", finetune(photos, net_file, "whole", "--folds", "2"))
    keeping = ["--folds", "2", "--checkpoint-every", "2", "--resume"]
    lives("1 9 30 41 22 13 1", finetune(photos, net_file, "killed", *keeping))
    assert found("killed") == found("whole")
    metrics = [json.loads(Path(out, "metrics.json").read_text())["cross_validation"] for out in ("whole", "killed")]
    assert metrics[0] == metrics[1]
    assert not Path("killed", "checkpoints").exists()


@pytest.fixture
def stopped(photos, net_file) -> Path:
    """A run that was stopped in the middle of an epoch of fine-tuning, with a checkpoint of every second step."""
    with stopped_after(36):
        assert main(finetune(photos, net_file, "run", "--checkpoint-every", "2")) == 130
    return Path("run")


def test_a_run_that_was_stopped_goes_on_where_it_says(stopped, photos, net_file, capsys):
    assert main(finetune(photos, net_file, "whole")) == 0
    capsys.readouterr()
    assert main(finetune(photos, net_file, "run", "--resume")) == 0
    assert "going on from run/checkpoints/fine-tuning/epoch00002-step000002.safetensors" in capsys.readouterr().err
    assert found("run") == found("whole")


def test_who_watches_may_come_and_go(stopped, photos, net_file):
    with stopped_after(4):
        assert main(finetune(photos, net_file, "run", "--resume", "--tensorboard", "logs")) == 130
    assert main(finetune(photos, net_file, "run", "--resume")) == 0
    assert main(finetune(photos, net_file, "whole", "--tensorboard", "other")) == 0
    assert found("run") == found("whole")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["--seed", "1"], "a training with seed 0, now it is 1"),
        (["--learning-rate", "1e-3"], "a training with learning_rate 0.0005, now it is 0.001"),
        (["--policy", "head"], "a training with unfreeze 2, now it is None"),
        (["--validation", "0.3"], "a training with validation 0.2, now it is 0.3"),
        (["--resize", "pad"], "a training with preparation "),
    ],
)
def test_other_choices_are_refused_by_their_names(stopped, photos, net_file, tmp_path, capsys, changes, said):
    line = refused(capsys, tmp_path, *finetune(photos, net_file, "run", "--resume", *changes))
    assert said in line
    assert line.endswith("go on with what it began with, or take another folder")


def test_changed_pictures_and_another_model_are_refused(stopped, photos, net_file, tmp_path, capsys):
    more = shutil.copytree(photos, tmp_path / "more")
    write_photos(tmp_path / "p", 1, seed=9)
    (tmp_path / "p" / "red" / "0.png").rename(more / "red" / "new.png")
    line = refused(capsys, tmp_path, *finetune(more, net_file, "run", "--resume"))
    assert "a training with pictures 24 of 3 classes" in line
    assert "now it is 25 of 3 classes" in line
    (tmp_path / "other").mkdir()
    model = load_model(net_file)
    model.get_layer("conv1").set_weights([w * 2 for w in model.get_layer("conv1").get_weights()])
    model.save(tmp_path / "other" / "small.keras")
    command = finetune(photos, str(tmp_path / "other" / "small.keras"), "run", "--resume")
    assert "a training with weights small.keras " in refused(capsys, tmp_path, *command)


def test_checkpoints_are_never_lost_by_beginning_anew(stopped, photos, net_file, tmp_path, capsys):
    for options in ([], ["--checkpoint-every", "5"]):
        line = refused(capsys, tmp_path, *finetune(photos, net_file, "run", *options))
        assert "run/checkpoints holds a training that did not come to its end" in line
        assert "resume it (--resume), remove the folder, or take another" in line


@pytest.mark.parametrize("file", ["best.pt", "step-100/weights.pt"])
@pytest.mark.parametrize("options", [[], ["--checkpoint-every", "5"], ["--resume"]])
def test_checkpoints_of_other_programs_are_not_removed(photos, net_file, tmp_path, capsys, file, options):
    other = Path("run/checkpoints", file)
    other.parent.mkdir(parents=True)
    other.write_text("hours of work")
    line = refused(capsys, tmp_path, *finetune(photos, net_file, "run", *options))
    assert f"run/checkpoints holds {file.partition('/')[0]}, which is of no training of minicnn" in line
    assert [path for path in Path("run").rglob("*") if path.is_file()] == [other]


@pytest.mark.parametrize("options", [[], ["--checkpoint-every", "5"], ["--resume"]])
def test_a_second_process_is_refused(photos, net_file, tmp_path, capsys, options):
    with Checkpoints("run/checkpoints"):
        line = refused(capsys, tmp_path, *finetune(photos, net_file, "run", *options))
    assert f"run/checkpoints is in use by another training, process {os.getpid()}: wait until it ends" in line


def test_damaged_checkpoints_are_refused_and_kept(stopped, photos, net_file, tmp_path, capsys):
    for damaged in ("{", "[" * 100_000):
        (stopped / "checkpoints" / "choices.json").write_text(damaged)
        line = refused(capsys, tmp_path, *finetune(photos, net_file, "run", "--resume"))
        assert "choices.json is missing or damaged: remove run/checkpoints to begin anew" in line


def test_what_is_finished_is_said_to_be(trained, photos, net_file, capsys):
    before = snapshot(trained)
    capsys.readouterr()
    assert main(["finetune", str(photos), "--base", net_file, "--out", str(trained), *FAST, "--resume", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "nothing is left to resume" in err
    assert json.loads(out) == json.loads(before["metrics.json"] or b"")
    assert snapshot(trained) == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["--epochs", "13"], "a training with head_epochs 12, now it is 13"),
        (["--policy", "default"], "a training with unfreeze None, now it is 4"),
        (["--seed", "1"], "a training with seed 0, now it is 1"),
        (["--size", "32"], "takes pictures of 24 × 24 pixels, not of 32 × 32"),
        (["--resize", "pad"], "a training with resize crop, now it is pad"),
        (["--folds", "2"], "a training with folds 0, now it is 2"),
    ],
)
def test_something_else_than_what_is_finished_is_refused(trained, photos, net_file, tmp_path, capsys, changes, said):
    command = ["finetune", photos, "--base", net_file, "--out", trained, *FAST, "--resume", *changes]
    assert said in refused(capsys, tmp_path, *command)
    model = load_model(net_file)
    model.get_layer("conv1").set_weights([w * 2 for w in model.get_layer("conv1").get_weights()])
    model.save(tmp_path / Path(net_file).name)
    for base, told in (("bundled", "base small.keras"), (tmp_path / Path(net_file).name, "weights_sha256")):
        line = refused(capsys, tmp_path, *command[:3], base, *command[4 : -len(changes)])
        assert f"holds a training with {told} " in line
    other = shutil.copytree(photos, tmp_path / "other")
    assert "pictures of colours, now it is other" in refused(capsys, tmp_path, "finetune", other, *command[2:-2])


def test_without_anything_to_resume_it_begins(photos, net_file, capsys):
    assert main(finetune(photos, net_file, "run", "--resume")) == 0
    assert "there is nothing to resume in run: the training begins" in capsys.readouterr().err


def test_without_out_the_last_of_the_numbered_folders_is_resumed(stopped, photos, net_file, monkeypatch):
    command = [word for word in finetune(photos, net_file, "run") if word not in ("--out", "run")]
    assert main(command) == 0
    stopped.rename("colours-model-2")
    assert main([*command, "--resume"]) == 0
    assert found("colours-model") == found("colours-model-2")
    assert not Path("colours-model-3").exists()


def test_bad_input_leaves_no_folder(net_file, tmp_path, capsys):
    refused(capsys, tmp_path, "finetune", "missing", "--base", net_file, "--out", "new/run", "--checkpoint-every", "2")
    assert not Path("new").exists()
