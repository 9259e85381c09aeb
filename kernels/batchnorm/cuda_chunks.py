"""batchnorm on a GPU, v2_chunks to v4_vector: what cuda_chunks.cu is launched with.

An array is cut for the sums once, and once more for what only reads and writes, which wants more blocks.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._device import device
from .._epilogue import Epilogue
from .._gpu.chunks import Cut, arguments, cut, partial_results, total_launch
from .._gpu.file import CudaFile, contiguous, ints
from .._gpu.lanes import VARIANTS, aligned, lanes
from .._where import device_of
from ..channel_sum.cuda_chunks import LEAST, chunk_sums
from .cuda import clip_of

FILE = CudaFile("batchnorm/cuda_chunks.cu", variants=VARIANTS)


def _by_chunks(kernel: str, x: Any, parts: Cut, *taken: Any) -> None:
    """Run a kernel on the chunks of x; `taken` are its arguments up to the sizes."""
    FILE.launch(x, kernel, *parts.launch, *taken, *arguments(x, parts), variant=parts.variant)


def _by_columns(kernel: str, partial: Any, parts: Cut, *taken: Any) -> None:
    """Run a kernel that combines partial results; `taken` are its arguments up to the sizes."""
    FILE.launch(partial, kernel, *total_launch(partial), *taken, *ints(*partial.shape[1:]), variant=parts.variant)


def _count(x: Any) -> np.float64:
    """How many numbers a channel has, for a mean."""
    return np.float64(max(1, x.size // x.shape[-1]))


def _two_passes(x: Any, wide: int, epsilon: float, mean: Any, variance: Any, inverse_std: Any) -> None:
    """The statistics: first the mean, then the deviations from it."""
    parts, sums = chunk_sums(x, wide)
    _by_columns("batchnorm_mean", sums, parts, sums, _count(x), mean)
    _by_chunks("batchnorm_squares_chunks", x, parts, x, mean, sums)
    _by_columns("batchnorm_variance", sums, parts, sums, _count(x), np.float64(epsilon), variance, inverse_std)


def _one_pass(x: Any, wide: int, epsilon: float, mean: Any, variance: Any, inverse_std: Any) -> None:
    """The statistics: mean and deviations together."""
    parts = cut(x, wide, LEAST)
    moments = partial_results(x, parts, 3)
    _by_chunks("batchnorm_moments_chunks", x, parts, x, *moments)
    made = mean, variance, inverse_std
    _by_columns("batchnorm_statistics", moments, parts, *moments, _count(x), np.float64(epsilon), *made)


def _apply(x: Any, vectors: tuple[Any, ...], epilogue: Epilogue, wide: int, y: Any) -> None:
    """y = clip(x scale + shift)"""
    _by_chunks("batchnorm_apply", x, cut(x, lanes(wide, y)), x, *vectors, *epilogue.limits, y)


def _train(
    statistics: Callable[..., None], wide: int, x: Any, gamma: Any, beta: Any, epsilon: float, epilogue: Epilogue,
    y: Any, mean: Any, variance: Any, inverse_std: Any,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    """(y, mean, variance, inverse_std)"""
    x = aligned(x)
    statistics(x, wide, epsilon, mean, variance, inverse_std)
    _apply(x, (contiguous(gamma), contiguous(beta), mean, inverse_std), epilogue, wide, y)
    return y, mean, variance, inverse_std


def batchnorm_forward_train_v2_chunks(*arguments: Any) -> tuple[Any, Any, Any, Any]:
    """(y, mean, variance, inverse_std)"""
    return _train(_two_passes, 1, *arguments)


def batchnorm_forward_train_v3_fused(*arguments: Any) -> tuple[Any, Any, Any, Any]:
    """(y, mean, variance, inverse_std)"""
    return _train(_one_pass, 1, *arguments)


def batchnorm_forward_train_v4_vector(x: Any, *others: Any) -> tuple[Any, Any, Any, Any]:
    """(y, mean, variance, inverse_std)"""
    return _train(_one_pass, lanes(x.shape[-1]), x, *others)


def _backward_train(
    wide: int, x: Any, dy: Any, gamma: Any, beta: Any, mean: Any, inverse_std: Any, epilogue: Epilogue,
    dx: Any, dgamma: Any, dbeta: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """(dx, dgamma, dbeta), through the statistics"""
    x, dy, gamma, beta, mean, inverse_std = map(aligned, (x, dy, gamma, beta, mean, inverse_std))
    taken = (x, dy, gamma, beta, mean, inverse_std, *clip_of(epilogue))
    parts = cut(x, wide, LEAST)
    sums = partial_results(x, parts, 2)
    _by_chunks("batchnorm_gradient_chunks", x, parts, *taken, None, *sums)
    slopes = device(device_of(x)).xp.empty((2, x.shape[-1]), np.float32)
    made = _count(x), dgamma, dbeta, *slopes
    _by_columns("batchnorm_gradient_totals", sums, parts, *sums, gamma, inverse_std, *made)
    _by_chunks("batchnorm_dx", x, cut(x, lanes(wide, dx)), *taken, *slopes, dx)
    return dx, dgamma, dbeta


def batchnorm_backward_train_v2_chunks(*arguments: Any) -> tuple[Any, Any, Any]:
    """(dx, dgamma, dbeta), through the statistics"""
    return _backward_train(1, *arguments)


def batchnorm_backward_train_v4_vector(x: Any, *others: Any) -> tuple[Any, Any, Any]:
    """(dx, dgamma, dbeta), through the statistics"""
    return _backward_train(lanes(x.shape[-1]), x, *others)


def _forward_infer(wide: int, x: Any, scale: Any, shift: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(x scale + shift)"""
    _apply(aligned(x), (contiguous(scale), contiguous(shift), None, None), epilogue, wide, y)
    return epilogue.rest(y)


def batchnorm_forward_infer_v2_chunks(*arguments: Any) -> Any:
    """y = activation(x scale + shift)"""
    return _forward_infer(1, *arguments)


def batchnorm_forward_infer_v4_vector(x: Any, *others: Any) -> Any:
    """y = activation(x scale + shift)"""
    return _forward_infer(lanes(x.shape[-1]), x, *others)


def _backward_infer(
    wide: int, x: Any, dy: Any, scale: Any, shift: Any, mean: Any, inverse_std: Any, epilogue: Epilogue,
    dx: Any, dgamma: Any, dbeta: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """(dx, dgamma, dbeta), the statistics being constants: y = x scale + shift"""
    x, dy, scale, shift, mean, inverse_std = map(aligned, (x, dy, scale, shift, mean, inverse_std))
    parts = cut(x, lanes(wide, dx), LEAST)
    sums = partial_results(x, parts, 2)
    taken = (x, dy, scale, shift, mean, None, *clip_of(epilogue))
    _by_chunks("batchnorm_gradient_chunks", x, parts, *taken, dx, *sums)
    made = _count(x), dgamma, dbeta, None, None
    _by_columns("batchnorm_gradient_totals", sums, parts, *sums, scale, inverse_std, *made)
    return dx, dgamma, dbeta


def batchnorm_backward_infer_v2_chunks(*arguments: Any) -> tuple[Any, Any, Any]:
    """(dx, dgamma, dbeta), the statistics being constants: y = x scale + shift"""
    return _backward_infer(1, *arguments)


def batchnorm_backward_infer_v4_vector(x: Any, *others: Any) -> tuple[Any, Any, Any]:
    """(dx, dgamma, dbeta), the statistics being constants: y = x scale + shift"""
    return _backward_infer(lanes(x.shape[-1]), x, *others)
