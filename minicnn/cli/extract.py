"""`minicnn extract`: features of pictures, as arrays for other programs."""

from pathlib import Path

from minicnn.cli.console import Progress, note, print_json, say
from minicnn.cli.options import add_base_options, base_remedies, check_base_options
from minicnn.cli.places import make_folder

EPILOG = """\
examples:
  minicnn extract photos --out features.npz
  minicnn extract photos --base resnet50 --weights resnet50_notop.h5 --out features.npz
  minicnn extract photos --base photos-model/model.keras --out features.npz
  minicnn extract photos --base vgg16 --layer block4_pool --pooling max --out features.npz

then in Python:
  data = numpy.load("features.npz")
  data["features"], data["labels"], data["class_names"], data["files"]"""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "extract",
        help="write features of pictures to a .npz file",
        description="Write the features (N,D) that a trained network gives for the pictures in PHOTOS.",
        epilog=EPILOG,
    )
    parser.add_argument("photos", metavar="PHOTOS", help="folder with one folder of pictures a class, or a table")
    parser.add_argument(
        "--out", required=True, metavar="FILE.npz", help="the file to write; its folder is made if need be"
    )
    add_base_options(parser)
    parser.add_argument("--layer", metavar="NAME", help="take this layer's outputs (default: what the classifier sees)")
    parser.add_argument(
        "--pooling", choices=("avg", "max", "none"), default="avg",
        help="what becomes of maps: the mean of each channel, the largest, or all values in a row (default: avg)",
    )  # fmt: skip
    parser.add_argument("--no-cache", action="store_true", help="neither read nor keep features on disk")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.set_defaults(run=run)


def run(options) -> int:
    """Compute the features and write them."""
    from dataclasses import replace

    from minicnn.data.table import named_files
    from minicnn.transfer import default_cache, load_base
    from minicnn.transfer.extraction import PictureSource, features_of
    from minicnn.transfer.pictures import read_pictures
    from minicnn.transfer.surgery import features_at

    check_base_options(options)
    check_out(options.out)
    folder = named_files(options.photos)
    with base_remedies():
        base = load_base(
            options.base,
            options.weights,
            size=options.size,
            resize=options.resize,
            preprocessing=options.preprocessing,
            device=options.device,
        )
    pooling = None if options.pooling == "none" else options.pooling
    base = replace(base, model=features_at(base.model, options.layer, pooling))
    cache = None if options.no_cache else default_cache()
    progress = Progress()
    try:
        pictures = read_pictures(folder, base.preparation.rule, progress, cache)
        source = PictureSource(list(pictures.hashes), lambda rows: pictures.images[rows], base.preparation)
        features = features_of(base, source, cache, progress)
        features = features.reshape(len(features), -1)
    finally:
        progress.close()
    for file, reason in pictures.refused:
        note(f"refused {file}: {reason}")
    for file, reason in pictures.tiny:
        note(f"warning: {file}: {reason}: there is little to see on it")
    write(options.out, features, pictures)
    rows, width = features.shape
    if options.json:
        print_json({"file": options.out, "pictures": rows, "features": width, "base": base.name})
    else:
        say(f"{options.out}: {width:,} features of {rows:,} pictures by {base.name}")
    return 0


def check_out(path: str) -> None:
    """Refuse a place that cannot be written, before anything is computed."""
    from minicnn.errors import ArgumentError
    from minicnn.report.outputs import check_place
    from minicnn.weights.atomic import check_target

    if Path(path).suffix != ".npz":
        raise ArgumentError(f"--out must end in .npz; it is {path!r}")
    check_target(path)
    check_place(Path(path).parent)


def write(path: str, features, pictures) -> None:
    """The arrays of a .npz file, its folder made if need be; text, never pickled objects."""
    import numpy as np

    from minicnn.weights.atomic import replacing

    make_folder(Path(path).parent)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            features=features,
            labels=pictures.labels,
            class_names=np.array(pictures.folder.class_names),
            files=np.array([pictures.name(i) for i in range(len(features))]),
            sha256=np.array(pictures.hashes),
        )
