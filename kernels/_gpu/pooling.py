"""How pooling is launched on a GPU: by rows of an image, or whole images, a thread for some channels of a pixel."""

from typing import Any

from .._pooling import Pool, cuda_sizes
from .file import THREADS, CudaFile, ints
from .lanes import aligned, lanes

WARP = 32
MOST_THREADS = 1024  # of a block
LONG = 128  # pixels that one thread should not have to add alone


def each_row(file: CudaFile, kernel: str, inputs: tuple[Any, ...], made: Any, x_shape: tuple[int, ...], pool: Pool):
    """Run a kernel whose blocks make rows of `made` (N,H,W,C) from the inputs; x has `x_shape`."""
    images, height, width, channels = made.shape
    wide = lanes(channels, made)
    vectors = width * channels // wide
    threads = max(WARP, min(THREADS, -(-vectors // WARP) * WARP))
    arguments = (*map(aligned, inputs), made, *cuda_sizes(x_shape, pool))
    grid = images * height, -(-vectors // threads)
    file.launch(made, kernel, grid, threads, *arguments, variant=(f"LANES={wide}",))


def each_image(file: CudaFile, kernel: str, inputs: tuple[Any, ...], made: Any, x_shape: tuple[int, ...], wide: int):
    """Run a kernel whose blocks take some channels of an image, `wide` a thread; x has `x_shape`.

    The columns of threads are for channels, its rows share out the pixels: a power of two of them.
    """
    images, height, width, channels = x_shape
    vectors = -(-channels // wide)
    columns = min(WARP, 1 << (vectors - 1).bit_length())
    threads = THREADS if height * width <= THREADS // columns * LONG else MOST_THREADS
    arguments = (*map(aligned, inputs), made, *ints(height * width, channels))
    grid, block = (images, -(-vectors // columns)), (columns, threads // columns)
    file.launch(made, kernel, grid, block, *arguments, variant=(f"LANES={wide}",))
