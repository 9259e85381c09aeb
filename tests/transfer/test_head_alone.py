"""Policies without fine-tuning: choices that would do nothing are refused, and how a policy is written."""

import pytest

from minicnn.data import augment
from minicnn.errors import ArgumentError
from minicnn.transfer import Policy, Settings

pytestmark = pytest.mark.numpy_only

OF_FINE_TUNING = {
    "epochs": 3, "learning_rate": 1e-3, "layer_decay": 0.5, "gradual": 1, "schedule": "constant", "warmup": 0.0,
    "optimizer": "sgd", "batchnorm": "train", "weight_decay": 0.01, "l2_sp": 0.1, "rank": 2, "clip_norm": 1.0,
    "ema": 0.9, "patience": 2, "held_out": 0.3,
}  # fmt: skip


@pytest.mark.parametrize("name", OF_FINE_TUNING)
def test_a_head_alone_does_not_take_choices_that_would_do_nothing(name):
    choice = {name: OF_FINE_TUNING[name]}
    with pytest.raises(ArgumentError) as caught:
        Policy(unfreeze=None, **choice)
    assert str(caught.value).startswith(f"policy: {name}={choice[name]!r} is for fine-tuning, but unfreeze=None trains")
    assert Policy(unfreeze=1, **choice).without_fine_tuning() == Policy(unfreeze=None)


def test_several_such_choices_are_named_at_once():
    with pytest.raises(
        ArgumentError, match=r"weight_decay=0.1, ema=0.9 are for .* leave them out, or say which layers"
    ):
        Policy(unfreeze=None, ema=0.9, weight_decay=0.1)


def test_what_a_head_is_trained_by_stays_without_fine_tuning():
    kept = {
        "head_epochs": 7, "batch_size": 8, "storage": "float16", "dropout": 0.1, "label_smoothing": 0.1,
        "class_weight": "sqrt", "seed": 3,
    }  # fmt: skip
    changing = {"augment": augment.Pipeline([augment.Rotate(9)]), "views": 2}
    assert Policy(**kept, ema=0.9).without_fine_tuning() == Policy(unfreeze=None, **kept)
    assert Policy(**kept, **changing).without_fine_tuning() == Policy(unfreeze=None, **kept, **changing)
    assert Policy(augment=changing["augment"]).without_fine_tuning() == Policy(unfreeze=None)


def test_settings_become_policies():
    assert Settings().policy == Policy(unfreeze=None, augment=None)
    assert Settings(views=2, epochs=3, dropout=0.1).policy == Policy(unfreeze=None, head_epochs=3, views=2, dropout=0.1)
    assert Settings(unfreeze=2).policy == Policy(
        unfreeze=2, epochs=10, learning_rate=1e-4, layer_decay=1.0, warmup=0.2, augment=None
    )


def test_a_policy_is_written_as_what_it_chooses_on_one_line():
    assert repr(Policy()) == "Policy()"
    made = Policy(unfreeze=None, class_weight={0: 2.0})
    assert repr(made) == "Policy(unfreeze=None, class_weight={0: 2.0})"
    assert eval(repr(made)) == made
    assert repr(Policy(augment=len)) == "Policy(augment=len)"
