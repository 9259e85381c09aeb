"""What the tests of transfer and of the command line share: a folder of small photos and a small trained net."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

CLASSES = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}
SIDE = 24


def write_photos(folder: Path, per_class: int = 8, classes=CLASSES, seed: int = 0) -> Path:
    """Noisy pictures of one colour a class, which any convolution tells apart."""
    from PIL import Image

    generator = np.random.default_rng(seed)
    for name, colour in classes.items():
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            pixels = np.clip(np.array(colour) + generator.normal(0, 25, (30, 36, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number}.png")
    return folder


def small_net(classes: int = 4, **metadata):
    """A net with two convolutions, two BatchNormalizations, a shortcut and a classifier; its weights are random."""
    from minicnn.layers import Activation, Add, BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, Input
    from minicnn.models import Model
    from minicnn.utils import set_random_seed

    set_random_seed(5)
    inputs = Input((SIDE, SIDE, 3), name="pictures")
    x = Conv2D(8, 3, strides=2, padding="same", name="conv1")(inputs)
    x = Activation("relu", name="relu1")(BatchNormalization(name="bn1")(x))
    y = Conv2D(8, 3, padding="same", name="conv2")(x)
    y = BatchNormalization(name="bn2")(y)
    x = Activation("relu", name="relu2")(Add(name="add")([x, y]))
    x = GlobalAveragePooling2D(name="pool")(x)
    model = Model(inputs, Dense(classes, activation="softmax", name="old_head")(x))
    generator = np.random.default_rng(1)
    for name in ("bn1", "bn2"):
        layer = model.get_layer(name)
        layer.set_weights([generator.uniform(0.5, 1.5, w.shape).astype(np.float32) for w in layer.get_weights()])
    model.metadata = metadata
    return model


def make_lie(folder: Path) -> None:
    """Let the files of features in a folder of a cache hold others, with right digests."""
    from minicnn.models.feature_file import FeatureFile, names_of

    for key in {path.stem.partition("-")[0] for path in folder.rglob("*.features")}:
        for file in FeatureFile.kept(key, folder, names_of([])):
            file.write(np.arange(len(file.names)), [array[::-1] * 3 for array in file.arrays])


@contextmanager
def stopped_after(steps: int) -> Iterator[None]:
    """Trainings get so many steps, all together; in the next one comes Ctrl-C."""
    from minicnn.models.fitting import Trainer

    step, left = Trainer.step, [steps]

    def limited(self, batch):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return step(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "step", limited)
        yield


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """Eight pictures in each of three classes; not to be changed."""
    return write_photos(tmp_path_factory.mktemp("photos") / "colours")


@pytest.fixture(scope="session")
def net_file(tmp_path_factory) -> str:
    """The small net in a file that says how its pixels are prepared."""
    path = tmp_path_factory.mktemp("net") / "small.keras"
    small_net(preprocessing="tf").save(path)
    return str(path)


@pytest.fixture
def passes(monkeypatch) -> list[int]:
    """How many pictures went through a network in each call of `predict`."""
    from minicnn.models import Model

    counts, predict = [], Model.predict

    def counted(self, x, *arguments, **options):
        counts.append(len(x))
        return predict(self, x, *arguments, **options)

    monkeypatch.setattr(Model, "predict", counted)
    return counts


@pytest.fixture
def feature_folder(tmp_path, monkeypatch) -> Path:
    """The folder of the default feature cache, away from the user's."""
    monkeypatch.setattr("minicnn.models.feature_file.cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "features"
