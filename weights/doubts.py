"""What is doubtful about an array that fits: numbers that are not finite, variances below zero."""

import numpy as np

PIECE = 1 << 20  # elements looked at in one go: they stay in the cache


def doubts(name: str, role: str, array: np.ndarray) -> list[str]:
    """Sentences about `array`, none when it is as weights should be.

    Examples
    --------
    >>> doubts("bn/moving_variance", "moving_variance", np.float32([0.5, -1.0]))
    ['bn/moving_variance has 1 negative variance of 2: its layer gives NaN']
    """
    said = []
    flat = array.reshape(-1)
    bad = sum(_not_finite(flat[i : i + PIECE]) for i in range(0, flat.size, PIECE))
    if bad:
        said.append(f"{name} has {bad} values of {flat.size} that are NaN or infinite")
    if role in ("moving_variance", "variance") and (negative := int((flat < 0).sum())):
        said.append(f"{name} has {negative} negative variance of {flat.size}: its layer gives NaN")
    return said


def _not_finite(piece: np.ndarray) -> int:
    with np.errstate(all="ignore"):
        if np.isfinite(piece.sum()):  # one pass; a sum that overflows is looked at again
            return 0
    return int(np.count_nonzero(~np.isfinite(piece)))
