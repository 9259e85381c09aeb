"""`minicnn evaluate`: how well a model names the pictures of a labelled folder, or of a table."""

from minicnn.cli.console import NONE, Progress, note, print_json, print_table, say
from minicnn.cli.options import FULL, add_classes, add_dense_storage, add_device, add_model_options

SCORES = ("precision", "recall", "f1")

EPILOG = """\
examples:
  minicnn evaluate photos-model/model.keras test_photos
  minicnn evaluate photos-model/model.keras test_labels.csv --json
  minicnn evaluate my_model.h5 test_photos --preprocessing unit --classes cat,dog     a model that another program wrote

PHOTOS has one folder of pictures a class, named as in the model; of a folder with train/ and
val/ (or test/), the pictures in val/ are judged. Or it is a table of files and labels, .csv or
.tsv, whose first line names the columns: file,label. Pictures that the model was trained on are
counted."""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "evaluate",
        help="measure a model on labelled pictures",
        description="Measure how well a model names pictures whose classes are known.",
        epilog=EPILOG,
    )
    add_model_options(parser)
    parser.add_argument("photos", metavar="PHOTOS", help="folder with one folder of pictures a class, or a table")
    add_classes(parser)
    add_dense_storage(parser)
    add_device(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options) -> int:
    """Predict all pictures, compare with their labels."""
    from minicnn.cli.classifier import classify, labelled_files, load_classifier
    from minicnn.errors import DataError
    from minicnn.metrics import ConfusionMatrix
    from minicnn.transfer.pictures import count_trained_on
    from minicnn.transfer.remarks import count

    chosen = (options.preprocessing, options.dense_storage, options.classes, options.device)
    classifier = load_classifier(options.model, *chosen)
    folder, rows = labelled_files(options.photos, classifier.class_names)
    label_of = {folder.files[i]: int(folder.labels[i]) for i in rows}
    progress = Progress()
    try:
        answers = classify(classifier, list(label_of), progress)
    finally:
        progress.close()
    for problem in (*folder.problems, *answers.problems):
        note(f"left out {problem}")
    for doubt in answers.doubts:
        note(f"warning: {doubt}: there is little to see on it")
    if not answers.files:
        raise DataError(f"{options.photos}: no picture can be read")
    labels = [label_of[file] for file in answers.files]
    confusion = ConfusionMatrix(len(classifier.class_names))(labels, answers.probabilities)
    found = summarise(confusion, classifier.class_names, len(answers.problems))
    found["dense_storage"] = options.dense_storage
    known = found["trained_on"] = count_trained_on(classifier.model.metadata, answers.hashes)
    if known:
        share = f"{known:,} of the {count(found['pictures'], 'picture')} {'was' if known == 1 else 'were'}"
        note(f"warning: {share} used to train this model: the accuracy on new ones is lower")
    if options.json:
        print_json(found)
    else:
        _print(found)
    return 0


def summarise(confusion, class_names, unreadable: int) -> dict:
    """The figures as plain values."""
    from dataclasses import asdict

    from minicnn.metrics.class_scores import class_scores
    from minicnn.transfer.scores import wilson_interval

    total, correct = int(confusion.sum()), int(confusion.trace())
    return {
        "pictures": total,
        "accuracy": correct / total,
        "accuracy_interval_95": wilson_interval(correct, total),
        "unreadable_files": unreadable,
        "classes": [_figures(asdict(score)) for score in class_scores(confusion, class_names)],
        "confusion": confusion,
    }


def _figures(score: dict) -> dict:
    """The scores of a class; none of a class without pictures, which 0.0% would call a failure."""
    return score if score["support"] else score | dict.fromkeys(SCORES)


def _print(found: dict) -> None:
    low, high = found["accuracy_interval_95"]
    say(f"accuracy {found['accuracy']:.1%} on {found['pictures']} pictures (95% interval {low:.1%} to {high:.1%})")
    if found["dense_storage"] != FULL:
        say(f"weights of dense layers stored as {found['dense_storage']}")
    say()
    rows = [
        [c["name"], *(NONE if c[score] is None else f"{c[score]:.1%}" for score in SCORES), c["support"]]
        for c in found["classes"]
    ]
    print_table(["class", "precision", "recall", "F1", "pictures"], rows)
