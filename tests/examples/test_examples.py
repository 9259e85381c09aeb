"""Every example runs as it is, in a process of its own, on small data that lies where published data would lie."""

import os
import re
import subprocess
import sys
from pathlib import Path

import cifar_archives
import numpy as np
import pytest
from transfer_cases import photos

from minicnn.applications import VGG16
from minicnn.layers import Conv2D, Dense, Flatten, Input
from minicnn.models import Sequential
from minicnn.transfer import load_base

__all__ = ["photos"]

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def cache(tmp_path) -> Path:
    """An empty cache folder, but for the kernels that this machine has compiled already."""
    usual = Path(os.environ.get("MINICNN_CACHE") or Path.home() / ".cache" / "minicnn") / "kernels"
    usual.mkdir(parents=True, exist_ok=True)
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "kernels").symlink_to(usual)
    return folder


@pytest.fixture
def vgg16_file(cache) -> Path:
    """Weights of VGG16 without the top, where a download would put them."""
    path = cache / "models" / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    path.parent.mkdir()
    model = VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    generator = np.random.default_rng(0)
    for weight in model.weights:
        scale = np.sqrt(2 / np.prod(weight.shape[:-1])) if len(weight.shape) > 1 else 0
        weight.adopt(generator.standard_normal(weight.shape, np.float32) * np.float32(scale))
    model.save_weights(path)
    return path


def ended(name: str, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """An example that was run."""
    environment = {**os.environ, "MINICNN_CACHE": str(cache), "MINICNN_OFFLINE": "1"}
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=cache.parent, check=False)


