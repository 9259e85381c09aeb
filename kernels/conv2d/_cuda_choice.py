"""Which rung runs on a GPU by default: a count of what each would do, from the shapes alone.

Costs are multiply-adds.  A GPU reads or writes one float in the time of so many of them: an H200 is said to do 67
TFLOP/s and to move 4.8 TB/s, which are 28 multiply-adds for each float.  So Winograd, which does fewer products but
writes and reads the values at its points, wins where channels and filters are many: each value then takes part in many
products.  That is arithmetic on a data sheet; nothing here was timed.

Tensor cores round their operands, so their rungs run only where they are asked for.
"""

from .._shapes import Window, ceil_div
from ._choice import MOST_CHANNELS, WINOGRAD, winograd_fits

IMAGES = 8  # that the choice for prediction counts with
TENSOR = {"v7_tensor_tf32": "TF32", "v8_tensor_bf16": "bfloat16", "v9_tensor_half": "half"}
MOVE = 28  # multiply-adds in the time of moving one float
NARROW = 8  # filters of a group from which the tiles of v4_blocked, 32 wide at the least, are worth their empty columns


def choose_on_cuda(shape: tuple[int, ...], taps: tuple[int, int, int], window: Window, prepared: bool) -> str:
    """The rung for outputs of a shape (N,OH,OW,F) and kernels of a shape (KH,KW,C).

    A `prepared` kernel lies at Winograd's points already; for prediction, the choice is the same for every number of
    images.
    """
    images, (height, width, filters) = IMAGES if prepared else max(1, shape[0]), shape[1:]
    if window.groups > 1 and filters // window.groups < NARROW:
        return "v1_direct"
    if not winograd_fits(taps[:2], window):
        return "v4_blocked"
    channels, weights = taps[2], taps[2] * filters
    costs = {"v4_blocked": 9 * weights * (images * height * width + MOVE)}
    for rung, m in WINOGRAD.items():
        if m == 2 or channels <= MOST_CHANNELS:
            points, tiles = (m + 2) ** 2, images * ceil_div(height, m) * ceil_div(width, m)
            values = tiles * (channels + filters) + weights
            moved = 2 * values - (weights if prepared else 0)
            costs[rung] = points * (weights * tiles + MOVE * moved)
    return min(costs, key=costs.__getitem__)


def choose_weights_on_cuda(shape: tuple[int, ...], taps: tuple[int, int, int], window: Window) -> str:
    """The rung for the gradient of kernels of a shape (KH,KW,C), from gradients dy of a shape (N,OH,OW,F)."""
    images, height, width, filters = shape
    if window.groups > 1 and filters // window.groups < NARROW:
        return "v1_direct"
    if not winograd_fits(taps[:2], window):
        return "v4_blocked"
    weights, tiles = taps[2] * filters, images * ceil_div(height, 4) * ceil_div(width, 4)
    winograd = 36 * (weights * tiles + MOVE * 2 * (tiles * (taps[2] + filters) + weights))
    return "v6_winograd_4" if winograd < 9 * weights * (images * height * width + MOVE) else "v4_blocked"
