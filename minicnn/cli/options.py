"""Options that several commands share; importing this costs nothing."""

import contextlib
import os
import shlex
from collections.abc import Iterator

from minicnn.cli.parser import whole
from minicnn.errors import ArgumentError, DownloadError

PREPROCESSING = ("caffe", "tf", "torch", "unit", "none")  # as preparation.MODES
RESIZE = ("crop", "stretch", "pad")
FULL = "float32"
MODEL_HELP = (
    "a .keras or .h5 file with a model; or weights alone (.h5, .safetensors) of a network that `minicnn models` lists"
)
DENSE_STORAGES = (FULL, "bfloat16", "int8")  # as kernels.dense.STORAGES


def add_model_options(parser) -> None:
    """MODEL and --preprocessing."""
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    add_preprocessing(parser)


def add_classes(parser) -> None:
    """--classes."""
    parser.add_argument(
        "--classes",
        metavar="NAMES",
        help="the names of the model's classes in the order of its outputs, for a file that does not name them: "
        "cat,dog or a text file with one a line (Keras sorts folders by name)",
    )


def add_dense_storage(parser) -> None:
    """--dense-storage."""
    parser.add_argument(
        "--dense-storage",
        choices=DENSE_STORAGES,
        default=FULL,
        help="how the weights of dense layers are stored while predicting: fewer bits are read sooner and round them "
        "(default: float32)",
    )


def add_device(parser) -> None:
    """--device."""
    parser.add_argument(
        "--device",
        default="cpu",
        metavar="cpu|cuda",
        help="where the network runs: cuda is an NVIDIA GPU, of several the one that CUDA_VISIBLE_DEVICES names; "
        "it computes in float32 (default: cpu; minicnn doctor says what is there)",
    )


def add_preprocessing(parser) -> None:
    """--preprocessing."""
    parser.add_argument(
        "--preprocessing",
        choices=PREPROCESSING,
        help="how pixels from 0 to 255 become numbers, for a model file that does not say: caffe (BGR minus ImageNet's "
        "means), tf (x / 127.5 - 1), torch (x / 255, then by ImageNet's means and deviations), unit (x / 255), none "
        "(as they are: the network does it)",
    )


def add_base_options(parser) -> None:
    """The options that name a base and how pictures are made ready for it."""
    parser.said_of_surplus = lambda known, rest: said_of_base_among([known.photos, *rest], parser.prog)
    group = parser.add_argument_group("the base")
    group.add_argument(
        "--base",
        default="mobilenet",
        metavar="NAME|FILE",
        help="mobilenet, vgg16, resnet50 or another that `minicnn models` lists, bundled, or a .keras, .h5 or "
        ".safetensors file (default: mobilenet)",
    )
    group.add_argument(
        "--weights",
        default="imagenet",
        metavar="FILE",
        help="a .h5, .keras or .safetensors file with weights of a named base (default: imagenet, downloaded once)",
    )
    group.add_argument(
        "--size", type=whole(1, 10_000), metavar="N", help="side of the pictures in pixels (default: the base's)"
    )
    group.add_argument("--resize", choices=RESIZE, help="how pictures get that size (default: the base's, or crop)")
    add_preprocessing(group)
    add_device(group)


def said_of_base_among(words: list[str], command: str) -> str:
    """What is said of a base beside the photos, in whichever order; nothing where these are not the two."""
    bases = [word for word in words if _is_base(word)]
    photos = [word for word in words if word not in bases]
    if len(bases) != 1 or len(photos) != 1:
        return ""
    written = shlex.join([*photos, "--base", *bases])
    return f"the network {bases[0]!r} is named with --base: {command} {written}"


def _is_base(word: str) -> bool:
    """Whether a word is the name of a network, or of a file with one."""
    from minicnn.transfer.base import BUNDLED, ENDINGS, NAMES

    return word.lower().endswith(ENDINGS) or word.lower() in (*NAMES, BUNDLED)


def check_base_options(options) -> None:
    """Refuse what does not go together, in the words of the command line.

    Raises
    ------
    ArgumentError
    """
    from minicnn.applications.family import is_name
    from minicnn.transfer.base import BUNDLED, NAMES, PUBLISHED, has_published_weights

    if _is_base(options.photos) and not os.path.isdir(options.photos):
        raise ArgumentError(
            f"{options.photos} is a network and no folder: name that of the photos, and the network with --base "
            f"{shlex.quote(options.photos)}"
        )
    row, published = NAMES.get(options.base.lower()), options.weights.lower() == PUBLISHED
    if row is None and not published and (options.base.lower() == BUNDLED or os.path.exists(options.base)):
        raise ArgumentError(
            "--weights is for a --base with a name, as minicnn models lists them; "
            f"--base is {options.base}: leave one out"
        )
    if row is not None and options.size is not None and options.size < row.least:
        raise ArgumentError(f"--size must be at least {row.least} for {row.name}; it is {options.size}")
    if row is not None and (published or is_name(options.weights)) and not has_published_weights(row):
        file = "FILE.safetensors, saved with safetensors.torch.save_file" if "." in row.name else "FILE"
        raise ArgumentError(
            f"no weights of {row.name} are published that minicnn can download: add --weights {file}, or take another "
            "--base (minicnn weights list names those that have some)"
        )


@contextlib.contextmanager
def base_remedies() -> Iterator[None]:
    """A download that fails in the block is refused with what else the command line can do."""
    try:
        yield
    except DownloadError as error:
        raise DownloadError(f"{error}, or use --weights FILE, or --base bundled (offline)") from error
