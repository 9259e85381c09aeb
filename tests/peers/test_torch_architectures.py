"""The architectures that torchvision builds and Keras does not are torchvision's.

PyTorch is no dependency: these tests run where it is installed beside minicnn, and are skipped elsewhere.
"""

import numpy as np
import pytest
from formula_weights import make_weight
from random_nets import randomize

from minicnn.applications import AlexNet, GoogLeNet, SqueezeNet1_0, SqueezeNet1_1
from minicnn.applications.googlenet import MODULES

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
nn = torch.nn


def alexnet(classes):
    """torchvision.models.alexnet"""
    row = [nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)]
    row += [nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)]
    for channels, filters in ((192, 384), (384, 256), (256, 256)):
        row += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU()]
    row += [nn.MaxPool2d(3, 2), nn.AdaptiveAvgPool2d(6), nn.Flatten()]
    for inputs, outputs in ((256 * 6 * 6, 4096), (4096, 4096)):
        row += [nn.Dropout(), nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*row, nn.Linear(4096, classes))


class Fire(nn.Module):
    """torchvision.models.squeezenet.Fire"""

    def __init__(self, channels, squeezed, expanded):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x):
        x = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)


def squeezenet(classes, stem, fires):
    """torchvision.models.squeezenet1_0 and 1_1: (channels, squeezed) of each fire module, None for a pooling"""
    row = [nn.Conv2d(3, *stem, stride=2), nn.ReLU()]
    for fire in fires:
        row.append(nn.MaxPool2d(3, 2, ceil_mode=True) if fire is None else Fire(*fire, 4 * fire[1]))
    end = [nn.Dropout(), nn.Conv2d(512, classes, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*row, *end)


NARROW, WIDE = [(128, 32), (256, 32)], [(256, 48), (384, 48), (384, 64)]
VERSIONS = {
    "1_0": ((96, 7), [None, (96, 16), (128, 16), NARROW[0], None, NARROW[1], *WIDE, None, (512, 64)]),
    "1_1": ((64, 3), [None, (64, 16), (128, 16), None, *NARROW, None, *WIDE, (512, 64)]),
}


def take(theirs, model):
    """The weights of a model, in the order that both have their layers in."""
    parameters, shape = iter(theirs.parameters()), None
    with torch.no_grad():
        for layer in model.layers:
            if type(layer).__name__ == "Flatten":
                shape = layer.input.shape[1:]
            for array in layer.get_weights():
                if array.ndim == 4:
                    array = array.transpose(3, 2, 0, 1)
                elif array.ndim == 2:
                    if shape:  # rows in the order (H,W,C)
                        array = array.reshape(*shape, -1).transpose(2, 0, 1, 3).reshape(array.shape)
                    array, shape = array.T, None
                next(parameters).copy_(torch.from_numpy(array.copy()))
    assert next(parameters, None) is None


@pytest.mark.parametrize(
    ("build", "make", "sides"),
    [
        (AlexNet, alexnet, [(224, 224)]),
        (SqueezeNet1_0, lambda classes: squeezenet(classes, *VERSIONS["1_0"]), [(64, 47), (65, 50), (21, 22)]),
        (SqueezeNet1_1, lambda classes: squeezenet(classes, *VERSIONS["1_1"]), [(64, 47), (65, 50), (17, 18)]),
    ],
)
def test_the_networks_of_torchvision(build, make, sides):
    theirs = make(7).eval()
    for height, width in sides:
        model = build(weights=None, input_shape=(height, width, 3), classes=7, classifier_activation=None)
        randomize(model, 0)
        take(theirs, model)
        x = np.random.default_rng(0).standard_normal((2, height, width, 3), np.float32)
        with torch.inference_mode():
            expected = theirs(torch.from_numpy(x).permute(0, 3, 1, 2)).numpy()
        assert np.linalg.norm(model.predict(x) - expected) <= 1e-5 * np.linalg.norm(expected)


def test_torchvision_has_as_many_weights():
    for make, build in ((alexnet, AlexNet), (lambda n: squeezenet(n, *VERSIONS["1_0"]), SqueezeNet1_0)):
        assert sum(p.numel() for p in make(1000).parameters()) == build(weights=None).count_params()


class Convolution2D(nn.Module):
    """torchvision.models.googlenet.BasicConv2d"""

    def __init__(self, channels, filters, size, **options):
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, size, bias=False, **options)
        self.bn = nn.BatchNorm2d(filters, eps=0.001)

    def forward(self, x):
        return self.bn(self.conv(x)).relu()


