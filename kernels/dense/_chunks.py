"""Where the sums of a dense layer's outputs are cut: every rung that a batch may meet adds the same chunks in order.

So a sample's outputs do not depend, in the last bit, on how many samples are computed with it.
"""

from .._shapes import ceil_div

CHUNKS = 16  # at the most
LEAST = 64  # products in a chunk, at the least


def chunk_of(depth: int) -> int:
    """Products that are summed before they are added to the chunks before them: a function of the weights' shape."""
    return max(LEAST, ceil_div(depth, CHUNKS))
