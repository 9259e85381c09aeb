"""What benchmarks/gpu times, the most important first: networks, then layers of theirs, then all other kernels.

A device is often lent for minutes only.  What comes late here may be left out; what is missing is named in the result.
"""

from collections.abc import Iterator
from functools import partial
from math import prod
from typing import Any, NamedTuple

from minicnn import kernels
from minicnn.bench.cases import BUILDERS, Case, Draw, Layer
from minicnn.bench.cases import cases as cases_of
from minicnn.kernels import concatenate, dropout, elementwise, optimizer_step, pad2d

from ..kernel_cases import LAYERS as CPU_LAYERS
from ..kernel_cases import TINY

PRECISIONS = ("float32", "tf32", "bfloat16")
NETWORKS = (("VGG16", "ResNet50"), ("MobileNetV2", "EfficientNetB0"))
BATCHES, TRAINED, LAYER_BATCH = (32, 1, 256), 64, 64
STREAMED, PARTS = 256, 4  # images that come from the host, in so many batches
TASKS = {
    "predict": "prediction",
    "stream": f"prediction from the host in {PARTS} batches",
    "train": "a step of training",
}
GRADIENTS = ("backward_input", "backward_weights")
SECONDS = {
    "predict": 10,
    "stream": 15,
    "train": 15,
    "layer": 5,
    "compiled": 90,
}  # that a job may take, weights and autotuning included


class NetworkJob(NamedTuple):
    """A network's prediction, also from images of the host, or step of training; `compiled`: torch.compile too."""

    model: str
    task: str
    batch: int
    precision: str
    compiled: bool = False

    @property
    def title(self) -> str:
        images = "1 image" if self.batch == 1 else f"{self.batch} images"
        also = ", torch.compile too" if self.compiled else ""
        return f"{self.model}, {TASKS[self.task]}, {images}, {self.precision}{also}"

    @property
    def names(self) -> list[str]:
        """The title, as which the table's row begins."""
        return [self.title]

    @property
    def seconds(self) -> int:
        return SECONDS["compiled" if self.compiled else self.task]


class LayerJob(NamedTuple):
    """Directions of an operation on a layer, all rungs of each; all of its directions where none is named."""

    op: str
    name: str
    batch: int
    layer: Layer
    directions: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return " ".join([self.op, *self.directions, self.name])

    @property
    def names(self) -> list[str]:
        """The title, and how the table's rows begin, up to the sizes."""
        directions = self.directions or {spec.direction for spec in kernels.specs("cuda") if spec.op == self.op}
        return [self.title, *(f"{self.op} {direction}, {self.name}" for direction in directions)]

    @property
    def seconds(self) -> int:
        return SECONDS["layer"]

    def cases(self, draw: Draw) -> Iterator[Case]:
        """The cases, on arrays that `draw` makes."""
        builders = [partial(cases_of, self.op)] if self.op in BUILDERS else []
        builders += [partial(EXTRA[self.op], self.op)] if self.op in EXTRA else []
        for build in builders:
            for case in build(self.name, self.layer, self.batch, draw):
                if case.direction in (self.directions or (case.direction,)):
                    yield case


Job = NetworkJob | LayerJob


def jobs() -> Iterator[Job]:
    """All of it; models that follow each other are the same where that is possible: each is built once then."""
    for models in NETWORKS:
        for model in models:
            yield from _of_network(model)
        if models == NETWORKS[0]:
            yield from _convolutions("forward")
    yield from _convolutions(*GRADIENTS)
    for op, rows in LAYERS.items():
        for name, batch, layer in rows:
            yield LayerJob(op, name, batch, layer)
    for models in NETWORKS:
        for model in models:
            yield from (job._replace(compiled=True) for job in _of_network(model) if job.task != "stream")


def fits(job: Job, text: str) -> bool:
    """Whether a job's title, or what the table prints of it, contains a text, of which the sizes are not looked at."""
    wanted = text.partition(": ")[0].lower()
    return any(wanted in name.lower() for name in job.names)


def tiny_jobs() -> Iterator[Job]:
    """The same kinds of jobs, so small that the emulator can do them."""
    for precision in PRECISIONS:
        yield NetworkJob(TINY, "predict", 2, precision)
        yield NetworkJob(TINY, "stream", PARTS, precision)
        yield NetworkJob(TINY, "train", 2, precision)
    for op in [*CPU_LAYERS, *(op for op in EXTRA if op not in CPU_LAYERS)]:
        name, batch, layer = next(row for row in CPU_LAYERS.get(op, CPU_LAYERS["elementwise"]) if row[0] == TINY)
        yield LayerJob(op, name, batch, layer)


def _of_network(model: str) -> Iterator[NetworkJob]:
    for batch in BATCHES:
        for precision in PRECISIONS:
            yield NetworkJob(model, "predict", batch, precision)
    for precision in PRECISIONS:
        yield NetworkJob(model, "stream", STREAMED, precision)
        yield NetworkJob(model, "train", TRAINED, precision)


def _convolutions(*directions: str) -> Iterator[LayerJob]:
    """The distinct convolutions of the first two networks."""
    from ..layers import convolutions_of

    for model in NETWORKS[0]:
        for convolution in convolutions_of(model, LAYER_BATCH):
            yield LayerJob("conv2d", convolution.name, LAYER_BATCH, convolution.layer, directions)


