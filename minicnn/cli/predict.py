"""`minicnn predict`: names and probabilities for pictures."""

from minicnn.cli.console import note, one_line, print_json, say
from minicnn.cli.options import FULL, add_classes, add_dense_storage, add_device, add_model_options
from minicnn.cli.parser import whole

EPILOG = """\
examples:
  minicnn predict photos-model/model.keras new.jpg
  minicnn predict photos-model/model.keras new/ --top 1       all pictures in a folder
  minicnn predict photos-model/model.keras *.jpg --json       for a program
  minicnn predict my_model.h5 new.jpg --preprocessing unit --classes cat,dog     a model that another program wrote
  minicnn predict mobilenet_1_0_224_tf.h5 new.jpg             published weights: the 1,000 classes of ImageNet
  minicnn predict resnet50.safetensors new.jpg                a state dict of torchvision or timm

predict downloads nothing: minicnn weights fetch imagenet_class_index.json, once, gets the names of ImageNet's classes.
A picture that is missing or cannot be read, and a folder without pictures, are named on stderr; the others are still
predicted, and the exit code is 2. What lies in a folder and is no picture is named and left out."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "predict",
        help="name what is on pictures",
        description="Print the likeliest classes of each picture with their probabilities.",
        epilog=EPILOG,
    )
    add_model_options(parser)
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="picture files, or folders of them")
    add_classes(parser)
    add_dense_storage(parser)
    add_device(parser)
    parser.add_argument("--top", type=whole(1), default=3, metavar="N", help="classes a picture (default: 3)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options) -> int:
    """Predict all pictures that can be read."""
    from minicnn.cli.classifier import best, classify, load_classifier
    from minicnn.cli.pictures import find_pictures

    pictures = find_pictures(options.images)
    chosen = (options.preprocessing, options.dense_storage, options.classes, options.device)
    classifier = load_classifier(options.model, *chosen)
    answers = classify(classifier, pictures.files)
    named = [
        (file, list(best(row, classifier.class_names, options.top)))
        for file, row in zip(answers.files, answers.probabilities)
    ]
    reduced = {} if options.dense_storage == FULL else {"dense_storage": options.dense_storage}
    if options.json:
        print_json(
            [
                {"file": str(file), "classes": [{"name": name, "probability": p} for name, p in classes], **reduced}
                for file, classes in named
            ]
        )
    else:
        width = max((len(one_line(file)) for file, _ in named), default=0)
        for file, classes in named:
            said = ", ".join(f"{one_line(name)} {p:.1%}" for name, p in classes)
            say(f"{one_line(file).ljust(width)}  {said}")
    if reduced:
        note(f"weights of dense layers were stored as {options.dense_storage}")
    for doubt in answers.doubts:
        note(f"warning: {doubt}: there is little to see on it")
    for line in pictures.left_out:
        note(f"left out {line}")
    errors = [*pictures.errors, *answers.problems]
    for error in errors:
        note(f"error: {error}")
    return 2 if errors else 0
