"""Random streams: every initializer, dropout and shuffle draws from one of its own, all decided by one seed."""

import numpy as np

_root = np.random.SeedSequence()


def set_random_seed(seed: int) -> None:
    """Make every later initializer, dropout and shuffle of this process draw the same numbers again.

    >>> set_random_seed(0)
    >>> first = new_seed()
    >>> set_random_seed(0)
    >>> first == new_seed()
    True
    """
    global _root
    _root = np.random.SeedSequence(seed)


def new_seed() -> int:
    """A seed that no other stream of this process has."""
    return int(_root.spawn(1)[0].generate_state(1, np.uint64)[0])


def state() -> list[int | list[int]]:
    """[entropy, streams made so far]: all that the later seeds of this process depend on."""
    entropy = _root.entropy
    assert entropy is not None
    several = not isinstance(entropy, int | np.integer)
    return [[int(part) for part in entropy] if several else int(entropy), _root.n_children_spawned]


def load_state(state: list[int | list[int]]) -> None:
    """Go on where another process was.

    >>> set_random_seed(0)
    >>> before = state()
    >>> first = new_seed()
    >>> load_state(before)
    >>> first == new_seed()
    True
    """
    global _root
    entropy, made = state
    _root = np.random.SeedSequence(entropy, n_children_spawned=made)  # pyright: ignore[reportArgumentType]
