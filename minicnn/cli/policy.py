"""--policy: how to train, as a name and settings; and the options that set some of these settings."""

from typing import Any

from minicnn.cli.parser import nearest, whole, within
from minicnn.errors import ArgumentError

NAMES = ("default", "head")  # as policies()
SETTINGS = (  # the fields of transfer.Policy but its seed
    "unfreeze", "head_epochs", "epochs", "batch_size", "learning_rate", "layer_decay", "gradual", "schedule", "warmup",
    "optimizer", "batchnorm", "weight_decay", "l2_sp", "rank", "augment", "views", "storage", "dropout",
    "label_smoothing", "class_weight",
    "clip_norm", "ema", "patience", "held_out",
)  # fmt: skip
HEAD = {
    "epochs": "head_epochs", "batch_size": "batch_size", "dropout": "dropout", "views": "views", "storage": "storage",
}  # fmt: skip
FINE = {"fine_epochs": "epochs", "learning_rate": "learning_rate"}
FIELDS = {**HEAD, "unfreeze": "unfreeze", **FINE}  # {option: the setting that it sets}

WORDS = {"augment": ("mirror", "none"), "class_weight": ("balanced", "sqrt", "none")}  # in Python more is possible

HELP = """\
--policy NAME,SETTING=VALUE,... says all of how to train; other options then change what they name.
  default  head, then the last four groups of layers: rates that fall with depth, warm-up and cosine, mirrored pictures
  head     the head alone
  settings, as in minicnn.transfer.Policy: unfreeze (groups, or a layer), epochs (--fine-epochs), learning_rate,
  layer_decay, gradual (epochs between groups), schedule (cosine, one-cycle, constant), warmup, optimizer (adam, sgd),
  weight_decay, l2_sp, rank (low-rank changes), augment (mirror, none), views (kept of each picture), storage (float32,
  float16), label_smoothing, class_weight (balanced, sqrt), clip_norm, ema, patience (early stopping), held_out,
  batchnorm (keep-frozen, train), head_epochs (--epochs), batch_size, dropout"""


def add_policy_options(parser) -> None:
    """--policy, and the options that set what it has."""
    head = parser.add_argument_group("training")
    head.add_argument(
        "--policy",
        metavar="NAME,...",
        help="default or head, and settings of your own, as told below (without: the head, then what --unfreeze "
        "names, at one rate)",
    )
    head.add_argument("--epochs", type=whole(1), metavar="N", help="epochs for the head (default: 40)")
    head.add_argument("--batch-size", type=whole(1), metavar="N", help="pictures a step (default: 32)")
    head.add_argument("--dropout", type=within("[0, 1)"), metavar="P", help="before the head (default: 0)")
    head.add_argument(
        "--augment-views",
        dest="views",
        type=whole(1),
        metavar="K",
        help="make and keep features of K mirrored views of each picture; every epoch draws one (default: none)",
    )
    head.add_argument(
        "--feature-storage",
        dest="storage",
        choices=("float32", "float16"),
        help="float16 keeps features in half the room; the report says how far that is off (default: float32)",
    )
    head.add_argument(
        "--unfreeze",
        metavar="LAYER|N",
        type=lambda text: int(text) if text.removeprefix("-").isdecimal() else text,
        help="then fine-tune from this layer on: a name or its beginning, like conv_dw_12 of MobileNet, block_15 of "
        "MobileNetV2, block5 of VGG, conv5 of ResNet, layer4 of torchvision's, stage2 of the bundled net; or so many "
        "groups of layers",
    )
    head.add_argument("--fine-epochs", type=whole(1), metavar="N", help="epochs of it (default: 10; of a policy, its)")
    head.add_argument(
        "--learning-rate", type=within("(0, inf)"), metavar="R", help="rate of it (default: 1e-4; of a policy, its)"
    )


def given_choices(options) -> dict[str, Any]:
    """The options that were given of those that set the training.

    Raises
    ------
    ArgumentError
        One is for fine-tuning alone, and there is none.
    """
    given = {name: getattr(options, name) for name in FIELDS if getattr(options, name) is not None}
    fine = next((name for name in given if name in FINE), None)
    if fine is not None and options.unfreeze is None and options.policy is None:
        raise ArgumentError(
            f"--{fine.replace('_', '-')} is for fine-tuning: add --unfreeze LAYER, like --unfreeze conv_dw_12 for "
            "MobileNet"
        )
    return given


def policy_of(options) -> Any:
    """The policy that --policy and the other options say, None without --policy.

    Raises
    ------
    ArgumentError
        A name, a setting or a value is unknown or out of range.
    """
    from dataclasses import replace

    given = {FIELDS[name]: value for name, value in given_choices(options).items()}
    if options.policy is None:
        return None
    name, settings = _parsed(options.policy)
    policy, chosen = policies()[name], settings | given
    fine = next((option for option, field in FINE.items() if field in given), None)
    if fine is not None and chosen.get("unfreeze", policy.unfreeze) is None:
        raise ArgumentError(f"--{fine.replace('_', '-')} is for fine-tuning, and this policy has none: add unfreeze=1")
    return replace(policy, **chosen)


def policies() -> dict[str, Any]:
    """The policies that have names."""
    from minicnn.transfer import Policy

    return dict(zip(NAMES, (Policy(), Policy(unfreeze=None)), strict=True))


def _parsed(text: str) -> tuple[str, dict[str, Any]]:
    """(name, settings) of NAME,SETTING=VALUE,... ; without a name it is the default one."""
    name, settings = NAMES[0], {}
    for number, word in enumerate(text.split(",")):
        setting, equals, value = (part.strip() for part in word.partition("="))
        if not equals and number == 0 and setting in NAMES:
            name = setting
        elif not equals:
            raise ArgumentError(f"--policy {text}: {setting!r} is {_unlike(setting)}")
        elif setting == "seed":
            raise ArgumentError(f"--policy {text}: --seed N sets the seed")
        elif setting not in SETTINGS:
            raise ArgumentError(f"--policy {text}: there is no setting {setting!r}{_meant(setting, SETTINGS)}")
        elif setting in WORDS and value.lower() not in WORDS[setting]:
            known = ", ".join(WORDS[setting])
            raise ArgumentError(f"--policy {text}: {setting} must be one of {known}; it is {value!r}")
        else:
            settings[setting] = _value(value.lower() if setting in WORDS else value)
    return name, settings


def _unlike(word: str) -> str:
    if word in SETTINGS:
        return f"a setting without a value: write {word}=VALUE"
    return f"no policy{_meant(word, NAMES)}; settings are written as epochs=20, with commas between"


def _meant(word: str, known: tuple[str, ...]) -> str:
    like = nearest(word, known)
    return f", did you mean {like}?" if like else f": there are {', '.join(known)}"


def _value(text: str) -> Any:
    """None, a number, or a word."""
    if text.lower() == "none":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
