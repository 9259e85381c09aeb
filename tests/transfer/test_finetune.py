"""The whole job on small pictures: what is learned, what stays frozen, and that neither cache nor folds change it."""

from typing import Any

import numpy as np
import pytest
from PIL import Image
from transfer_cases import make_lie, write_photos

from minicnn.errors import ArgumentError, DataError, FileAccessError, FileFormatError
from minicnn.models import load_model
from minicnn.transfer import FeatureCache, Settings, finetune_folder
from minicnn.transfer.features import features_by_batch
from minicnn.transfer.freeze import leaf_layers

pytestmark = pytest.mark.numpy_only

FINE: dict[str, Any] = {"unfreeze": "conv2", "fine_epochs": 2, "learning_rate": 1e-3}


def run(photos, net_file, cache: Any = False, progress: Any = None, **changes: Any):
    settings: dict[str, Any] = {"epochs": 15, "batch_size": 8} | changes
    return finetune_folder(photos, net_file, settings=Settings(**settings), cache=cache, progress=progress)


def weights(model):
    return {layer.name: [w.tobytes() for w in layer.get_weights()] for layer in leaf_layers(model) if layer.weights}


def test_colours_are_learned_and_everything_is_told(photos, net_file):
    result = run(photos, net_file, folds=2)
    assert result.accuracy == 1.0
    assert list(result.class_names) == ["blue", "green", "red"]
    assert (result.train_counts, result.val_counts) == ([6, 6, 6], [2, 2, 2])
    assert result.confusion.tolist() == np.diag([2, 2, 2]).tolist()
    assert result.folds is not None
    assert len(result.folds.head) == 2
    assert list(result.folds.fine_tuned) == []
    (phase,) = result.phases
    assert (phase.name, len(phase.loss), len(phase.seconds), phase.parameters) == ("head", 15, 15, 8 * 3 + 3)
    assert phase.loss[-1] < phase.loss[0]
    assert result.model.metadata["class_names"] == ["blue", "green", "red"]
    assert result.model.metadata["preprocessing"] == "tf"
    assert {"features", "train the head", "cross-validation"} <= result.seconds.keys()
    assert phase.duration == result.seconds["train the head"] > sum(phase.seconds)


def test_the_base_stays_bit_for_bit(photos, net_file):
    before = weights(load_model(net_file))
    after = weights(run(photos, net_file).model)
    assert all(after[name] == before[name] for name in ("conv1", "bn1", "conv2", "bn2"))


def test_fine_tuning_changes_the_layers_from_there_on_but_no_batch_normalization(photos, net_file):
    before = weights(load_model(net_file))
    result = run(photos, net_file, **FINE)
    after = weights(result.model)
    assert {name for name in ("conv1", "bn1", "conv2", "bn2") if after[name] != before[name]} == {"conv2"}
    assert [phase.name for phase in result.phases] == ["head", "fine-tuning"]
    assert result.phases[1].parameters == 3 * 3 * 8 * 8 + 8 + 8 * 3 + 3
    assert result.accuracy == 1.0


def test_fine_tuning_makes_the_training_loss_smaller(photos, net_file):
    result = run(photos, net_file, epochs=2, **FINE | {"fine_epochs": 6})
    assert result.phases[1].loss[-1] < result.phases[1].loss[0]


@pytest.mark.parametrize("changes", [{}, FINE])
def test_neither_cache_nor_cross_validation_changes_a_bit(photos, net_file, tmp_path, changes):
    cache = FeatureCache(tmp_path)
    plain = run(photos, net_file, **changes)
    filling = run(photos, net_file, cache=cache, **changes)
    cached = run(photos, net_file, cache=cache, folds=2, **changes)
    assert "24 pictures: 0 from the cache, 24 computed" in filling.cache
    assert "24 pictures: 24 from the cache, 0 computed" in cached.cache
    assert weights(plain.model) == weights(filling.model) == weights(cached.model)


def test_cross_validation_judges_fine_tuning_too(photos, net_file):
    result = run(photos, net_file, folds=2, **FINE)
    assert result.folds is not None
    assert len(result.folds.head) == len(result.folds.fine_tuned) == 2
    judged = result.metrics()["cross_validation"]
    assert [judged[name]["pictures"] for name in ("head", "fine_tuned")] == [24, 24]


def test_fine_tuning_changes_no_figure_of_the_head_in_cross_validation(tmp_path, net_file):
    alike = {"a": (128, 128, 128), "b": (130, 128, 128), "c": (128, 130, 128)}  # so that chance decides
    photos = write_photos(tmp_path / "p", 12, alike)
    judged = [run(photos, net_file, folds=4, epochs=4, batch_size=4, dropout=0.5, **more) for more in ({}, FINE)]
    head, tuned = (result.folds for result in judged)
    assert head is not None
    assert tuned is not None
    assert tuned.head == head.head
    assert len(set(head.head)) > 1


