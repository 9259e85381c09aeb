"""How pooling is launched on a GPU by rows: a block makes a row of an image, a thread some channels of a pixel."""

from typing import Any

from ._cuda_file import THREADS, CudaFile
from ._cuda_lanes import aligned, lanes
from ._pooling import Pool, cuda_sizes

WARP = 32


def each_row(file: CudaFile, kernel: str, inputs: tuple[Any, ...], made: Any, x_shape: tuple[int, ...], pool: Pool):
    """Run a kernel that makes the rows of `made` (N,H,W,C) from the inputs; x has `x_shape`."""
    images, height, width, channels = made.shape
    wide = lanes(channels, made)
    vectors = width * channels // wide
    threads = max(WARP, min(THREADS, -(-vectors // WARP) * WARP))
    arguments = (*map(aligned, inputs), made, *cuda_sizes(x_shape, pool))
    grid = images * height, -(-vectors // threads)
    file.launch(made, kernel, grid, threads, *arguments, variant=(f"LANES={wide}",))
