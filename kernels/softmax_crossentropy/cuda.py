"""softmax_crossentropy on a GPU: what cuda.cu is launched with."""

from typing import Any

from .._gpu.file import CudaFile, contiguous
from .._gpu.rows import rows_of

FILE = CudaFile("softmax_crossentropy/cuda.cu")


def softmax_crossentropy_forward_v1_direct(logits: Any, targets: Any, loss: Any, probabilities: Any) -> tuple[Any, Any]:
    """(loss, probabilities)"""
    inputs = map(contiguous, (logits, targets))
    FILE.each(loss, "softmax_crossentropy_forward_v1_direct", len(loss), *inputs, loss, probabilities, *rows_of(logits))
    return loss, probabilities


def softmax_crossentropy_backward_v1_direct(probabilities: Any, targets: Any, dloss: Any, dlogits: Any) -> Any:
    """dlogits = (p sum of t - t) dloss"""
    inputs = map(contiguous, (probabilities, targets, dloss))
    FILE.each(dlogits, "softmax_crossentropy_backward_v1_direct", len(dloss), *inputs, dlogits, *rows_of(dlogits))
    return dlogits
