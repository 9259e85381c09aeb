"""What decides a transfer, as its checkpoints keep it: other choices are told from those that it began with."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from policy_cases import PLAIN, job
from transfer_cases import small_net, stopped_after

from minicnn.data import augment
from minicnn.errors import WeightsMismatchError
from minicnn.training import CheckpointFolder, as_json, compare
from minicnn.transfer import Base, Checkpoints, Policy, Settings, finetune
from minicnn.transfer.checkpoints import choices_of
from minicnn.transfer.samples import AsGiven
from minicnn.transfer.surgery import without_head

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


@pytest.mark.parametrize("patience", [None, 9])
def test_the_best_of_each_training_is_kept_and_stays_right_when_it_goes_on(tmp_path, monkeypatch, patience):
    """By the cross-entropy on what the training is measured on, in every stage."""
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((40, 24, 24, 3)).astype(np.float32), np.arange(40) % 2
    policy = Policy(
        unfreeze=1, head_epochs=6, epochs=8, batch_size=8, learning_rate=0.02, augment=None, patience=patience
    )
    folder = tmp_path / "run"

    def run():
        with Checkpoints(folder, every=3, resume=True) as kept:
            base = Base(without_head(small_net()), "small", AsGiven(), "random")  # pyright: ignore[reportArgumentType]
            finetune(base, (x, y), policy, checkpoints=kept)

    monkeypatch.setattr(Checkpoints, "_clear", lambda self, failed: self._lock.release())
    for steps in (14, 29, 9, None):
        if steps is None:
            run()
        else:
            with stopped_after(steps), pytest.raises(KeyboardInterrupt):
                run()
        for stage in folder.glob("*/"):
            _, state = CheckpointFolder(stage, 2).newest()
            losses = dict(state["callbacks"])["History"]["history"].get("val_cross_entropy", [])
            names = [path.name for path in CheckpointFolder(stage, 2).files()]
            assert len(names) <= 3
            if losses:
                assert state["best"][1] == f"epoch{np.argmin(losses) + 1:05d}-step000000.safetensors"
                assert state["best"][1] in names
    assert sorted(path.name for path in folder.glob("*/")) == ["fine-tuning", "head"]


def test_who_is_killed_while_checkpoints_are_removed_can_go_on(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(shutil, "rmtree", lambda path, **_: seen.append((path.parent / "choices.json").exists()))
    with Checkpoints(tmp_path / "run") as kept:
        for stage in ("a", "z"):
            (kept.folder / stage).mkdir()
        kept.begin({"seed": 0})
    assert seen == [True, True]
    assert not (tmp_path / "run" / "choices.json").exists()
