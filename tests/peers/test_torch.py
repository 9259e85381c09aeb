"""PyTorch computes the same from what minicnn tells it of a network.

PyTorch is no dependency: these tests run where it is installed beside minicnn, and are skipped elsewhere.
"""

import numpy as np
import pytest

from minicnn.bench import networks
from minicnn.bench.cases import Layer
from minicnn.bench.engines import TOLERANCE
from minicnn.bench.layers import Convolution
from minicnn.bench.peers import layer as peer

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.parametrize(
    ("name", "size", "mirrored"),
    [
        ("vgg16", 32, False),
        ("resnet50", 96, False),
        ("mobilenet", 64, True),
        ("mobilenetv2", 65, False),
        ("alexnet", 80, None),
        ("convnexttiny", 64, None),
        ("densenet121", 64, None),
        ("efficientnetb0", 64, None),
        ("efficientnetv2b0", 64, None),
        ("googlenet", 64, None),
        ("inceptionresnetv2", 80, None),
        ("inceptionv3", 80, None),
        ("mobilenetv3small", 64, None),
        ("nasnetmobile", 64, None),
        ("resnet50v2", 64, None),
        ("squeezenet1_1", 64, None),
        ("xception", 96, None),
    ],
)
def test_the_outputs_are_the_same(name, size, mirrored, tmp_path):
    from minicnn.bench.peers.network import load

    network = networks.write(name, size, tmp_path, classes=10).as_json()
    x = np.random.default_rng(0).standard_normal((2, size, size, 3), np.float32)
    x = x * np.float32(network["deviation"]) + np.float32(network["mean"])
    expected, theirs = networks.read(network).predict(x), load(network).eval()
    assert mirrored in (theirs.mirrored, None)
    given = torch.from_numpy(x[:, ::-1, ::-1].copy() if theirs.mirrored else x).permute(0, 3, 1, 2)
    with torch.inference_mode():
        found = theirs(given).numpy()
    assert np.linalg.norm(found - expected) <= TOLERANCE * np.linalg.norm(expected)


@pytest.mark.filterwarnings("ignore:You are using the legacy:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The feature will be removed:DeprecationWarning")
@pytest.mark.parametrize("way", ["contiguous", "channels last", "packed", "onnxruntime"])
@pytest.mark.parametrize(
    "layer",
    [
        Layer((7, 9, 16), (3, 3), 8, padding="same"),
        Layer((8, 10, 4), (3, 3), 6, (2, 2), "same", groups=2),  # PyTorch pads the mirror image
        Layer((5, 6, 8), filters=4, strides=(2, 2)),
    ],
)
def test_a_convolution_alone_is_the_same(layer, way):
    if way == "onnxruntime":
        for package in ("onnx", "onnxruntime"):
            pytest.importorskip(package)
    told = Convolution("a", layer, 2).as_json()
    own = peer.minicnn(told)
    ways = {
        "contiguous": lambda: peer.torch(told, 1),
        "channels last": lambda: peer.torch(told, 1, channels_last=True),
        "packed": lambda: peer.torch_packed(told, 1),
        "onnxruntime": lambda: peer.onnxruntime(told, 1),
    }
    theirs = ways[way]()
    expected, found = (ready.outputs(ready.run()) for ready in (own, theirs))
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)