def test_a_cache_that_lies_is_mentioned_and_not_believed(photos, net_file, tmp_path):
    expected = run(photos, net_file, cache=FeatureCache(tmp_path))
    make_lie(tmp_path)
    with pytest.warns(UserWarning, match="not those of the network: they are computed anew"):
        again = run(photos, net_file, cache=FeatureCache(tmp_path))
    assert weights(again.model) == weights(expected.model)


def test_features_that_are_not_the_networks_are_refused(photos, net_file, monkeypatch):
    def lie(*arguments):
        (features,), use = features_by_batch(*arguments)
        return [features[::-1] * 3], use

    monkeypatch.setattr("minicnn.transfer.job.features_by_batch", lie)
    with pytest.raises(FileFormatError, match="not those of the network"):
        run(photos, net_file)


def test_given_train_and_val_are_kept(tmp_path, net_file):
    write_photos(tmp_path / "p" / "train", 5)
    write_photos(tmp_path / "p" / "val", 3, seed=1)
    result = run(tmp_path / "p", net_file)
    assert (result.train_counts, result.val_counts) == ([5, 5, 5], [3, 3, 3])
    assert result.split == "the folder's own train/ and val/"


def test_bad_files_are_told_and_left_out(tmp_path, net_file):
    photos = write_photos(tmp_path / "p")
    (photos / "red" / "0.png").write_bytes((photos / "red" / "0.png").read_bytes()[:200])
    (photos / "red" / "notes.txt").write_text("hello")
    result = run(photos, net_file)
    assert sum(result.train_counts) + sum(result.val_counts) == 23
    assert sorted(file for file, _ in result.refused) == ["red/0.png", "red/notes.txt"]


def test_tiny_pictures_are_listed_among_those_converted(tmp_path, net_file):
    photos = write_photos(tmp_path / "p")
    Image.open(photos / "red" / "0.png").resize((1, 1)).save(photos / "red" / "dot.png")
    result = run(photos, net_file)
    assert result.adapted == [("red/dot.png", "enlarged from 1 x 1")]
    (remark,) = result.remarks
    assert remark.startswith("1 picture is so small that there is little to see: red/dot.png, enlarged from 1 x 1; ")


def test_copies_are_remarked_and_never_divided(tmp_path, net_file):
    photos = write_photos(tmp_path / "p")
    (photos / "red" / "copy.png").write_bytes((photos / "red" / "0.png").read_bytes())
    result = run(photos, net_file)
    (remark,) = result.remarks
    assert remark.startswith("1 file is a copy of another: red/copy.png is red/0.png; each was used, ")
    assert remark.endswith(": remove those you do not want")
    assert result.metrics()["copies"] == [{"file": "red/copy.png", "copy_of": "red/0.png"}]


def test_of_many_copies_five_are_remarked_and_all_are_listed(tmp_path, net_file):
    photos = write_photos(tmp_path / "p")
    for number in range(7):
        (photos / "red" / f"z{number}.png").write_bytes((photos / "red" / "0.png").read_bytes())
    result = run(photos, net_file)
    named = ", ".join(f"red/z{number}.png is red/0.png" for number in range(5))
    (remark,) = result.remarks
    assert remark.startswith(f"7 files are copies of others: {named} and 2 more; each was used")
    assert len(result.metrics()["copies"]) == 7


def test_a_picture_in_two_classes_is_named_with_both(tmp_path, net_file):
    photos = write_photos(tmp_path / "p")
    for place in ("green/copy.png", "red/a.png"):
        (photos / place).write_bytes((photos / "green" / "0.png").read_bytes())
    (remark,) = [r for r in run(photos, net_file).remarks if "classes" in r]
    assert remark.startswith(
        "1 picture lies in several classes: red/a.png is green/0.png; each was used with the class"
    )
    assert remark.endswith("keep it in the right one alone")


def test_a_copy_is_told_of_once_by_what_is_worst_about_it(tmp_path, net_file):
    photos = write_photos(tmp_path / "p")
    (photos / "red" / "a.png").write_bytes((photos / "green" / "0.png").read_bytes())
    result = run(photos, net_file)
    (remark,) = result.remarks
    assert remark.startswith("1 picture lies in several classes: red/a.png is green/0.png; ")
    assert result.metrics()["copies"] == [{"file": "red/a.png", "copy_of": "green/0.png"}]
    divided = tmp_path / "divided"
    write_photos(divided / "train")
    write_photos(divided / "val")
    for file in (divided / "val").rglob("*.png"):
        Image.fromarray(255 - np.asarray(Image.open(file))).save(file)
    (divided / "val" / "red" / "a.png").write_bytes((divided / "train" / "red" / "0.png").read_bytes())
    (remark,) = run(divided, net_file).remarks
    assert remark.startswith("1 validation picture is also among the training pictures, so the accuracy flatters: ")
    (divided / "val" / "blue" / "a.png").write_bytes((divided / "train" / "red" / "0.png").read_bytes())
    (divided / "val" / "red" / "a.png").unlink()
    (remark,) = run(divided, net_file).remarks
    assert remark.startswith("1 picture lies in several classes: val/blue/a.png is train/red/0.png; ")


