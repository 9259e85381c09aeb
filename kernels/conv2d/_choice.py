"""Which rung runs by default: a count of what each would do, from the shapes and the register tile alone.

Costs are multiply-adds for each pair of channel and filter.  A direct rung multiplies 9 taps for each pixel.
Winograd's multiply (m+2)^2 points for each tile, and read as many numbers of the kernel, which takes as long as a
multiply-add; a kernel that was not prepared has to be evaluated at the points first.

Kernels are prepared for prediction.  There the choice is the same for every number of images, so that what is computed
for an image does not depend, in the last bit, on those beside it.
"""

from .._shapes import Window, ceil_div

HIGHEST = 7  # rows that two rungs' register tiles share: half of the tallest
WINOGRAD_NEEDS = "Winograd's convolution is for 3x3 kernels with stride 1, dilation 1 and one group"
WINOGRAD = {"v5_winograd_2": 2, "v6_winograd_4": 4}
LEAST_CHANNELS = 16  # with fewer, the transforms take longer than the products that they save
MOST_CHANNELS = 1024  # with more, rounding errors of the points 2 and -2 add up to more than 1e-6 or so
TRANSFORMS = 1.25  # times the products: the way to the points and back
EVALUATION = {2: 7, 4: 24}  # multiply-adds in the time of evaluating a kernel at one point, by m: 36 points fill caches
BATCH = 2  # images that the choice for prediction counts with
GRADIENT_TRANSFORMS = 1.4  # times the products of the weight gradient: image and dy to the points
TAPS_FROM_POINTS = 10  # multiply-adds in the time of taking one point of a kernel's gradient back to taps
TILED_OUTPUTS = 12  # output columns from which register tiles along a row are mostly full


def winograd_fits(taps: tuple[int, ...], window: Window) -> bool:
    """Whether Winograd's rungs can do it: 3x3, stride 1, no dilation, one group."""
    return taps == (3, 3) and window.strides == window.dilation == (1, 1) and window.groups == 1


def choose(shape: tuple[int, ...], taps: tuple[int, int, int], window: Window, prepared: bool) -> str:
    """The rung for outputs of a shape (N,OH,OW,F) and kernels of a shape (KH,KW,C)."""
    images, height, width = BATCH if prepared else max(1, shape[0]), *shape[1:3]
    direct = "v3_tiled" if taps[0] * taps[1] > 1 and width >= TILED_OUTPUTS else "v4_blocked"
    if not winograd_fits(taps[:2], window) or taps[2] < LEAST_CHANNELS:
        return direct
    costs = {direct: 9.0 * _rows(images * height * width)}
    for rung, m in WINOGRAD.items():
        if m == 2 or taps[2] <= MOST_CHANNELS:
            tiles = _rows(images * ceil_div(height, m) * ceil_div(width, m))
            evaluation = 0 if prepared else EVALUATION[m]
            costs[rung] = (m + 2) ** 2 * (TRANSFORMS * tiles + 1 + evaluation)
    return min(costs, key=costs.__getitem__)


def choose_weights(shape: tuple[int, ...], taps: tuple[int, int, int], window: Window) -> str:
    """The rung for the gradient of kernels of a shape (KH,KW,C), from gradients dy of a shape (N,OH,OW,F)."""
    images, height, width, filters = shape
    if not winograd_fits(taps[:2], window) or min(taps[2], filters) < LEAST_CHANNELS:
        return "v4_blocked"
    tiles = images * ceil_div(height, 4) * ceil_div(width, 4)
    winograd = 36 * (GRADIENT_TRANSFORMS * tiles + TAPS_FROM_POINTS)
    return "v6_winograd_4" if winograd < 9 * images * height * width else "v4_blocked"


def _rows(count: int) -> int:
    """Rows that register tiles compute for so many."""
    return ceil_div(count, HIGHEST) * HIGHEST
