"""`minicnn finetune`: a folder of photos and a trained network become a classifier."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minicnn.cli.console import Progress, note, print_json, say
from minicnn.cli.options import add_base_options, base_remedies, check_base_options
from minicnn.cli.parser import folds, whole, within
from minicnn.cli.places import is_finished, named_folder, refuse_among, result_folder, said_of_contents, said_of_earlier
from minicnn.cli.policy import HELP, add_policy_options, given_choices, policy_of
from minicnn.cli.results import write_results

EPILOG = f"""\
PHOTOS holds one folder of pictures a class; or train/ and val/ (or test/) of that shape: then val/ judges.  Or it is a
table, labels.csv, whose first line is file,label or file,label,group: pictures of one group are never divided.

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
  minicnn finetune photos --policy default                   the head, then the last layers with care
  minicnn finetune photos --policy default,rank=8,ema=0.99   with other settings
  minicnn finetune photos --folds 5                          judge by cross-validation as well
  minicnn finetune photos --out runs/a --checkpoint-every 50 keep the state every 50 steps; after a kill, the same
                                                             command with --resume gives the same weights

{HELP}

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
    parser.add_argument("photos", metavar="PHOTOS", help="folder with one folder of pictures a class, or a table")
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="folder for the results, which replace earlier ones in it (default: name of PHOTOS + '-model', with a "
        "number where earlier results are)",
    )
    add_base_options(parser)
    add_policy_options(parser)
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
    keeping = parser.add_argument_group("going on after a kill, and watching")
    keeping.add_argument(
        "--checkpoint-every", type=whole(1), metavar="STEPS", help="keep the state of training every so many steps"
    )
    keeping.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint in --out, or begin where none is"
    )
    keeping.add_argument("--tensorboard", metavar="DIR", help="write the figures of every epoch for TensorBoard")
    keeping.add_argument("--mlflow", action="store_true", help="log them to MLflow, where its own settings say")
    parser.add_argument("--no-cache", action="store_true", help="neither read nor keep features on disk")
    parser.add_argument("--json", action="store_true", help="print the contents of metrics.json")
    parser.set_defaults(run=run)


def run(options) -> int:
    """Train, write the results, say where they are."""
    from minicnn.runs.run import CHECKPOINTS
    from minicnn.transfer import Checkpoints

    check_base_options(options)
    settings, policy = settings_of(options), policy_of(options)
    out = result_folder(options.out, options.photos, options.resume)
    if options.resume and is_finished(out):
        return _finished(out, options, settings, policy)
    held = said_of_earlier(options.out, options.photos, out) or said_of_contents(out, known=CHECKPOINTS)
    loggers = loggers_of(options, out.name)
    every = options.checkpoint_every or ("epoch" if options.resume else None)
    with Checkpoints(out / CHECKPOINTS, every, options.resume, tell=note) as checkpoints:
        result, paths = _trained(options, out, settings, policy=policy, checkpoints=checkpoints, callbacks=loggers)
    for said in filter(None, [held, *(f"refused {file}: {why}" for file, why in result.refused), *result.remarks]):
        note(said)
    if options.json:
        print_json(result.metrics())
    else:
        print_result(result, paths)
    return 0


def settings_of(options):
    """The choices beside the policy, and those of a training without one."""
    from minicnn.transfer import Settings

    return Settings(
        size=options.size,
        resize=options.resize,
        preprocessing=options.preprocessing,
        folds=options.folds,
        validation=options.validation,
        seed=options.seed,
        device=options.device,
        **(given_choices(options) if options.policy is None else {}),
    )


def loggers_of(options, name: str) -> Callable[[str], list[Any]]:
    """From the name of a training to the callbacks that --tensorboard and --mlflow ask for."""
    from minicnn.callbacks import MLflow, TensorBoard
    from minicnn.report.outputs import check_place

    def of_stage(stage: str) -> list[Any]:
        board = [TensorBoard(Path(options.tensorboard) / stage)] if options.tensorboard else []
        return board + ([MLflow(f"{name}, {stage}", {"command": shlex.join(options.argv)})] if options.mlflow else [])

    of_stage("")  # what is not installed is said now, and what cannot be written
    if options.tensorboard is not None:
        logs = named_folder(options.tensorboard, "--tensorboard", "the figures")
        refuse_among(options.photos, logs, "--tensorboard")
        check_place(logs)
    return of_stage


def _trained(options, out: Path, settings, **choices):
    """(result, its files) of the training; features and figures are told on the way."""
    from minicnn.transfer import finetune_folder

    progress = Progress()
    choices |= {"cache": not options.no_cache, "progress": progress}
    try:
        with base_remedies():
            result = finetune_folder(options.photos, options.base, options.weights, settings, **choices)
    finally:
        progress.close()
    return result, write_results(result, out, options.argv, choices["checkpoints"].folder)


def _finished(out: Path, options, settings, policy) -> int:
    """Say that nothing is left to do, as a program that resumes until it is done wants to hear.

    Raises
    ------
    WeightsMismatchError
        Something else is asked for than what was done.
    """
    from minicnn.runs import read_run
    from minicnn.training import compare

    run = read_run(out)
    if run.record:
        known, asked = {"pictures of": run.title, **run.config}, _asked_for(options, settings, policy)
        both = known.keys() & asked.keys()  # of another version there may be other choices
        before, now = ({name: value for name, value in facts.items() if name in both} for facts in (known, asked))
        compare(out, before, now, {})
    note(f"{out} holds a training that has come to its end: nothing is left to resume; train anew without --resume")
    if options.json:
        print_json(run.metrics)
    return 0


def _asked_for(options, settings, policy) -> dict[str, Any]:
    """What run.json would say of the pictures, the base and the choices."""
    from dataclasses import replace

    from minicnn.data.problems import as_text
    from minicnn.report.record import configuration
    from minicnn.training import as_json
    from minicnn.transfer import load_base

    preparing = {"size": settings.size, "resize": settings.resize, "preprocessing": settings.preprocessing}
    with base_remedies():
        base = load_base(options.base, options.weights, **preparing, device=settings.device)
    chosen = configuration(base, replace(policy or settings.policy, seed=settings.seed), settings)
    return as_json({"pictures of": as_text(Path(options.photos).resolve().name), **chosen})


def print_result(result, paths) -> None:
    """The figures and the files in a few lines."""
    from minicnn.transfer.scores import folds_interval

    metrics = result.metrics()
    low, high = metrics["accuracy_interval_95"]
    pictures = metrics["validation_pictures"]
    say(f"accuracy {result.accuracy:.1%} on {pictures} pictures (95% interval {low:.1%} to {high:.1%})")
    if len(result.phases) > 1:
        head, fine_tuning = result.phases
        say(f"  {head.name} {head.val_accuracy[-1]:.1%}, {fine_tuning.name} {result.accuracy:.1%}")
    if result.folds is not None:
        for name, values in (("head", result.folds.head), ("fine-tuned", result.folds.fine_tuned)):
            if values:
                mean, (low, high) = folds_interval(values)
                said = f"{len(values)} folds of all {result.pictures:,} pictures, {name}: {mean:.1%} on average"
                say(f"{said} (95% interval {low:.1%} to {high:.1%})")
    say(f"model   {paths['model.keras']}")
    if result.before_fine_tuning:
        say(f"before  {paths['head.keras']}")
    say(f"report  {paths['report.html']}")