@pytest.mark.parametrize(
    ("folds", "said"),
    [
        (1000, r"class 'blue' has too few pictures \(8\) for 1000 folds"),
        (8, "class 'red' has too few different pictures"),
    ],
)
def test_too_many_folds_are_refused_before_features_are_computed(tmp_path, net_file, monkeypatch, folds, said):
    photos = write_photos(tmp_path / "p")
    (photos / "red" / "0.png").write_bytes((photos / "red" / "1.png").read_bytes())
    monkeypatch.setattr("minicnn.transfer.job.features_by_batch", lambda *_, **__: pytest.fail("computed features"))
    with pytest.raises(DataError, match=said):
        run(photos, net_file, folds=folds)


def test_pictures_that_all_look_the_same_are_refused(tmp_path, net_file):
    """They need not be copies: the same pixels in files that differ."""
    photos = write_photos(tmp_path / "p", 3)
    for number, path in enumerate(sorted(photos.rglob("*.png"))):
        Image.new("RGB", (9, 9), (7, 8, 9)).save(path, compress_level=number % 9)
    with pytest.raises(DataError, match=r"p: all 9 pictures look the same: there is nothing to tell them apart by"):
        run(photos, net_file)


def test_pictures_in_both_parts_are_remarked(tmp_path, net_file):
    write_photos(tmp_path / "p" / "train", 5)
    write_photos(tmp_path / "p" / "val", 3, seed=1)
    for name in ("a.png", "b.png"):
        copied = (tmp_path / "p" / "train" / "red" / "0.png").read_bytes()
        (tmp_path / "p" / "val" / "red" / name).write_bytes(copied)
    (remark,) = [r for r in run(tmp_path / "p", net_file).remarks if "flatters" in r]
    assert remark.startswith("2 validation pictures are also among the training pictures")


def test_mistakes_are_the_wrong_answers(tmp_path, net_file):
    photos = write_photos(tmp_path / "p" / "train", 6)
    write_photos(tmp_path / "p" / "val", 3, seed=1)
    wrong = photos.parent / "val" / "red" / "wrong.png"
    wrong.write_bytes((photos.parent / "val" / "blue" / "0.png").read_bytes())
    (mistake,) = run(photos.parent, net_file).mistakes
    assert (mistake.file, mistake.true, mistake.predicted) == ("val/red/wrong.png", "red", "blue")
    assert mistake.probability > 0.5
    assert mistake.picture.startswith(b"\xff\xd8")


def test_a_layer_that_is_not_there_is_refused_before_pictures_are_read(photos, net_file):
    told = []
    with pytest.raises(ArgumentError, match=r"no layer 'conv9'.*conv2"):
        run(photos, net_file, unfreeze="conv9", progress=lambda *args: told.append(args))
    assert told == []


def test_nothing_to_train_is_refused(photos, net_file):
    with pytest.raises(ArgumentError, match="no layer from pool on has weights to train"):
        run(photos, net_file, unfreeze="pool")


def test_a_rate_that_diverges_is_refused(photos, net_file):
    with np.errstate(all="ignore"), pytest.raises(DataError, match="fine-tuning diverged"):
        run(photos, net_file, **FINE | {"learning_rate": 1e30})


def test_fine_tuning_that_lowers_the_accuracy_is_remarked(photos, net_file):
    harmed = run(photos, net_file, **FINE | {"learning_rate": 30.0})
    head, tuned = (phase.val_accuracy[-1] for phase in harmed.phases)
    assert tuned < head == 1.0
    (remark,) = harmed.remarks
    assert f"fine-tuning lowered the accuracy from 100.0% to {tuned:.1%} on the 6 pictures kept aside" in remark
    assert "the model of before is kept as head.keras; as large a difference may well be chance" in remark  # of 6
    assert harmed.metrics()["remarks"] == [remark]
    with harmed.head_alone() as model:
        assert weights(model) == weights(run(photos, net_file).model)
    assert weights(harmed.model) != weights(run(photos, net_file).model)


def test_fine_tuning_that_lowers_nothing_is_not_remarked(photos, net_file):
    result = run(photos, net_file, **FINE)
    assert result.remarks == []
    assert list(result.before_fine_tuning) == []


def test_a_missing_folder_is_refused(net_file, tmp_path):
    with pytest.raises(FileAccessError, match="no such folder"):
        run(tmp_path / "nothing", net_file)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1"),
        ({"folds": 1}, "folds must be 0"),
        ({"dropout": 1.0}, "dropout"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"validation": 1.0}, "validation"),
        ({"resize": "zoom"}, "resize"),
        ({"preprocessing": "imagenet"}, "preprocessing"),
        ({"size": 0}, "size"),
    ],
)
def test_settings_out_of_range_are_refused(changes, said):
    with pytest.raises(ArgumentError, match=said):
        Settings(**changes)
