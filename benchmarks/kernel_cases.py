"""What is timed of every operation: layers of well-known networks, and one tiny case that even the reference can do."""

from collections.abc import Iterator

from minicnn.bench.cases import Case, Layer
from minicnn.bench.cases import cases as cases_of

TINY = "tiny"  # cases of this name are small enough for the reference


def cases(op: str) -> Iterator[Case]:
    """The cases of an operation; arrays are made when the iterator comes to them."""
    for name, batch, layer in LAYERS[op]:
        yield from cases_of(op, name, layer, batch)


def _conv(name: str, x: tuple[int, int, int], taps: int, strides: int, filters: int = 1) -> tuple[str, int, Layer]:
    return name, 1, Layer(x, (taps, taps), filters, (strides, strides))


def _pool(name: str, x: tuple[int, int, int], taps: int) -> tuple[str, int, Layer]:
    return name, 1, Layer(x, (taps, taps), strides=(2, 2), padding="valid")


POOLED = [
    _pool(TINY, (8, 8, 4), 2),
    _pool("VGG16 block1_pool", (224, 224, 64), 2),
    _pool("ResNet50 pool1", (112, 112, 64), 3),
]
GLOBAL = [(TINY, 1, Layer((4, 4, 4))), ("ResNet50, 8 images", 8, Layer((7, 7, 2048)))]
POINTWISE = [(TINY, 1, Layer((4, 4, 4))), ("56x56x256", 1, Layer((56, 56, 256)))]
ROWS = [(TINY, 4, Layer((10,))), ("ImageNet, 128 rows", 128, Layer((1000,)))]

LAYERS: dict[str, list[tuple[str, int, Layer]]] = {  # operation: name, batch, sizes
    "conv2d": [
        _conv(TINY, (8, 8, 4), 3, 1, 8),
        _conv("VGG16 block2_conv2", (112, 112, 128), 3, 1, 128),
        _conv("ResNet50 conv1", (224, 224, 3), 7, 2, 64),
        _conv("ResNet50 conv2 1x1", (56, 56, 64), 1, 1, 256),
        _conv("VGG16 block1_conv1", (224, 224, 3), 3, 1, 64),
        _conv("VGG16 block4_conv2", (28, 28, 512), 3, 1, 512),
        _conv("VGG16 block5_conv1", (14, 14, 512), 3, 1, 512),
        _conv("ResNet50 conv3 3x3", (28, 28, 128), 3, 1, 128),
        _conv("ResNet50 conv5 3x3", (7, 7, 512), 3, 1, 512),
        _conv("MobileNet conv_pw_1", (112, 112, 32), 1, 1, 64),
        _conv("MobileNet conv_pw_8", (14, 14, 512), 1, 1, 512),
    ],
    "depthwise_conv2d": [
        _conv(TINY, (8, 8, 4), 3, 1),
        _conv("MobileNet conv_dw_1", (112, 112, 32), 3, 1),
        _conv("MobileNet conv_dw_4", (56, 56, 128), 3, 2),
        _conv("MobileNet conv_dw_8", (14, 14, 512), 3, 1),
    ],
    "conv2d_transpose": [_conv(TINY, (4, 4, 4), 4, 2, 4), _conv("decoder 4x4 /2", (16, 16, 128), 4, 2, 64)],
    "dense": [
        (TINY, 4, Layer((16,), filters=8)),
        ("VGG16 fc2, 1 row", 1, Layer((4096,), filters=4096)),
        ("VGG16 fc2, 32 rows", 32, Layer((4096,), filters=4096)),
        ("MobileNet head, 32 rows", 32, Layer((1024,), filters=10)),
    ],
    **dict.fromkeys(("maxpool2d", "avgpool2d"), POOLED),
    **dict.fromkeys(("global_maxpool2d", "global_avgpool2d"), GLOBAL),
    "batchnorm": [(TINY, 2, Layer((4, 4, 4))), ("ResNet50 conv2, 8 images", 8, Layer((56, 56, 256)))],
    "layernorm": [(TINY, 4, Layer((8,))), ("ConvNeXt stage 2, 8 images", 8, Layer((28, 28, 192)))],
    "activation": [
        (TINY, 1, Layer((4, 4, 4))),
        *((f"{name}, 56x56x256", 1, Layer((56, 56, 256), function=name)) for name in ("relu", "gelu", "swish")),
    ],
    **dict.fromkeys(("upsample2d", "prelu", "elementwise", "concatenate", "channel_sum"), POINTWISE),
    "embedding": [
        (TINY, 2, Layer((5, 4), filters=8)),
        ("32 reviews of 256 words", 32, Layer((256, 128), filters=20_000)),
    ],
    **dict.fromkeys(("softmax", "softmax_crossentropy"), ROWS),
    "optimizer_step": [(TINY, 1, Layer((64,))), ("one million weights", 1, Layer((1_000_000,)))],
}
