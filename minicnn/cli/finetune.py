"""`minicnn finetune`: a folder of photos and a trained network become a classifier."""

from typing import Any

from minicnn.cli.console import Progress, note, print_json, say
from minicnn.cli.options import add_base_options, base_remedies, check_base_options
from minicnn.cli.parser import folds, whole, within
from minicnn.cli.places import result_folder, said_of_contents, said_of_earlier
from minicnn.errors import ArgumentError

FINE_TUNING = ("fine_epochs", "learning_rate")

EPILOG = """\
PHOTOS holds one folder of pictures a class; or train/ and val/ (or test/) of that shape: then val/ judges.

  photos/cat/1.jpg        minicnn finetune photos
  photos/cat/2.jpg
  photos/dog/1.jpg

examples:
  minicnn finetune photos                                    MobileNet, downloaded once
  minicnn finetune photos --weights mobilenet_2_5_224_tf.h5  weights that you have; the width is read from the file
  minicnn finetune photos --unfreeze conv_dw_12              then fine-tune the last layers, from this one on
  minicnn finetune photos --base vgg16 --unfreeze block5     from the first layer whose name begins so
  minicnn finetune photos --base mobilenetv2                 fewer weights than MobileNet
  minicnn finetune photos --base torchvision.resnet50 --weights resnet50.safetensors
  minicnn finetune photos --base my_model.h5 --preprocessing unit    a model of yours that took pixels / 255
  minicnn finetune photos --base bundled                     the small net that comes with minicnn: no download
  minicnn finetune photos --folds 5                          judge by cross-validation as well

JPEG, PNG, WEBP, BMP, GIF and TIFF files of up to 120 million pixels are read; what is not is named.
In --out it writes model.keras (opens in Keras and in minicnn), report.html, and history.csv, metrics.json,
predictions.csv and run.json, which `minicnn runs` compares; and head.keras, the model of before, where fine-tuning
lowered the accuracy.
Features of the frozen base are kept in the cache folder, so a second run is fast."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "finetune",
        help="turn a folder of photos into a classifier",
        description="Train a classifier of the pictures in PHOTOS on a network that others trained.",
        epilog=EPILOG,
    )
    parser.add_argument("photos", metavar="PHOTOS", help="folder with one folder of pictures a class")
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="folder for the results, which replace earlier ones in it (default: name of PHOTOS + '-model', with a "
        "number where earlier results are)",
    )
    add_base_options(parser)
    head = parser.add_argument_group("the head")
    head.add_argument("--epochs", type=whole(1), default=40, metavar="N", help="epochs for the head (default: 40)")
    head.add_argument("--batch-size", type=whole(1), default=32, metavar="N", help="pictures a step (default: 32)")
    head.add_argument("--dropout", type=within("[0, 1)"), default=0.0, metavar="P", help="before the head (default: 0)")
    fine = parser.add_argument_group("fine-tuning")
    fine.add_argument(
        "--unfreeze",
        metavar="LAYER",
        help="then train from this layer on: a name or its beginning, like conv_dw_12 of "
        "MobileNet, block_15 of MobileNetV2, block5 of VGG, conv5 of ResNet, layer4 of torchvision's, stage2 of the "
        "bundled net",
    )
    fine.add_argument("--fine-epochs", type=whole(1), metavar="N", help="epochs of it (default: 10)")
    fine.add_argument("--learning-rate", type=within("(0, inf)"), metavar="R", help="rate of it (default: 1e-4)")
    judging = parser.add_argument_group("judging")
    judging.add_argument(
        "--validation",
        type=within("(0, 1)"),
        default=0.2,
        metavar="P",
        help="share kept aside without val/ (default: 0.2)",
    )
    judging.add_argument("--folds", type=folds, default=0, metavar="K", help="cross-validate in K rounds as well")
    parser.add_argument("--seed", type=whole(0), default=0, metavar="N", help="of splits and training (default: 0)")
    parser.add_argument("--no-cache", action="store_true", help="neither read nor keep features on disk")
    parser.add_argument("--json", action="store_true", help="print the contents of metrics.json")
    parser.set_defaults(run=run)


def run(options) -> int:
    """Train, write the results, say where they are."""
    from minicnn.report import write_outputs
    from minicnn.transfer import Settings, finetune_folder

    check_base_options(options)
    settings = Settings(
        size=options.size,
        resize=options.resize,
        preprocessing=options.preprocessing,
        epochs=options.epochs,
        batch_size=options.batch_size,
        dropout=options.dropout,
        unfreeze=options.unfreeze,
        folds=options.folds,
        validation=options.validation,
        seed=options.seed,
        **fine_tuning_choices(options),
    )
    out = result_folder(options.out, options.photos)
    held = said_of_earlier(options.out, options.photos, out) or said_of_contents(out)
    progress = Progress()
    try:
        with base_remedies():
            result = finetune_folder(
                options.photos, options.base, options.weights, settings, cache=not options.no_cache, progress=progress
            )
    finally:
        progress.close()
    paths = write_outputs(result, out, options.argv)
    if held:
        note(held)
    for file, reason in result.refused:
        note(f"refused {file}: {reason}")
    for remark in result.remarks:
        note(remark)
    if options.json:
        print_json(result.metrics())
    else:
        print_result(result, paths)
    return 0


def fine_tuning_choices(options) -> dict[str, Any]:
    """What is given of the choices that fine-tuning alone has."""
    given = {name: getattr(options, name) for name in FINE_TUNING if getattr(options, name) is not None}
    if given and options.unfreeze is None:
        name = f"--{next(iter(given)).replace('_', '-')}"
        raise ArgumentError(
            f"{name} is for fine-tuning: add --unfreeze LAYER, like --unfreeze conv_dw_12 for MobileNet"
        )
    return given


def print_result(result, paths) -> None:
    """The figures and the files in a few lines."""
    from minicnn.transfer.scores import mean_interval

    metrics = result.metrics()
    low, high = metrics["accuracy_interval_95"]
    pictures = metrics["validation_pictures"]
    say(f"accuracy {result.accuracy:.1%} on {pictures} pictures (95% interval {low:.1%} to {high:.1%})")
    if len(result.phases) > 1:
        say("  " + ", ".join(f"{phase.name} {phase.val_accuracy[-1]:.1%}" for phase in result.phases))
    if result.folds is not None:
        for name, values in (("head", result.folds.head), ("fine-tuned", result.folds.fine_tuned)):
            if values:
                mean, (low, high) = mean_interval(values)
                said = f"{len(values)} folds of all {result.pictures:,} pictures, {name}: {mean:.1%} on average"
                say(f"{said} (95% interval {low:.1%} to {high:.1%})")
    say(f"model   {paths['model.keras']}")
    if result.before_fine_tuning:
        say(f"before  {paths['head.keras']}")
    say(f"report  {paths['report.html']}")