def _images(name: str, x: tuple[int, int, int], *window: Any) -> tuple[str, int, Layer]:
    return name, LAYER_BATCH, Layer(x, *window)


LAST = [_images("ResNet50", (7, 7, 2048))]
WIDE = [_images("56x56x256", (56, 56, 256))]
POOLED = [
    _images("VGG16 block1_pool", (224, 224, 64), (2, 2), 1, (2, 2), "valid"),
    _images("ResNet50 pool1", (112, 112, 64), (3, 3), 1, (2, 2), "valid"),
]
ROWS = [("ImageNet, 4096 rows", 4096, Layer((1000,)))]
LAYERS: dict[str, list[tuple[str, int, Layer]]] = {  # operation: name, batch, sizes
    "depthwise_conv2d": [
        _images("MobileNet conv_dw_1", (112, 112, 32), (3, 3)),
        _images("MobileNet conv_dw_4", (56, 56, 128), (3, 3), 1, (2, 2)),
        _images("MobileNet conv_dw_8", (14, 14, 512), (3, 3)),
        _images("EfficientNetB0 block6 5x5", (7, 7, 1152), (5, 5)),
    ],
    "dense": [
        ("VGG16 fc1, 64 rows", 64, Layer((25088,), filters=4096)),
        ("VGG16 fc2, 1 row", 1, Layer((4096,), filters=4096)),
        ("ResNet50 head, 64 rows", 64, Layer((2048,), filters=1000)),
    ],
    "conv2d_transpose": [_images("decoder 4x4 /2", (64, 64, 128), (4, 4), 64, (2, 2))],
    "batchnorm": [_images("ResNet50 conv2", (56, 56, 256))],
    "activation": [
        _images(f"{name}, 56x56x256", (56, 56, 256), (1, 1), 1, (1, 1), "same", (1, 1), 1, name)
        for name in ("relu", "gelu", "swish")
    ],
    **dict.fromkeys(("maxpool2d", "avgpool2d"), POOLED),
    **dict.fromkeys(("global_maxpool2d", "global_avgpool2d"), LAST),
    **dict.fromkeys(("elementwise", "concatenate", "channel_sum", "upsample2d", "prelu", "dropout", "pad2d"), WIDE),
    "layernorm": [_images("ConvNeXt stage 2", (28, 28, 192))],
    "embedding": [("256 words of 20,000", LAYER_BATCH, Layer((256, 128), filters=20_000))],
    **dict.fromkeys(("softmax", "softmax_crossentropy"), ROWS),
    "optimizer_step": [("ResNet50's 25 million weights", 1, Layer((25_000_000,)))],
}


def _case(operation: Any, direction: str, name: str, numbers: float, *arguments: Any) -> Case:
    """A direction whose kernel is called without the host's part around it."""
    shape, array = "x".join(map(str, arguments[0].shape)), arguments[0]
    call = partial(_called, *arguments, operation=operation.OPERATION, direction=direction, array=array)
    return Case(operation.OPERATION.name, direction, name, shape, 0.0, 4.0 * numbers, call)


def _called(*arguments: Any, operation: Any, direction: str, array: Any, rung: str | None = None) -> Any:
    return operation.run(direction, array, *arguments, rung=rung)


def _dropout(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    """With a mask that is there: it is drawn on the host."""
    x, y = draw(batch, *layer.x), draw(batch, *layer.x)
    mask = x > 0
    for direction in ("forward", "backward"):
        yield _case(dropout, direction, name, 2.25 * x.size, x, mask, 2.0, y)


def _pad2d(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x, sides = draw(batch, *layer.x), ((1, 1), (1, 1))
    wide = pad2d.forward(x, sides)
    yield _case(pad2d, "forward", name, x.size + wide.size, x, sides, 0.0, wide)
    yield _case(pad2d, "backward", name, 2 * x.size, wide, sides, draw(*x.shape))


def _elementwise(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x, y, c = draw(batch, *layer.x), draw(batch, *layer.x), draw(layer.x[-1])
    for direction in ("multiply", "maximum"):
        yield Case(
            op,
            direction,
            name,
            "x".join(map(str, x.shape)),
            0.0,
            12.0 * x.size,
            partial(getattr(elementwise, direction), x, x),
        )
    yield _case(elementwise, "maximum_backward", name, 5 * x.size, x, x, x, y, draw(*x.shape))
    yield _case(elementwise, "reduce", name, x.size, x, c)


def _concatenate(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x, half = draw(batch, *layer.x), layer.x[-1] // 2
    call = partial(concatenate.backward, x, (half, layer.x[-1] - half))
    yield Case(op, "backward", name, "x".join(map(str, x.shape)), 0.0, 8.0 * x.size, call)


def _optimizer_step(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    count = prod(layer.x)
    p, g, s = (abs(draw(count)) for _ in range(3))
    for direction, step in (("rmsprop", optimizer_step.rmsprop_step), ("adagrad", optimizer_step.adagrad_step)):
        yield Case(op, direction, name, str(count), 0.0, 20.0 * count, partial(step, p, g, s, learning_rate=1e-9))


EXTRA = {  # directions that `minicnn bench` does not time
    "dropout": _dropout,
    "pad2d": _pad2d,
    "elementwise": _elementwise,
    "concatenate": _concatenate,
    "optimizer_step": _optimizer_step,
}
