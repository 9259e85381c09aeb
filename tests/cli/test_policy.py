"""--policy: a name and settings become the policy that is followed; what is none is refused with what was meant."""

import json
from dataclasses import fields
from pathlib import Path

import pytest
from cli_cases import refused

from minicnn.cli import main
from minicnn.cli.entry import build_parser
from minicnn.cli.finetune import settings_of
from minicnn.cli.policy import FIELDS, HELP, NAMES, SETTINGS, policies, policy_of
from minicnn.transfer import Policy

pytestmark = pytest.mark.numpy_only


def policy(*words: str):
    return policy_of(build_parser().parse_args(["finetune", "photos", *words]))


def test_it_knows_the_fields_of_a_policy():
    assert set(SETTINGS) == {field.name for field in fields(Policy)} - {"seed"}
    assert set(FIELDS.values()) <= set(SETTINGS)
    assert all(name in HELP for name in (*SETTINGS, *NAMES))
    assert policies().keys() == set(NAMES)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--policy", "default"], Policy()),
        (["--policy", "head"], Policy(unfreeze=None)),
        (["--policy", "default, epochs=20,rank=4"], Policy(epochs=20, rank=4)),
        (["--policy", "unfreeze=block5,augment=none,weight_decay=1e-4"],
         Policy(unfreeze="block5", augment=None, weight_decay=1e-4)),
        (["--policy", "default,clip_norm=1,class_weight=balanced,optimizer=sgd"],
         Policy(clip_norm=1, class_weight="balanced", optimizer="sgd")),
        (["--policy", "default,epochs=20", "--fine-epochs", "3", "--epochs", "5", "--unfreeze", "2", "--dropout", "0.1",
          "--batch-size", "8", "--learning-rate", "1e-3"],
         Policy(epochs=3, head_epochs=5, unfreeze=2, dropout=0.1, batch_size=8, learning_rate=1e-3)),
        (["--policy", "class_weight=SQRT,augment=None"], Policy(class_weight="sqrt", augment=None)),
        (["--policy", "head", "--unfreeze", "conv2", "--fine-epochs", "2"], Policy(unfreeze="conv2", epochs=2)),
        (["--unfreeze", "2"], None),
    ],
)  # fmt: skip
def test_words_become_a_policy(words, expected):
    assert policy(*words) == expected


def test_without_a_policy_fine_tuning_is_plain():
    options = build_parser().parse_args(["finetune", "photos", "--unfreeze", "2", "--fine-epochs", "3"])
    found = settings_of(options).policy
    assert (found.unfreeze, found.epochs, found.layer_decay, found.augment) == (2, 3, 1, None)
    assert found.learning_rate == 1e-4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fast"], "--policy fast: 'fast' is no policy: there are default, head; settings are written as epochs=20"),
        (["defalt"], "'defalt' is no policy, did you mean default?"),
        ([""], "'' is no policy"),
        (["default,epochs"], "'epochs' is a setting without a value: write epochs=VALUE"),
        (["default,epoch=3"], "there is no setting 'epoch', did you mean epochs?"),
        (["seed=3"], "--seed N sets the seed"),
        (["epochs=0"], "epochs must be a whole number of at least 1"),
        (["epochs=many"], "epochs must be a whole number"),
        (["learning_rate=0"], "learning_rate"),
        (["schedule=linear"], "schedule"),
        (["rank=2,l2_sp=1"], "rank and l2_sp"),
        (["unfreeze=conv9"], "no layer 'conv9'"),
        (["head", "--learning-rate", "1e-3"], "--learning-rate is for fine-tuning, and this policy has none: add unf"),
        (["class_weight=always"], "class_weight must be one of balanced, sqrt, none; it is 'always'"),
        (["augment=flip"], "--policy augment=flip: augment must be one of mirror, none; it is 'flip'"),
        (["head,ema=0.9,epochs=3"], "epochs=3, ema=0.9 are for fine-tuning, but unfreeze=None trains the head alone"),
    ],
)
def test_what_is_no_policy_is_refused(photos, net_file, in_an_empty_folder, tmp_path, capsys, words, said):
    line = refused(capsys, tmp_path, "finetune", photos, "--base", net_file, "--no-cache", "--policy", *words)
    assert said in line


def test_the_policy_that_was_followed_is_recorded_and_logged(photos, net_file, in_an_empty_folder):
    words = ["--policy", "default,unfreeze=1,epochs=2,layer_decay=0.5", "--epochs", "2", "--tensorboard", "logs"]
    assert main(["finetune", str(photos), "--base", net_file, "--out", "run", "--no-cache", *words]) == 0
    config = json.loads(Path("run", "run.json").read_text())["config"]
    assert (config["epochs"], config["layer_decay"], config["head_epochs"], config["augment"]) == (2, 0.5, 2, "mirror")
    stages = {path.relative_to("logs").parts[:2] for path in Path("logs").rglob("events.*")}
    assert stages == {(s, part) for s in ("head", "fine-tuning") for part in ("train", "validation")}


def test_a_place_for_figures_is_looked_at_first(photos, net_file, in_an_empty_folder, tmp_path, capsys):
    Path("logs").write_text("")
    line = refused(capsys, tmp_path, "finetune", photos, "--base", net_file, "--no-cache", "--tensorboard", "logs")
    assert "logs is a file: name a folder" in line
