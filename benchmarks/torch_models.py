"""The same networks in PyTorch, layer for layer as in minicnn.applications; for benchmarks.peers alone."""

from functools import partial

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

FILTERS = (64, 128, 256, 512, 512)


def vgg16() -> nn.Module:
    layers: list[nn.Module] = []
    channels = 3
    for filters, depth in zip(FILTERS, (2, 2, 3, 3, 3), strict=True):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(inplace=True)]
            channels = filters
        layers.append(nn.MaxPool2d(2))
    layers += [nn.Flatten(), nn.Linear(512 * 49, 4096), nn.ReLU(inplace=True)]
    layers += [nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Linear(4096, 1000), nn.Softmax(1)]
    return nn.Sequential(*layers)


def conv_bn(
    channels: int, filters: int, taps: int, stride: int = 1, groups: int = 1, bias: bool = True
) -> nn.Sequential:
    convolution = nn.Conv2d(channels, filters, taps, stride, taps // 2, groups=groups, bias=bias)
    return nn.Sequential(convolution, nn.BatchNorm2d(filters))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 with a shortcut; the stride is in the first, as Keras has it."""

    def __init__(self, channels: int, filters: int, stride: int):
        super().__init__()
        self.reduce = conv_bn(channels, filters, 1, stride)
        self.middle = conv_bn(filters, filters, 3)
        self.expand = conv_bn(filters, 4 * filters, 1)
        same = stride == 1 and channels == 4 * filters
        self.shortcut = nn.Identity() if same else conv_bn(channels, 4 * filters, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu_(self.middle(torch.relu_(self.reduce(x))))
        return torch.relu_(self.expand(y) + self.shortcut(x))


def resnet50() -> nn.Module:
    layers: list[nn.Module] = [conv_bn(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for filters, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            layers.append(Bottleneck(channels, filters, stride if block == 0 else 1))
            channels = 4 * filters
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000), nn.Softmax(1)]
    return nn.Sequential(*layers)


def mobilenet() -> nn.Module:
    add = partial(conv_bn, bias=False)
    layers: list[nn.Module] = [add(3, 32, 3, 2), nn.ReLU6(inplace=True)]
    channels = 32
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    filters = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
    for stride, count in zip(strides, filters, strict=True):
        layers += [add(channels, channels, 3, stride, groups=channels), nn.ReLU6(inplace=True)]
        layers += [add(channels, count, 1), nn.ReLU6(inplace=True)]
        channels = count
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000), nn.Softmax(1)]
    return nn.Sequential(*layers)


class InvertedResidual(nn.Module):
    """1x1 to six times the channels, 3x3 depthwise, 1x1 back; with a shortcut where nothing changes its size."""

    def __init__(self, channels: int, filters: int, stride: int, expansion: int):
        super().__init__()
        add, wide = partial(conv_bn, bias=False), channels * expansion
        layers: list[nn.Module] = [] if expansion == 1 else [add(channels, wide, 1), nn.ReLU6(inplace=True)]
        layers += [add(wide, wide, 3, stride, groups=wide), nn.ReLU6(inplace=True), add(wide, filters, 1)]
        self.layers, self.same = nn.Sequential(*layers), stride == 1 and channels == filters

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x) if self.same else self.layers(x)


def mobilenet_v2() -> nn.Module:
    layers: list[nn.Module] = [conv_bn(3, 32, 3, 2, bias=False), nn.ReLU6(inplace=True)]
    channels = 32
    blocks = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
    for filters, repeats, stride in blocks:
        for repeat in range(repeats):
            expansion = 1 if channels == 32 and filters == 16 else 6
            layers.append(InvertedResidual(channels, filters, stride if repeat == 0 else 1, expansion))
            channels = filters
    layers += [conv_bn(320, 1280, 1, bias=False), nn.ReLU6(inplace=True)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000), nn.Softmax(1)]
    return nn.Sequential(*layers)


MODELS = {"VGG16": vgg16, "ResNet50": resnet50, "MobileNet": mobilenet, "MobileNetV2": mobilenet_v2}
