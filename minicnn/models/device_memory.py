"""A batch that does not fit the memory of a device: how many samples would."""

from __future__ import annotations

from collections.abc import Callable

from minicnn import kernels
from minicnn.errors import OutOfMemoryError

from .memory import in_words

TRIED = (1, 3)  # samples by which it is measured what a step takes for each
SPARE = 0.9  # of the memory that is left: pools leave gaps


def too_large(device: kernels.Device, what: str, samples: int, step: Callable[[int], object]) -> OutOfMemoryError:
    """The refusal of a batch of so many samples, which names a number of them that fits.

    Parameters
    ----------
    what : is done with it, as "training on"
    step : runs a step on so many samples, and leaves nothing behind
    """
    free = device.free_memory()
    try:
        few, more = (device.memory_of(lambda count=count: step(count)) for count in TRIED)
    except MemoryError:
        fitting = 0
    else:
        each = max(1, (more - few) // (TRIED[1] - TRIED[0]))
        fitting = int((SPARE * free - few) // each) + TRIED[0]
    remedy = f"batch_size={fitting} fits" if fitting > 0 else "not even one fits: make the images or the model smaller"
    if fitting >= samples:  # other arrays were there, or the optimizer takes it, which is not measured
        remedy = "they alone would fit: try again, or make the model smaller"
    return OutOfMemoryError(
        f"{what} a batch of {samples} samples takes more than the {in_words(free)} of memory that are left on "
        f"{device.name}: {remedy}"
    )
