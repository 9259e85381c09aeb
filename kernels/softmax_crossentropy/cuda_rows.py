"""softmax_crossentropy on a GPU, v2_warps to v4_online: what cuda_rows.cu is launched with."""

from typing import Any

from .._gpu.file import CudaFile, contiguous
from .._gpu.rows import Launch, a_block_each, a_warp_each, by_length, rows_of

FILE = CudaFile("softmax_crossentropy/cuda_rows.cu")
LAUNCHES = {"v2_warps": a_warp_each, "v3_blocks": a_block_each}


def _forward(kernel: str, launch: Launch, logits: Any, targets: Any, *outputs: Any) -> tuple[Any, ...]:
    FILE.launch(logits, kernel, *launch, contiguous(logits), contiguous(targets), *outputs, *rows_of(logits))
    return outputs


def _backward(launch: Launch, probabilities: Any, targets: Any, dloss: Any, dlogits: Any) -> Any:
    inputs = map(contiguous, (probabilities, targets, dloss))
    FILE.launch(dlogits, "softmax_crossentropy_backward_rows", *launch, *inputs, dlogits, *rows_of(dlogits))
    return dlogits


def softmax_crossentropy_forward_v2_warps(logits: Any, targets: Any, loss: Any, probabilities: Any) -> tuple[Any, ...]:
    """(loss, probabilities)"""
    launch = a_warp_each(logits)
    return _forward("softmax_crossentropy_forward_rows", launch, logits, targets, loss, probabilities)


def softmax_crossentropy_backward_v2_warps(probabilities: Any, targets: Any, dloss: Any, dlogits: Any) -> Any:
    """dlogits = (p sum of t - t) dloss"""
    return _backward(a_warp_each(dlogits), probabilities, targets, dloss, dlogits)


def softmax_crossentropy_forward_v3_blocks(logits: Any, targets: Any, loss: Any, probabilities: Any) -> tuple[Any, ...]:
    """(loss, probabilities)"""
    launch = a_block_each(logits)
    return _forward("softmax_crossentropy_forward_rows", launch, logits, targets, loss, probabilities)


def softmax_crossentropy_backward_v3_blocks(probabilities: Any, targets: Any, dloss: Any, dlogits: Any) -> Any:
    """dlogits = (p sum of t - t) dloss"""
    return _backward(a_block_each(dlogits), probabilities, targets, dloss, dlogits)


def softmax_crossentropy_forward_v4_online(logits: Any, targets: Any, loss: Any, probabilities: Any) -> tuple[Any, ...]:
    """(loss, probabilities)"""
    launch = LAUNCHES[by_length(logits)](logits)
    return _forward("softmax_crossentropy_forward_v4_online", launch, logits, targets, loss, probabilities)
