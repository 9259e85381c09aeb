"""The table of published weight files: which model is which file at which address."""

import pytest

from minicnn.errors import ArgumentError
from minicnn.weights.registry import class_index, published, published_files

pytestmark = pytest.mark.numpy_only
WITH_TWO_FILES = sorted({entry.model for entry in published_files() if entry.alpha is None})


def test_every_entry_has_an_address_and_a_hash_or_no_hash():
    for entry in published_files():
        folder = "" if entry.model[:-1] == "EfficientNetB" else "tensorflow/"
        assert entry.url.startswith(f"https://storage.googleapis.com/{folder}keras-applications/")
        assert entry.url.endswith(f"/{entry.file}") or entry.model.startswith("NASNet")
        assert entry.hash is None or len(entry.hash) == (64 if entry.model.startswith("ConvNeXt") else 32)
        assert (entry.hash is None) == (entry.model in ("MobileNet", "MobileNetV2"))
    assert len({entry.file for entry in published_files()}) == len(published_files()) == 164


@pytest.mark.parametrize("size", ["Mobile", "Large"])
def test_nasnet_has_other_names_in_the_caches(size):
    top, body = published(f"NASNet{size}"), published(f"NASNet{size}", include_top=False)
    small = size.lower()
    assert (top.file, body.file) == (f"nasnet_{small}.h5", f"nasnet_{small}_no_top.h5")
    assert top.url.endswith(f"/nasnet/NASNet-{small}.h5")
    assert body.url.endswith(f"/nasnet/NASNet-{small}-no-top.h5")


@pytest.mark.parametrize("model", WITH_TWO_FILES)
def test_models_with_and_without_head(model):
    top, body = published(model), published(model, include_top=False)
    assert top.hash != body.hash
    assert body.file.endswith(("notop.h5", "no_top.h5"))
    assert not top.file.endswith(("notop.h5", "no_top.h5"))


@pytest.mark.parametrize(("alpha", "text"), [(1, "1_0"), (0.75, "7_5"), (0.5, "5_0"), (0.25, "2_5")])
@pytest.mark.parametrize("rows", [128, 160, 192, 224])
def test_mobilenet_has_many_files(alpha, text, rows):
    assert published("MobileNet", alpha=alpha, rows=rows).file == f"mobilenet_{text}_{rows}_tf.h5"
    assert published("MobileNet", False, alpha=alpha, rows=rows).file == f"mobilenet_{text}_{rows}_tf_no_top.h5"


@pytest.mark.parametrize(("alpha", "text"), [(0.35, "0.35"), (0.5, "0.5"), (0.75, "0.75"), (1, "1.0")])
@pytest.mark.parametrize("rows", [96, 128, 160, 192, 224])
def test_mobilenet_v2_has_many_files(alpha, text, rows):
    stem = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{text}_{rows}"
    assert published("MobileNetV2", alpha=alpha, rows=rows).file == f"{stem}.h5"
    assert published("MobileNetV2", False, alpha=alpha, rows=rows).file == f"{stem}_no_top.h5"
    assert f"/mobilenet_v2/{stem}.h5" in published("MobileNetV2", alpha=alpha, rows=rows).url


@pytest.mark.parametrize("alpha", [1.3, 1.4])
def test_a_wide_mobilenet_v2_is_published_for_one_size(alpha):
    stem = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_224"
    assert published("MobileNetV2", alpha=alpha, rows=224).file == f"{stem}.h5"
    assert published("MobileNetV2", False, alpha=alpha, rows=224).file == f"{stem}_no_top.h5"
    with pytest.raises(ArgumentError, match=r"0\.35, 0\.5, 0\.75, 1\.0, 1\.3, 1\.4 and rows 224"):
        published("MobileNetV2", alpha=alpha, rows=192)


def test_what_was_never_published_is_refused_with_what_was():
    with pytest.raises(ArgumentError, match=r"0\.25, 0\.5, 0\.75, 1\.0 and rows 128, 160, 192, 224"):
        published("MobileNet", alpha=0.3, rows=224)
    with pytest.raises(ArgumentError, match="no ImageNet weights are published for 'AlexNet'"):
        published("AlexNet")
    with pytest.raises(ArgumentError, match="no variants"):
        published("VGG16", alpha=1.0)


def test_the_class_names_are_published_too():
    assert class_index().file == "imagenet_class_index.json"
    assert len(class_index().hash) == 32
