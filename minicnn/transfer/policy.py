"""How a trained network is fitted to new pictures: every choice with its default, checked before anything is read."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from minicnn.arguments import number, one_of, whole_number
from minicnn.data.augment import Mixing, Pipeline, Step
from minicnn.errors import ArgumentError
from minicnn.transfer.class_weights import checked_choice
from minicnn.transfer.features import STORAGES
from minicnn.transfer.freeze import BATCHNORM_MODES

OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("cosine", "one-cycle", "constant")
FINE_TUNING = (  # fields that the head alone, which is fitted on features and has one minimum, does without
    "epochs", "learning_rate", "layer_decay", "gradual", "schedule", "warmup", "optimizer", "batchnorm", "weight_decay",
    "l2_sp", "rank", "clip_norm", "ema", "patience", "held_out",
)  # fmt: skip
CHOICES = {"schedule": SCHEDULES, "optimizer": OPTIMIZERS, "batchnorm": BATCHNORM_MODES, "storage": STORAGES}


@dataclass(frozen=True)
class Policy:
    """
    The choices of fine-tuning; docs/decisions/0013-fine-tuning-policy.md says how the defaults were found.

    First the head is trained on the features of the frozen base, then the layers that `unfreeze` names with it.
    `head_epochs`, `batch_size`, `views` and what they are changed by, `storage`, `dropout`, `label_smoothing`,
    `class_weight` and `seed` alone decide how the head is trained at first; its rate is fixed, and its weight decay
    chosen by cross-validation.

    Parameters
    ----------
    unfreeze : int, str or None
        So many layer groups from the top (`layer_groups`), or from the layer of this name on, or none: the head only,
        for which choices of fine-tuning are refused.  An epoch takes longer with each group; of a large network, as
        VGG16 is, begin with 1.
    head_epochs : int
        For the head alone, on features that are computed once; cheap.
    epochs : int
        For head and layers together.
    batch_size : int
    learning_rate : float
        The highest rate, of the head; the groups below have less.
    layer_decay : float
        Each group's rate is this share of that of the group above it: low layers know what all pictures have.
    gradual : int
        Epochs between the unfreezing of one group and of the next below, of which the lowest needs one too; 0 unfreezes
        all at once.
    schedule : str
        "cosine": up over `warmup`, then down to nothing as a cosine; "one-cycle": up to 25 times the first rate, and
        down; "constant": up over `warmup`, then level.
    warmup : float
        Share of the steps in which the rate climbs: Adam's first steps are all of full length.
    optimizer : str
        "adam", or "sgd" with momentum 0.9.
    batchnorm : str
        "keep-frozen": statistics of small batches would undo what the layers have learned; "train" asks for it.
    weight_decay : float
        Share of the rate by which kernels shrink in a step; biases and weights of norms never do.
    l2_sp : float
        α of a penalty α/2 ‖w - w₀‖² that draws the unfrozen layers to the weights that they came with, in place of
        weight decay, which draws them to zero (Li et al., 2018).
    rank : int
        Train kernels by low-rank changes A·B of this rank (LoRA); 0 trains them whole.
    augment : None, "mirror" or function
        What is done to the training pictures in every epoch: half of them are mirrored; or f(picture, index, epoch)
        gives a picture of the same size for uint8 (H,W,3), as a pipeline of `minicnn.data.augment` does.
    views : int
        So many changed views of each picture are made once, and their features kept; every epoch, of the head too,
        draws one of them for each training picture. 0 changes pictures anew in every epoch of fine-tuning, for which
        the frozen layers run again, and trains the head on the pictures as they are.
    storage : str
        How features are kept: "float32", or "float16" in half the room; results say how far that is off.
    dropout : float
        Before the head, in [0, 1).
    label_smoothing : float
        Share of each target that is spread over all classes.
    class_weight : None, "balanced", "sqrt" or dict
        How samples of rare classes count: alike, by 1/n of their class, by 1/√n, or as {class number: weight} says.
    clip_norm : float or None
        The longest that all gradients together may be.
    ema : float or None
        Momentum of averaged weights, which are then the result.
    patience : int or None
        Stop after so many epochs without a better loss on pictures that are kept from training for it, and go back to
        the best epoch; None trains all epochs with all training pictures.
    held_out : float
        Share of the training pictures that `patience` watches.
    seed : int

    Raises
    ------
    ArgumentError
        A choice that is out of range, or that would do nothing.

    Examples
    --------
    >>> Policy(unfreeze=1, epochs=5).layer_decay
    0.8
    >>> Policy(unfreeze=1, epochs=5).without_fine_tuning()
    Policy(unfreeze=None)
    """

    unfreeze: int | str | None = 4
    head_epochs: int = 40
    epochs: int = 12
    batch_size: int = 32
    learning_rate: float = 5e-4
    layer_decay: float = 0.8
    gradual: int = 0
    schedule: str = "cosine"
    warmup: float = 0.2
    optimizer: str = "adam"
    batchnorm: str = "keep-frozen"
    weight_decay: float = 0.0
    l2_sp: float = 0.0
    rank: int = 0
    augment: Any = "mirror"
    views: int = 0
    storage: str = "float32"
    dropout: float = 0.0
    label_smoothing: float = 0.0
    class_weight: str | Mapping[int, float] | None = None
    clip_norm: float | None = None
    ema: float | None = None
    patience: int | None = None
    held_out: float = 0.15
    seed: int = 0

    def __post_init__(self):
        least = {"head_epochs": 1, "epochs": 1, "batch_size": 1, "gradual": 0, "rank": 0, "views": 0, "seed": 0}
        least |= {"patience": 1} if self.patience is not None else {}
        least |= {"unfreeze": 1} if not isinstance(self.unfreeze, str | None) else {}
        intervals = {
            "learning_rate": "(0, inf)", "layer_decay": "(0, 1]", "warmup": "[0, 1)", "weight_decay": "[0, inf)",
            "l2_sp": "[0, inf)", "dropout": "[0, 1)", "label_smoothing": "[0, 1)", "held_out": "(0, 1)",
        }  # fmt: skip
        intervals |= {"clip_norm": "(0, inf)"} if self.clip_norm is not None else {}
        intervals |= {"ema": "[0, 1)"} if self.ema is not None else {}
        plain: dict[str, Any] = {
            name: whole_number("policy", name, getattr(self, name), low) for name, low in least.items()
        }
        plain |= {name: number("policy", name, getattr(self, name), within) for name, within in intervals.items()}
        plain["class_weight"] = checked_choice(self.class_weight)
        for name, value in plain.items():
            object.__setattr__(self, name, value)  # NumPy's numbers as Python's, which records of a run compare
        for name, known in CHOICES.items():
            one_of("policy", name, getattr(self, name), known)
        _check_augment(self.augment)
        if self.views and self.augment is None:
            raise ArgumentError(f"policy: views={self.views} of what? Say with augment how pictures are changed")
        self._check_layers()

    def _check_layers(self) -> None:
        """Refuse choices about layers that say nothing, or contradict each other."""
        if self.rank and self.l2_sp:
            raise ArgumentError("policy: rank and l2_sp both hold layers to the weights they came with: choose one")
        if self.rank and self.batchnorm == "train":
            raise ArgumentError("policy: rank changes kernels alone, so batchnorm='train' would change nothing")
        if self.head_only:
            self.check_head("unfreeze=None trains the head alone", "say which layers to unfreeze")
            if callable(self.augment) and not self.views:
                raise ArgumentError(
                    "policy: the head alone sees changed pictures as views only: add views=4 to augment"
                )

    def check_head(self, why: str, remedy: str) -> None:
        """Refuse choices of fine-tuning, and say why there is none and what else to do about it.

        Raises
        ------
        ArgumentError
            A choice that would do nothing.
        """
        idle = [f"{name}={value!r}" for name, value in self._chosen().items() if name in FINE_TUNING]
        if idle:
            one = len(idle) == 1
            raise ArgumentError(
                f"policy: {', '.join(idle)} {'is' if one else 'are'} for fine-tuning, but {why}, by head_epochs and a "
                f"weight decay that is chosen for it: leave {'it' if one else 'them'} out, or {remedy}"
            )

    def _chosen(self) -> dict[str, Any]:
        """What is not as it is by default."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}

    def __repr__(self) -> str:
        said = (f"{name}={getattr(value, '__qualname__', repr(value))}" for name, value in self._chosen().items())
        return f"Policy({', '.join(said)})"

    @property
    def head_only(self) -> bool:
        """Whether the base stays as it is."""
        return self.unfreeze is None

    def without_fine_tuning(self) -> "Policy":
        """A policy of the head alone, with all of this one that the head is trained by."""
        plain = {f.name: f.default for f in fields(self) if f.name in FINE_TUNING or f.name == "augment"}
        return replace(self, **plain | ({"augment": self.augment} if self.views else {}) | {"unfreeze": None})


def _check_augment(choice: Any) -> None:
    """Refuse what is no function of a picture, its number and the epoch, or does more than it is asked for."""
    if isinstance(choice, Step | Mixing):
        raise ArgumentError(f"policy: augment must be a Pipeline of steps; it is the single step {choice!r}")
    if isinstance(choice, Pipeline) and choice.mixing:
        raise ArgumentError(f"policy: augment changes single pictures, it cannot mix them as {choice.mixing} would")
    if not (choice is None or callable(choice) or (isinstance(choice, str) and choice == "mirror")):
        raise ArgumentError(f"policy: augment must be None, 'mirror' or a function; it is {choice!r}")


def policy_of(choice: Any) -> Policy:
    """A policy as it is, the default for None.

    Raises
    ------
    ArgumentError
        Something else.
    """
    if choice is None:
        return Policy()
    if isinstance(choice, Policy):
        return choice
    raise ArgumentError(f"policy must be a transfer.Policy; it is {choice!r}")
