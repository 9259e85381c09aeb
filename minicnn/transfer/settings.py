"""How a transfer is done: every choice with its default, checked before anything is read."""

from dataclasses import dataclass, replace

from minicnn.arguments import number, one_of
from minicnn.errors import ArgumentError
from minicnn.preparation.modes import MODES
from minicnn.preparation.resize import METHODS
from minicnn.transfer.features import STORAGES
from minicnn.transfer.policy import Policy


@dataclass(frozen=True)
class Settings:
    """
    The choices of a transfer.

    Parameters
    ----------
    size : int, optional
        Side of the pictures in pixels; the base's own when None.
    resize : str, optional
        "crop", "stretch" or "pad"; that of the base when None, which is "crop" unless its file says otherwise.
    preprocessing : str, optional
        "caffe", "tf", "torch", "unit" or "none"; that of the base when None.
    epochs, batch_size : int
        For the head.
    dropout : float
        Before the head, in [0, 1).
    unfreeze : str or int, optional
        Fine-tune from this layer on, after the head: a name or the beginning of one; or so many groups of layers.
    fine_epochs, learning_rate : int, float
        For fine-tuning.
    views, storage
        As in Policy: with views, pictures are mirrored at random.
    folds : int
        Judge by cross-validation over all pictures too; 0: no.
    validation : float
        Share that is kept aside when the folder has no val/ of its own.
    seed : int
    device : str
        Where the base computes and is fine-tuned: "cpu", or "cuda", an NVIDIA GPU.

    Raises
    ------
    ArgumentError
        A choice that is out of range.

    Examples
    --------
    >>> Settings(epochs=10).batch_size
    32
    """

    size: int | None = None
    resize: str | None = None
    preprocessing: str | None = None
    epochs: int = 40
    batch_size: int = 32
    dropout: float = 0.0
    unfreeze: str | int | None = None
    fine_epochs: int = 10
    learning_rate: float = 1e-4
    views: int = 0
    storage: str = "float32"
    folds: int = 0
    validation: float = 0.2
    seed: int = 0
    device: str = "cpu"

    @property
    def policy(self) -> Policy:
        """How head and layers are trained: plainly, at one rate."""
        head = Policy(
            unfreeze=None,
            head_epochs=self.epochs,
            batch_size=self.batch_size,
            augment="mirror" if self.views else None,
            views=self.views,
            storage=self.storage,
            dropout=self.dropout,
            seed=self.seed,
        )
        if self.unfreeze is None:
            return head
        return replace(
            head,
            unfreeze=self.unfreeze,
            epochs=self.fine_epochs,
            learning_rate=self.learning_rate,
            layer_decay=1.0,
            warmup=min(2.0 / self.fine_epochs, 0.25),
        )

    def __post_init__(self):
        for name, value, low in (
            ("epochs", self.epochs, 1),
            ("batch_size", self.batch_size, 1),
            ("fine_epochs", self.fine_epochs, 1),
            ("folds", self.folds, 0),
            ("seed", self.seed, 0),
            ("views", self.views, 0),
            ("size", 32 if self.size is None else self.size, 1),
        ):
            if not isinstance(value, int) or isinstance(value, bool) or value < low:
                raise ArgumentError(f"{name} must be a whole number of at least {low}; it is {value!r}")
        if self.folds == 1:
            raise ArgumentError("folds must be 0 (no cross-validation) or at least 2; it is 1")
        if self.resize is not None:
            one_of("transfer", "resize", self.resize, METHODS)
        if self.preprocessing is not None:
            one_of("transfer", "preprocessing", self.preprocessing, MODES)
        one_of("transfer", "storage", self.storage, STORAGES)
        number("transfer", "dropout", self.dropout, "[0, 1)")
        number("transfer", "learning_rate", self.learning_rate, "(0, inf)")
        number("transfer", "validation", self.validation, "(0, 1)")
