"""Checkpoints that are damaged, of another training, or cannot be written; and programs that resume."""

import re

import pytest
from training_cases import X, Y, files, fit, make, same

from minicnn import callbacks, training
from minicnn.callbacks import BackupAndRestore, EarlyStopping, History, LambdaCallback
from minicnn.errors import ArgumentError, FileAccessError, FileFormatError, WeightsMismatchError
from minicnn.layers import Dense, GlobalAveragePooling2D, Input
from minicnn.models import Sequential
from minicnn.optimizers import SGD, Adam

pytestmark = pytest.mark.numpy_only


# Damage


def damage(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def test_of_a_damaged_checkpoint_the_one_before_is_taken(tmp_path, whole):
    fit(make(), tmp_path, stop=(8,))
    damage(tmp_path / "epoch00001-step000001.safetensors")
    model = make()
    with pytest.warns(
        UserWarning, match=r"epoch00001-step000001\.safetensors is damaged, or .*; the one before it is taken"
    ):
        fit(model, tmp_path)
    assert same(model, whole[0])


def test_damaged_checkpoints_do_not_count_among_the_last(tmp_path):
    fit(make(), tmp_path, stop=(8,))
    damage(tmp_path / "epoch00001-step000001.safetensors")
    with pytest.warns(UserWarning, match="is damaged"):
        fit(make(), tmp_path, stop=(1, "on_epoch_end"), save_freq=1)
    assert files(tmp_path) == ["epoch00000-step000004.safetensors", "epoch00000-step000005.safetensors", "lock"]


def test_where_all_are_damaged_nothing_is_begun(tmp_path):
    fit(make(), tmp_path, stop=(8,))
    for path in tmp_path.glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:100])
    with (
        pytest.warns(UserWarning, match="is damaged"),
        pytest.raises(FileFormatError, match=r"none of the 2 checkpoints in .* can be read"),
    ):
        fit(make(), tmp_path)


# Refusals


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch_size": 6}, "with batch_size 5, now it is 6"),
        ({"shuffle": False}, "with shuffle True, now it is False"),
        ({"x": X[:20], "y": Y[:20]}, r"with training data 22 samples of .* now it is 20 samples"),
        ({"x": X + 1}, r"with training data 22 samples of .*, now it is 22 samples"),
        ({"validation_data": (X[:6], Y[:6])}, r"with validation data 7 samples"),
        ({"validation_data": None}, r"with validation data 7 samples .*, now it is None"),
        ({"class_weight": {0: 2}}, r"with class_weight None, now it is \{'0': 2\}"),
        ({"optimizer": SGD(0.1)}, "with optimizer class Adam, now it is SGD"),
        ({"optimizer": Adam(0.1)}, r"with optimizer learning_rate .*, now it is 0\.1"),
        ({"metrics": ["accuracy"]}, "with metrics"),
        ({"units": 4}, r"with model 5 layers with 203 weights \w+, now it is 5 layers with 240 weights"),
        ({"settings": {"rate": 2}}, "with rate 1, now it is 2"),
        ({"others": [EarlyStopping("loss")]}, "with callbacks"),
    ],
)
def test_another_training_is_refused(tmp_path, change, said):
    made = {key: change.pop(key) for key in ("optimizer", "metrics", "units") if key in change}
    settings, others = change.pop("settings", {"rate": 1}), change.pop("others", [])
    fit(make(), tmp_path, stop=(4,), backup=BackupAndRestore(tmp_path, 2, settings={"rate": 1}))
    before = {path: path.read_bytes() for path in tmp_path.glob("*.safetensors")}
    model = make(**made)
    weights, options = model.get_weights()[0], {"x": X, "y": Y, **change}
    with pytest.raises(WeightsMismatchError, match=f"{re.escape(str(tmp_path))} holds a training {said}") as caught:
        fit(model, tmp_path, *others, backup=BackupAndRestore(tmp_path, 2, settings=settings), **options)
    assert "\n" not in str(caught.value)
    assert (model.get_weights()[0] == weights).all()
    assert before == {path: path.read_bytes() for path in tmp_path.glob("*.safetensors")}


def test_other_layers_trained_are_refused(tmp_path):
    fit(make(), tmp_path, stop=(4,))
    model = make()
    model.layers[0].trainable = False
    with pytest.raises(WeightsMismatchError, match=r"with trained weights 6 of 8 arrays \w+, now it is 4 of 8"):
        fit(model, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"backup_dir": ""}, "backup_dir must be the name of a folder"),
        ({"save_freq": 0}, "save_freq must be a whole number of at least 1"),
        ({"save_freq": "batch"}, "save_freq must be a whole number"),
        ({"keep": 0}, "keep must be a whole number of at least 1"),
        ({"delete_checkpoint": "no"}, "delete_checkpoint must be True or False"),
    ],
)
def test_arguments(arguments, said):
    with pytest.raises(ArgumentError, match=f"BackupAndRestore: {said}"):
        BackupAndRestore(**{"backup_dir": "backup", **arguments})


