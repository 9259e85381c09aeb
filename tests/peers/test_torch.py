"""PyTorch computes the same from what minicnn tells it of a network.

PyTorch is no dependency: these tests run where it is installed beside minicnn, and are skipped elsewhere.
"""

import numpy as np
import pytest

from minicnn.bench import networks

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.parametrize(
    ("name", "size", "mirrored"),
    [("vgg16", 32, False), ("resnet50", 64, False), ("mobilenet", 64, True), ("mobilenetv2", 65, False)],
)
def test_the_outputs_are_the_same(name, size, mirrored, tmp_path):
    from minicnn.bench.peers.network import load

    network = networks.write(name, size, tmp_path, classes=10).as_json()
    x = np.random.default_rng(0).standard_normal((2, size, size, 3), np.float32)
    expected, theirs = networks.read(network).predict(x), load(network).eval()
    assert theirs.mirrored == mirrored
    given = torch.from_numpy(x[:, ::-1, ::-1].copy() if mirrored else x).permute(0, 3, 1, 2)
    with torch.inference_mode():
        found = theirs(given).numpy()
    assert np.linalg.norm(found - expected) <= 1e-4 * np.linalg.norm(expected)