def run(name: str, cache: Path, *arguments: str) -> str:
    """What an example prints."""
    done = ended(name, cache, *arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def number(pattern: str, text: str) -> float:
    """The number that a pattern finds in a text."""
    found = re.search(pattern, text)
    assert found, text
    return float(found[1])


def test_every_example_is_run_by_a_test():
    tested = set(re.findall(r'run\("(\w+\.py)"', Path(__file__).read_text("utf-8")))
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested


def test_the_tutorial_differs_from_keras_in_its_import_lines_alone():
    lines = (EXAMPLES / "cifar10_vgg16.py").read_text("utf-8").split('"""')[2].splitlines()
    ours = [line for line in lines if "minicnn" in line]
    assert ours
    assert all(re.fullmatch(r"from minicnn\.\w+ import [\w, ]+", line) for line in ours)


def test_the_tutorial(cache, vgg16_file):
    generator = np.random.default_rng(0)
    members = {
        name: cifar_archives.batch(generator.integers(0, 256, (8, 3072), np.uint8), [k % 10 for k in range(8)])
        for name in [*cifar_archives.TRAIN, cifar_archives.TEST]
    }
    (cache / "datasets").mkdir()
    cifar_archives.write_archive(cache / "datasets" / "cifar-10-python.tar.gz", members)
    printed = run("cifar10_vgg16.py", cache)
    assert "epoch 10/10" in printed
    assert re.search(r"test loss \d+\.\d+, test accuracy \d\.\d+", printed)


def test_training_a_small_network_learns(cache):
    printed = run("train_small_cnn.py", cache, "--epochs", "12", "--per-class", "100")
    assert number(r"accuracy ([\d.]+)%", printed) > 40, "six classes: guessing gives 17 %"


def test_a_training_that_is_killed_ends_like_one_that_is_not(cache):
    small = ("--epochs", "4", "--per-class", "20", "--checkpoint-every", "2", "--seed", "3")
    whole = re.search(r"weights (\w+)", run("resume_training.py", cache, *small, "--run", "whole"))
    command = [sys.executable, str(EXAMPLES / "resume_training.py"), *small, "--run", "killed"]
    environment = {**os.environ, "MINICNN_CACHE": str(cache), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, cwd=cache.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("epoch 1/4")
        process.kill()
    printed = run("resume_training.py", cache, *small, "--run", "killed", "--resume")
    assert printed.startswith("training goes on after")
    assert whole
    assert whole[0] in printed


def test_fine_tuning_by_blocks_trains_ever_more_weights(cache, vgg16_file):
    printed = run("fine_tune_by_blocks.py", cache, "--epochs", "1", "--per-class", "3")
    counts = [int(count.replace(",", "")) for count in re.findall(r"([\d,]+) weights trained", printed)]
    assert counts[0] == 512 * 6 + 6
    assert counts[1] == counts[0] + 3 * (9 * 512 * 512 + 512)
    assert counts[2] > counts[1]


def test_reading_weights_without_a_model(cache, tmp_path):
    model = Sequential([Input((6, 6, 2)), Conv2D(3, 3, name="first"), Flatten(), Dense(4, name="last")])
    model.save(tmp_path / "model.h5")
    printed = run("read_weights.py", cache, str(tmp_path / "model.h5"), "first")
    assert "legacy model" in printed
    assert "3x3x2x3" in printed
    assert f"{model.count_params():,} numbers" in printed
    assert number(r"kernel.*: mean (\S+),", printed) == pytest.approx(
        float(model.get_layer("first").get_weights()[0].mean()), rel=1e-3
    )


def test_stepping_through_a_convolution(cache):
    printed = run("step_through_convolution.py", cache)
    assert "x[0,1] w[1,0] = 1 * 2" in printed
    assert "dx: the window around pixel (2,2)" in printed


def test_climbing_the_ladder(cache):
    printed = run("climb_the_ladder.py", cache, "--size", "12")
    assert re.findall(r"conv2d forward (\w+)", printed)[-1] == "reference"
    assert number(r"largest difference of the outputs: (\S+)", printed) < 1e-5


def test_training_the_backbone_leaves_a_net_and_its_log(cache, tmp_path):
    generator, parts = np.random.default_rng(0), {}
    for part in ("train", "test"):
        parts[f"x_{part}"] = generator.integers(0, 256, (20, 32, 32, 3), np.uint8)
        parts[f"y_{part}"] = np.arange(20) % 10
    np.savez(tmp_path / "pictures.npz", **parts)
    out = tmp_path / "net.keras"
    run("train_backbone.py", cache, str(tmp_path / "pictures.npz"), "--out", str(out), "--epochs=2", "--batch-size=10")
    losses = re.findall(r"(?<!val_)loss ([\d.]+)", out.with_suffix(".log").read_text())
    assert len(losses) == 2
    assert all(np.isfinite(float(loss)) for loss in losses)
    assert load_base(out).model.output_shape == (None, 128), "it can be carried over"


def test_adapting_to_new_pictures_helps(cache):
    printed = run("adapt_to_new_pictures.py", cache)
    before = number(r"as it is +([\d.]+)%", printed)
    for way in ("CORAL", "AdaBN", "DANN"):
        assert number(rf"{way} +([\d.]+)%", printed) > before + 4, printed
    assert number(r"first scanner +([\d.]+)%", printed) > 95


def test_the_svm_and_the_forest_on_features_beat_guessing(cache, photos):
    printed = run("svm_and_forest_on_features.py", cache, str(photos), "--folds", "3")
    assert "24 pictures of 3 classes, 3 folds" in printed
    for what in ("pixels, SVM", "features, SVM", "features, random forest"):
        assert number(rf"{what} +([\d.]+)%", printed) > 80, printed


def test_clusters_of_features_are_the_classes(cache, photos):
    printed = run("cluster_features.py", cache, str(photos))
    assert number(r"features: adjusted Rand index (\S+)", printed) > 0.8, printed
    assert printed.count("heap") == 6


def test_the_hybrid_has_the_features_of_both_halves(cache, photos):
    printed = run("hybrid_features.py", cache, str(photos), "--epochs", "1")
    assert re.search(r"both +256 features", printed)
    assert number(r"frozen +128 features: ([\d.]+)%", printed) > 80, printed


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("cluster_features.py missing", "missing"),
        ("hybrid_features.py --base mobilnet", "mobilnet"),
        ("hybrid_features.py missing", "missing"),
        ("svm_and_forest_on_features.py missing", "missing"),
        ("svm_and_forest_on_features.py --base mobilnet", "there is no base 'mobilnet', did you mean mobilenet?"),
        (
            "svm_and_forest_on_features.py --folds 99",
            "class 'circle' has too few different pictures (30): 99 are needed",
        ),
        ("fine_tune_by_blocks.py --weights missing.h5", "missing.h5"),
        ("read_weights.py missing.h5", "missing.h5"),
        ("train_backbone.py missing.npz --out net.keras", "missing.npz is no file"),
    ],
)
def test_bad_input_is_one_line(cache, command, said):
    done = ended(*command.split()[:1], cache, *command.split()[1:])
    assert done.returncode == 2
    *usage, line = done.stderr.splitlines()
    assert "error: " in line
    assert said in line
    assert all(line.startswith(("usage: ", " ")) for line in usage), done.stderr


def test_every_example_with_arguments_ends_as_the_command_does():
    for path in EXAMPLES.glob("*.py"):
        text = path.read_text("utf-8")
        assert ("sys.exit(exit_code(main))" in text) == ("argparse" in text), path.name
