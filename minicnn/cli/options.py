"""Options that several commands share; importing this costs nothing."""

import contextlib
from collections.abc import Iterator

from minicnn.cli.parser import whole
from minicnn.errors import ArgumentError, DownloadError

PREPROCESSING = ("caffe", "tf", "torch", "none")
RESIZE = ("crop", "stretch", "pad")
FULL = "float32"
DENSE_STORAGES = (FULL, "bfloat16", "int8")  # as kernels.dense.STORAGES


def add_model_options(parser) -> None:
    """MODEL and --preprocessing."""
    parser.add_argument("model", metavar="MODEL", help="a .keras or .h5 file with a model")
    add_preprocessing(parser)


def add_dense_storage(parser) -> None:
    """--dense-storage."""
    parser.add_argument(
        "--dense-storage",
        choices=DENSE_STORAGES,
        default=FULL,
        help="how the weights of dense layers are stored while predicting: fewer bits are read sooner and round them "
        "(default: float32)",
    )


def add_preprocessing(parser) -> None:
    """--preprocessing."""
    parser.add_argument(
        "--preprocessing",
        choices=PREPROCESSING,
        help="how pixels become numbers, for a model file that does not say",
    )


def add_base_options(parser) -> None:
    """The options that name a base and how pictures are made ready for it."""
    group = parser.add_argument_group("the base")
    group.add_argument(
        "--base",
        default="mobilenet",
        metavar="NAME|FILE",
        help="mobilenet, vgg16, resnet50 or another that `minicnn models` lists, bundled, or a .h5 or .keras file "
        "(default: mobilenet)",
    )
    group.add_argument(
        "--weights", default="imagenet", metavar="FILE", help="weights of a named base (default: imagenet)"
    )
    group.add_argument(
        "--size", type=whole(1, 10_000), metavar="N", help="side of the pictures in pixels (default: the base's)"
    )
    group.add_argument("--resize", choices=RESIZE, help="how pictures get that size (default: the base's, or crop)")
    add_preprocessing(group)


def check_base_options(options) -> None:
    """Refuse what does not go together, in the words of the command line.

    Raises
    ------
    ArgumentError
    """
    from minicnn.transfer.base import NAMES

    row = NAMES.get(options.base.lower())
    if row is None and options.weights != "imagenet":
        raise ArgumentError(
            "--weights is for a --base with a name, as minicnn models lists them; "
            f"--base is {options.base}: leave one out"
        )
    if row is not None and options.size is not None and options.size < row.least:
        raise ArgumentError(f"--size must be at least {row.least} for {row.name}; it is {options.size}")


@contextlib.contextmanager
def base_remedies() -> Iterator[None]:
    """A download that fails in the block is refused with what else the command line can do."""
    try:
        yield
    except DownloadError as error:
        raise DownloadError(f"{error}, or use --weights FILE, or --base bundled (offline)") from error