class Inception(nn.Module):
    """torchvision.models.googlenet.Inception"""

    def __init__(self, channels, single, reduced3, second, reduced5, third, projected):
        super().__init__()
        row = nn.Sequential
        self.branch1 = Convolution2D(channels, single, 1)
        self.branch2 = row(Convolution2D(channels, reduced3, 1), Convolution2D(reduced3, second, 3, padding=1))
        self.branch3 = row(Convolution2D(channels, reduced5, 1), Convolution2D(reduced5, third, 3, padding=1))
        largest = nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True)
        self.branch4 = row(largest, Convolution2D(channels, projected, 1))

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


def googlenet(classes):
    """torchvision.models.googlenet without its auxiliary classifiers, in inference mode"""
    row = nn.Sequential()

    def pool(name, size):
        row.add_module(name, nn.MaxPool2d(size, stride=2, ceil_mode=True))

    row.add_module("conv1", Convolution2D(3, 64, 7, stride=2, padding=3))
    pool("maxpool1", 3)
    row.add_module("conv2", Convolution2D(64, 64, 1))
    row.add_module("conv3", Convolution2D(64, 192, 3, padding=1))
    pool("maxpool2", 3)
    channels = 192
    for number, filters in MODULES.items():
        row.add_module(f"inception{number}", Inception(channels, *filters))
        channels = sum(filters[i] for i in (0, 2, 4, 5))
        if number == "3b":
            pool("maxpool3", 3)
        elif number == "4e":
            pool("maxpool4", 2)
    row.add_module("avgpool", nn.AdaptiveAvgPool2d(1))
    row.add_module("flatten", nn.Flatten())
    row.add_module("fc", nn.Linear(channels, classes))
    return row.eval()


def state_dict(model):
    """The weights of GoogLeNet as torchvision names and orders them."""
    words = {"kernel": "weight", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean"}
    words["moving_variance"] = "running_var"
    state = {}
    for layer in model.layers:
        place = layer.name.replace("_", ".").replace("predictions", "fc")
        for weight, array in zip(layer.weights, layer.get_weights()):
            axes = {4: (3, 2, 0, 1), 2: (1, 0)}.get(array.ndim, (0,))
            name = f"{place}.{words.get(weight.name, weight.name)}"
            state[name] = torch.from_numpy(np.ascontiguousarray(array.transpose(axes)))
    return state


@pytest.mark.parametrize("shape", [(64, 47, 3), (35, 50, 3), (15, 16, 3)])
def test_googlenet_is_that_of_torchvision(shape):
    model = GoogLeNet(weights=None, input_shape=shape, classes=7, classifier_activation=None)
    model.set_weights(
        [make_weight(f"{layer.name}/{w.name}", w.shape, 2.0) for layer in model.layers for w in layer.weights]
    )
    theirs = googlenet(7)
    missing, unexpected = theirs.load_state_dict(state_dict(model), strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    x = np.random.default_rng(0).standard_normal((2, *shape), np.float32)
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(x).permute(0, 3, 1, 2)).numpy()
    assert np.linalg.norm(model.predict(x) - expected) <= 1e-5 * np.linalg.norm(expected)


def test_googlenet_has_as_many_weights_as_that_of_torchvision():
    count = sum(parameter.numel() for parameter in googlenet(1000).parameters())
    assert count == 6_624_904 == sum(weight.size for weight in GoogLeNet(weights=None).trainable_weights)
