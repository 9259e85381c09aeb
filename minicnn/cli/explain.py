"""`minicnn explain`: which places of a picture made a model answer as it did."""

from pathlib import Path

from minicnn.cli.console import note, one_line, print_json, say
from minicnn.cli.options import add_classes, add_device, add_model_options

METHODS = ("grad-cam", "occlusion", "gradient")
SIDE = 448  # pixels that a drawing has at least, where the picture has as many

EPILOG = """\
examples:
  minicnn explain photos-model/model.keras new.jpg                   writes new-explained.png
  minicnn explain photos-model/model.keras new.jpg --class cat       what speaks for cat, likely or not
  minicnn explain photos-model/model.keras new.jpg --method occlusion --out why.png
  minicnn explain vgg16.h5 new.jpg --layer block3_conv3              maps of an earlier layer: finer, less certain

The drawing is the picture as the model sees it, under a map: red where it speaks for the class, blue where it does not.
  grad-cam   the last feature maps, weighed by the gradient of the class (Selvaraju et al. 2017); for any network with
             convolutions
  occlusion  how much less likely the class gets when a place is covered; slower, for any network
  gradient   how strongly the class depends on each pixel; finer, and noisier"""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "explain",
        help="draw which places of a picture a model looked at",
        description="Draw which places of a picture speak for a class.",
        epilog=EPILOG,
    )
    add_model_options(parser)
    parser.add_argument("picture", metavar="PICTURE", help="a picture file")
    add_classes(parser)
    add_device(parser)
    parser.add_argument("--class", dest="label", metavar="NAME", help="the class to explain (default: the likeliest)")
    parser.add_argument("--method", choices=METHODS, default=METHODS[0], help="how (default: grad-cam)")
    parser.add_argument("--layer", metavar="NAME", help="whose maps grad-cam shows (default: the last convolution's)")
    parser.add_argument("--out", metavar="FILE.png", help="the file to write (default: name of PICTURE + '-explained')")
    parser.add_argument("--json", action="store_true", help="print JSON, with the map as numbers")
    parser.set_defaults(run=run)


def run(options) -> int:
    """Compute the map, draw it, say what is explained."""
    from minicnn.cli.classifier import load_classifier
    from minicnn.data.images import read_picture
    from minicnn.explain import overlay
    from minicnn.preparation.pillow import quiet_pillow

    out = place_of(options)
    chosen = {"classes": options.classes, "device": options.device}
    classifier = load_classifier(options.model, options.preprocessing, **chosen)
    rule = classifier.preparation.rule
    with quiet_pillow():
        picture, shown = (read_picture(Path(options.picture), r) for r in (rule, enlarged(rule)))
    probabilities = classifier.probabilities(picture.pixels[None])[0]
    label = int(probabilities.argmax()) if options.label is None else number_of(options.label, classifier.class_names)
    heat = explained(classifier, picture.pixels, label, options)
    write(out, overlay(shown.pixels, heat))
    name, probability = classifier.class_names[label], float(probabilities[label])
    if options.json:
        found = {"file": options.picture, "class": name, "probability": probability, "method": options.method}
        print_json(found | {"drawing": str(out), "map": heat})
    else:
        say(f"{one_line(name)} {probability:.1%}: {out}")
    if not heat.max() > 0:
        note(f"nothing in the picture speaks for {one_line(name)}: the map is empty")
    return 0


def place_of(options) -> Path:
    """Where the drawing goes: looked at before anything is computed.

    Raises
    ------
    ArgumentError, FileAccessError
    """
    from minicnn.errors import ArgumentError
    from minicnn.report.outputs import check_place
    from minicnn.weights.atomic import check_target

    if options.layer is not None and options.method != METHODS[0]:
        raise ArgumentError(f"--layer is for --method {METHODS[0]}; leave it out for {options.method}")
    out = Path(f"{Path(options.picture).stem}-explained.png" if options.out is None else options.out)
    if out.suffix != ".png":
        raise ArgumentError(f"--out must end in .png; it is {options.out!r}")
    if out.resolve() == Path(options.picture).resolve():
        raise ArgumentError(f"--out is the picture itself, {out}: name another file")
    check_target(out)
    check_place(out.parent)
    return out


def enlarged(rule):
    """The rule that shows the same part of a picture with at least SIDE pixels."""
    from dataclasses import replace

    times = -(-SIDE // min(rule.shape))
    return replace(rule, size=tuple(side * times for side in rule.shape))


def number_of(name: str, class_names) -> int:
    """The number of a class.

    Raises
    ------
    ArgumentError
        The model has no such class; the message lists near ones.
    """
    from difflib import get_close_matches

    from minicnn.errors import ArgumentError

    names = list(class_names)
    if name in names:
        return names.index(name)
    near = get_close_matches(name, names, 3, 0.5)
    listed = f"did you mean {', '.join(near)}?" if near else f"it has {', '.join(names[:6])}"
    more = ", …" if not near and len(names) > 6 else ""
    raise ArgumentError(f"the model has no class {name!r}: {listed}{more}")


def explained(classifier, pixels, label: int, options):
    """The map (h,w) of one picture uint8 (H,W,3), by the method that is asked for."""
    import numpy as np

    from minicnn.explain import grad_cam, input_gradient, occlusion

    model, x = classifier.model, classifier.preparation(pixels[None])
    if options.method == "grad-cam":
        return grad_cam(model, x, label, options.layer)[0]
    if options.method == "occlusion":
        return occlusion(model, x, label)[0]
    slopes = np.abs(input_gradient(model, x, label)[0])
    return slopes.max(axis=0 if classifier.preparation.channels_first else -1)


def write(path: Path, pixels) -> None:
    """A PNG file, whole or not at all; its folder is made if need be."""
    from minicnn.cli.places import make_folder
    from minicnn.preparation.pillow import pillow_image
    from minicnn.weights.atomic import replacing

    make_folder(path.parent)
    with replacing(path) as temporary, temporary.open("wb") as file:
        pillow_image().fromarray(pixels).save(file, "PNG")