def test_a_folder_that_is_none_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    model = make()
    before = model.get_weights()[0]
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FileAccessError, match=r"file.* cannot be made"):
            fit(model, folder)
    assert (model.get_weights()[0] == before).all()


def test_what_cannot_be_written_is_told_once_and_training_goes_on(tmp_path, whole):
    resource = pytest.importorskip("resource")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(epoch, logs):  # of the size of files, as a full disk has one
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, usual[1]) if epoch == 1 else usual)

    model = make()
    try:
        with pytest.warns(UserWarning, match=r"no checkpoint: .* cannot be written: File too large") as caught:
            fit(model, tmp_path, LambdaCallback(on_epoch_begin=limit),
                backup=BackupAndRestore(tmp_path, 1, delete_checkpoint=False))  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert len(caught) == 1
    assert "the last one is" in str(caught[0].message)
    assert "training goes on" in str(caught[0].message)
    assert same(model, whole[0])
    assert files(tmp_path) == ["epoch00002-step000005.safetensors", "epoch00003-step000000.safetensors", "lock"]


def test_a_figure_that_cannot_be_kept_costs_the_checkpoint_and_not_the_training(tmp_path):
    odd = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(odd=object()))
    with pytest.warns(UserWarning, match="no checkpoint: .*odd.* is object, which cannot be kept.*; training goes on"):
        assert len(fit(make(), tmp_path, odd, save_freq="epoch").epoch) == 3


def test_a_second_training_in_the_folder_is_refused(tmp_path):
    def second(batch, logs):
        with pytest.raises(FileAccessError, match="is in use by another training"):
            fit(make(), tmp_path)

    fit(make(), tmp_path, LambdaCallback(on_train_batch_end=second), epochs=1)


def test_what_was_read_does_not_stay_in_memory(tmp_path):
    fit(make(), tmp_path, stop=(4,))
    backup = BackupAndRestore(tmp_path)
    held = []
    fit(make(), tmp_path, LambdaCallback(on_epoch_end=lambda epoch, logs: held.append(backup._found)), backup=backup)
    assert held == [None] * 3


def test_files_of_others_in_its_name_count_as_damaged(tmp_path, whole):
    fit(make(), tmp_path, stop=(4,))
    training.write_state(tmp_path / "epoch00009-step000000.safetensors", {"position": {}})
    model = make()
    with pytest.warns(UserWarning, match="step000000.safetensors is damaged.*; the one before it is taken"):
        fit(model, tmp_path)
    assert same(model, whole[0])


@pytest.mark.parametrize("key", ["model", "sources", "metrics", "callbacks"])
def test_a_checkpoint_that_says_what_cannot_be_is_refused(tmp_path, key):
    fit(make(), tmp_path, stop=(4,))
    for path in tmp_path.glob("*.safetensors"):
        training.write_state(path, training.read_state(path) | {key: {"weights": 3, "data": [1, 2, 3]}})
    with pytest.raises(FileFormatError, match=r"step000002\.safetensors holds no state of this training"):
        fit(make(), tmp_path)


# For programs


def test_resumable_sets_the_seed_and_says_what_may_go_on(tmp_path):
    def train(resume, seed=5, rate=0.01, stop=None, folder="run"):
        backup = callbacks.resumable(tmp_path / folder, seed=seed, every=2, resume=resume, settings={"rate": rate})
        model = Sequential([Input((5, 5, 2)), GlobalAveragePooling2D(), Dense(3, activation="softmax")])
        model.compile(SGD(rate), "sparse_categorical_crossentropy")
        fit(model, tmp_path, backup=backup, stop=stop)
        return model

    expected = train(resume=True, folder="whole")
    train(resume=False, stop=(7,))
    with pytest.raises(
        FileAccessError, match=r"run holds the checkpoints of a training, the last .* resume it, or take"
    ):
        train(resume=False)
    with pytest.raises(WeightsMismatchError, match="with seed 5, now it is 6"):
        train(resume=True, seed=6)
    with pytest.raises(WeightsMismatchError, match=r"with rate 0\.01, now it is 0\.02"):
        train(resume=True, rate=0.02)
    assert same(train(resume=True), expected)
    assert same(train(resume=True), expected), "what is finished is read"


def test_weights_of_a_checkpoint_of_another_model_are_refused(tmp_path):
    fit(make(), tmp_path, stop=(3,))
    with pytest.raises(WeightsMismatchError, match="has the weights of 5 layers with 203 weights"):
        training.load_weights(make(units=4), tmp_path)
    with pytest.raises(FileAccessError, match=r"no checkpoint in .* is known as the best"):
        training.load_weights(make(), tmp_path, best=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileAccessError, match="there are no checkpoints in"):
        training.load_weights(make(), tmp_path / "empty")


def test_a_history_that_is_given_is_filled(tmp_path):
    fit(make(), tmp_path, stop=(8,))
    history = History()
    assert fit(make(), tmp_path, history) is history
    assert history.epoch == [0, 1, 2]
