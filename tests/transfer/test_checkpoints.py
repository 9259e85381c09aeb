"""What decides a transfer, as its checkpoints keep it: other choices are told from those that it began with."""

import shutil
from dataclasses import replace

import pytest
from policy_cases import PLAIN, job

from minicnn.data import augment
from minicnn.errors import WeightsMismatchError
from minicnn.training import as_json, compare
from minicnn.transfer import Checkpoints, Settings
from minicnn.transfer.checkpoints import choices_of

pytestmark = pytest.mark.numpy_only


def choices(change):
    policy = replace(PLAIN, augment=change)
    made, _ = job(policy)
    return as_json(choices_of(made.base, made.samples, policy, Settings()))


def test_another_augmentation_is_refused_and_the_same_one_is_not():
    changes = [augment.Adapted(sorted), augment.Rotate(10)]
    begun = choices(augment.Pipeline(changes))
    compare("run", begun, choices(augment.Pipeline(changes)), {})
    for other in (augment.Pipeline([changes[0], augment.Rotate(20)]), augment.Pipeline(changes, seed=1), max, "mirror"):
        with pytest.raises(WeightsMismatchError, match=r"a training with augment Pipeline\(\[Adapted\(sorted"):
            compare("run", begun, choices(other), {})


def test_who_is_killed_while_checkpoints_are_removed_can_go_on(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(shutil, "rmtree", lambda path, **_: seen.append((path.parent / "choices.json").exists()))
    with Checkpoints(tmp_path / "run") as kept:
        for stage in ("a", "z"):
            (kept.folder / stage).mkdir()
        kept.begin({"seed": 0})
    assert seen == [True, True]
    assert not (tmp_path / "run" / "choices.json").exists()
