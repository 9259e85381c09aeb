"""Which published architecture a weights file belongs to, told by the shapes in it: names and order do not matter."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Shape = tuple[int, ...]

RESNET_DEPTHS = {6: "ResNet50", 23: "ResNet101", 36: "ResNet152"}
VGG_DEPTHS = {13: "VGG16", 16: "VGG19"}
MOBILENET_DEPTHWISE, MOBILENET_V2_DEPTHWISE = 13, 17


@dataclass(frozen=True)
class Architecture:
    """
    A constructor of minicnn.applications and its arguments.

    Attributes
    ----------
    name : str
        "MobileNet", "VGG16", ...
    arguments : mapping
        What the shapes say beyond the name: {"alpha": 0.25}.
    classes : int or None
        Classes of the classifier in the file; None when it has no top.
    """

    name: str
    arguments: Mapping[str, float] = field(default_factory=dict)
    classes: int | None = None

    def __str__(self) -> str:
        arguments = "".join(f", {key} {value:g}" for key, value in self.arguments.items())
        top = f"{self.classes} classes" if self.classes else "no top"
        return f"{self.name}{arguments}, {top}"


def identify(shapes: Iterable[Shape]) -> Architecture | None:
    """
    The architecture with weights of these shapes, or None.

    Parameters
    ----------
    shapes : iterable of shapes
        Of all weights: kernels (KH,KW,C,F), depthwise kernels (KH,KW,C,1), dense kernels (I,O), vectors (C,).

    Examples
    --------
    >>> depthwise = [(3, 3, c, 1) for c in (8, 16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256)]
    >>> str(identify([(3, 3, 3, 8), *depthwise, (1, 1, 256, 1000)]))
    'MobileNet, alpha 0.25, 1000 classes'
    """
    shapes = [tuple(shape) for shape in shapes]
    for recognise in (_mobilenet, _mobilenet_v2, _vgg, _resnet):
        found = recognise(Counter(shapes))
        if found is not None:
            return found
    return None


def width(name: str, shapes: Iterable[Shape]) -> float | None:
    """The alpha of weights, which may be damaged, of an architecture; None when it has none or too little is left.

    MobileNet tells it by its 3×3 stem of 32·alpha filters, MobileNetV2 by the 320·alpha channels into its last kernel.
    """
    kernels = [tuple(shape) for shape in shapes if len(shape) == 4]
    if name == "MobileNet":
        stems = {shape for shape in kernels if shape[:3] == (3, 3, 3) and shape[3] > 1}
        return stems.pop()[3] / 32 if len(stems) == 1 else None
    if name == "MobileNetV2" and kernels:
        return _widest(kernels)[2] / 320
    return None


def _widest(kernels: Iterable[Shape]) -> Shape:
    """The kernel with the most filters."""
    return max((shape for shape in kernels if len(shape) == 4), key=lambda shape: shape[3])


def _depthwise(shapes: Counter) -> int:
    """How many 3×3 kernels are depthwise."""
    return sum(n for shape, n in shapes.items() if len(shape) == 4 and shape[:2] == (3, 3) and shape[3] == 1)


def _mobilenet(shapes: Counter) -> Architecture | None:
    """A stem, thirteen depthwise kernels, and a 1×1 convolution as classifier."""
    alpha = width("MobileNet", shapes)
    if alpha is None or _depthwise(shapes) != MOBILENET_DEPTHWISE:
        return None
    filters = int(1024 * alpha)
    pointwise = [shape for shape in shapes if shape[:3] == (1, 1, filters)]
    classifiers = [shape[3] for shape in pointwise if shape[3] != filters]
    if not classifiers and shapes[(1, 1, filters, filters)] > 1:
        classifiers = [filters]
    return Architecture("MobileNet", {"alpha": alpha}, classifiers[0] if classifiers else None)


def _mobilenet_v2(shapes: Counter) -> Architecture | None:
    """Seventeen depthwise kernels, a 1×1 convolution that is wider than all others, and a dense layer as classifier."""
    alpha = width("MobileNetV2", shapes)
    if alpha is None or _depthwise(shapes) != MOBILENET_V2_DEPTHWISE or _widest(shapes)[:2] != (1, 1):
        return None
    classes = [shape[1] for shape in shapes if len(shape) == 2 and shape[0] == _widest(shapes)[3]]
    return Architecture("MobileNetV2", {"alpha": alpha}, classes[0] if classes else None)


def _vgg(shapes: Counter) -> Architecture | None:
    """Nothing but 3×3 convolutions from 64 to 512 filters, and three dense layers as classifier."""
    kernels = {shape: n for shape, n in shapes.items() if len(shape) == 4}
    if (3, 3, 3, 64) not in kernels or any(shape[:2] != (3, 3) for shape in kernels):
        return None
    name = VGG_DEPTHS.get(sum(kernels.values()))
    if name is None or (3, 3, 512, 512) not in kernels:
        return None
    classes = [shape[1] for shape in shapes if len(shape) == 2 and shape[0] == 4096 and shape[1] != 4096]
    if not classes and shapes[(4096, 4096)] > 1:
        classes = [4096]
    return Architecture(name, {}, classes[0] if classes else None)


def _resnet(shapes: Counter) -> Architecture | None:
    """A 7×7 stem; the 3×3 kernels of the fourth stage tell the depth; in version 1 BatchNorm follows each kernel."""
    if not shapes[(7, 7, 3, 64)]:
        return None
    name = RESNET_DEPTHS.get(shapes[(3, 3, 256, 256)])
    kernels = sum(n for shape, n in shapes.items() if len(shape) == 4)
    vectors = sum(n for shape, n in shapes.items() if len(shape) == 1)
    classes = [shape[1] for shape in shapes if len(shape) == 2 and shape[0] == 2048]
    # Version 1 has four vectors of BatchNorm and one bias for every convolution; version 2 shares fewer.
    if name is None or vectors - len(classes) != 5 * kernels:
        return None
    return Architecture(name, {}, classes[0] if classes else None)
