"""embedding's gradient on a GPU, v2_shared: what cuda_shared.cu is launched with."""

from typing import Any

from .._gpu.file import CudaFile, contiguous, ints
from .._shapes import ceil_div
from .cuda import uses

FILE = CudaFile("embedding/cuda_shared.cu")
WARP, ROWS = 32, 8  # threads of a block, along a row and across its uses


def embedding_backward_v2_shared(rows: Any, dy: Any, dw: Any) -> Any:
    """dw (V,E)"""
    blocks = len(dw) * ceil_div(dw.shape[1], WARP)
    taken = (*uses(rows, len(dw)), contiguous(dy), dw, *ints(dw.shape[1]))
    FILE.launch(dw, "embedding_backward_v2_shared", blocks, (WARP, ROWS), *taken)
    return dw
