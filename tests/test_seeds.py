"""Random streams of one seed, and going on with them."""

import numpy as np
import pytest

from minicnn import seeds

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize("seed", [0, 2**100, np.int64(7), [1, 2, 3]])
def test_a_state_goes_on_with_the_same_seeds(seed):
    seeds.set_random_seed(seed)
    seeds.new_seed()
    state = seeds.state()
    expected = [seeds.new_seed() for _ in range(3)]
    seeds.set_random_seed(99)
    seeds.load_state(state)
    assert [seeds.new_seed() for _ in range(3)] == expected
