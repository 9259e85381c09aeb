"""Compute networks of torchvision and timm in float64, with weights from a formula: tests/golden/pytorch.

python tests/golden/make_pytorch_networks.py        with torch, torchvision and timm installed
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from pytorch_weights import CASES, CLASSES, make_tensor, pictures

FOLDER = Path(__file__).parent / "pytorch"


def main() -> None:
    for name, side in CASES.items():
        network = built(name).double().eval()
        state = {key: tuple(t.shape) for key, t in network.state_dict().items() if t.ndim or "tracked" not in key}
        weights = {key: torch.from_numpy(make_tensor(key, shape)) for key, shape in state.items()}
        network.load_state_dict(weights, strict=False)
        with torch.inference_mode():
            y = network(torch.from_numpy(pictures(side)).permute(0, 3, 1, 2).double()).numpy()
        np.savez_compressed(FOLDER / f"{name}.npz", state=np.frombuffer(json.dumps(state).encode(), np.uint8), output=y)
        print(name, y.shape, float(np.abs(y).mean()))


def built(name: str) -> torch.nn.Module:
    package, constructor = name.split(".")
    if package == "timm":
        import timm

        return timm.create_model(constructor, num_classes=CLASSES)
    import torchvision

    options = {"init_weights": False} if constructor == "googlenet" else {}
    return getattr(torchvision.models, constructor)(num_classes=CLASSES, **options)


if __name__ == "__main__":
    main()
