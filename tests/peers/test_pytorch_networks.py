"""Networks of torchvision and timm compute the same from their saved state dict, here and in PyTorch.

PyTorch, torchvision, timm and safetensors are no dependencies: these tests run where they are installed.
"""

import numpy as np
import pytest
from pytorch_weights import CLASSES, make_tensor, pictures

from minicnn.applications import timm, torchvision
from minicnn.weights.state_dict import BESIDE, module_names

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
save_file = pytest.importorskip("safetensors.torch", reason="safetensors is not installed").save_file
pytestmark = pytest.mark.filterwarnings("default")

GAIN = 0.5  # so that no signal grows without end in the deepest of them
TORCHVISION = [  # the ones that the golden files do not hold
    ("vgg11", 224),
    ("vgg16_bn", 32),
    ("resnet34", 48),
    ("mobilenet_v3_large", 65),
    ("efficientnet_b1", 48),
    ("efficientnet_b5", 48),
    ("efficientnet_v2_s", 65),
    ("alexnet", 63),
    ("squeezenet1_0", 64),
    ("inception_v3", 75),
]
TIMM = [
    ("vgg11", 32),
    ("vgg13_bn", 32),
    ("resnet50", 48),
    ("densenet121", 64),
    ("mobilenetv2_140", 65),
    ("mobilenetv3_large_100", 65),
    ("efficientnet_b2", 48),
    ("efficientnetv2_s", 64),
    ("convnext_tiny", 64),
]


def check(theirs, ours, side, tmp_path):
    """In float64 there; weights and statistics from the formula of the golden files."""
    weights = {key: make_tensor(key, tuple(t.shape), GAIN) for key, t in theirs.state_dict().items() if t.ndim}
    theirs.load_state_dict({key: torch.from_numpy(array) for key, array in weights.items()}, strict=False)
    save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    x = pictures(side)
    with torch.inference_mode():
        expected = theirs.double().eval()(torch.from_numpy(x).permute(0, 3, 1, 2).double()).numpy()
    options = {"input_shape": (side, side, 3), "classes": CLASSES, "classifier_activation": None}
    model = ours(weights=tmp_path / "model.safetensors", **options)
    assert model.load_report.unexpected == []
    found = model.predict(x)
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)


@pytest.mark.parametrize(("name", "side"), TORCHVISION)
def test_torchvision(name, side, tmp_path):
    models = pytest.importorskip("torchvision", reason="torchvision is not installed").models
    options = {"init_weights": False} if name == "inception_v3" else {}
    check(getattr(models, name)(num_classes=CLASSES, **options), torchvision.NETWORKS[name], side, tmp_path)


@pytest.mark.parametrize(("name", "side"), TIMM)
def test_timm(name, side, tmp_path):
    package = pytest.importorskip("timm", reason="timm is not installed")
    check(package.create_model(name, num_classes=CLASSES), timm.NETWORKS[name], side, tmp_path)


def test_every_network_has_the_tensors_of_its_package():
    """Names and shapes of all others, built without memory."""
    for module, package in ((torchvision, "torchvision"), (timm, "timm")):
        real = pytest.importorskip(package, reason=f"{package} is not installed")
        for name, network in module.NETWORKS.items():
            with torch.device("meta"):
                theirs = real.create_model(name) if package == "timm" else getattr(real.models, name)()
            state = theirs.state_dict().items()
            tensors = {k: t.numel() for k, t in state if not k.endswith("num_batches_tracked") and not BESIDE.match(k)}
            found = {}
            for layer in network().layers:
                for weight in layer.weights:
                    names = [f"{layer.name}.{name}" for name in module_names(type(layer).__name__, weight.name)]
                    found[next((name for name in names if name in tensors), names[0])] = weight.size
            assert found == tensors, name
