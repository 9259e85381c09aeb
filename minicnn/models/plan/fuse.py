"""Fusions: rewrite a trace so that prediction makes fewer passes over memory.

    reshape + normalisation or activation    the same, the reshape last
    padding + convolution                    one convolution with explicit padding
    dense on the channels of images          one convolution of 1x1, whose kernel is packed once
    convolution + batch normalisation        one convolution with other weights
    convolution * or + a number a channel    one convolution with other weights
    convolution + add (a shortcut)           one convolution with a residual
    convolution (or dense) + relu            one convolution with an activation
    batch normalisation + relu               one pass over memory, of what has no convolution before it
    padding + maximum                        one pooling, of what is not negative

Each rewrite replaces an instruction and the only user of its result by one; what has other users stays.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Function, Parameter
from minicnn.autograd.arithmetic import Add, Multiply, Reshape
from minicnn.ops.activation import Activation
from minicnn.ops.conv import Conv2D, Conv2DTranspose, DepthwiseConv2D
from minicnn.ops.dense import Dense
from minicnn.ops.norm import BatchNormInfer
from minicnn.ops.pool import MaxPool2D
from minicnn.ops.shape import Concatenate, SampleReshape, ZeroPadding2D

from .channelwise import Channelwise, channel_operand, scaled
from .trace import Instruction, Trace, Value, View, host_array_of, parameters_of

PRODUCTS = (Conv2D, DepthwiseConv2D, Conv2DTranspose, Dense)
WITH_RESIDUAL = (Conv2D, DepthwiseConv2D, Dense)
FINISHABLE = (*PRODUCTS, BatchNormInfer)
NOT_NEGATIVE = ("relu", "relu6")
FINISHED = {"activation", "residual"}  # what may follow the sum of a product, once, and nothing be added after it


class Fold:
    """A batch normalisation that has become part of the weights before it: w' = w scale, b' = b scale + shift."""

    def __init__(self, gamma: Any, beta: Any, mean: Any, variance: Any, epsilon: float):
        self.operands, self.epsilon = (gamma, beta, mean, variance), epsilon

    def parameters(self) -> list[Parameter]:
        return parameters_of(self.operands)

    def apply(
        self, function: type[Function], w: np.ndarray | None, b: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The weights and bias that include the normalisation; scale and shift where it has none before it."""
        gamma, beta, mean, variance = map(host_array_of, self.operands)
        scale, shift = kernels.batchnorm.fold(gamma, beta, mean, variance, self.epsilon)
        if w is None:
            return scale, shift
        return scaled(function, w, scale), shift if b is None else b * scale + shift


def fuse(trace: Trace, convolve_dense: bool = True) -> None:
    """Rewrite the instructions of a trace in place; dense layers on images only if `convolve_dense` says so."""
    _sink_reshapes(trace)
    if convolve_dense:
        for item in trace.instructions:
            _convolve_dense(item)
    folds = (_fold_padding, _fold_batchnorm, _fold_channelwise)
    for rewrite in (*folds, _fuse_residual, _fuse_activation, _fold_pool_padding):
        uses = _uses(trace)
        makers: dict[int, Instruction] = {}
        kept: list[Instruction] = []
        for item in trace.instructions:
            absorbed = rewrite(item, makers, uses)
            if absorbed is None:
                kept.append(item)
                makers[id(item.output)] = item
            else:  # `absorbed` now makes the result of `item`
                makers.pop(id(absorbed.output))
                absorbed.output = item.output
                makers[id(item.output)] = absorbed
                if absorbed is not kept[-1]:
                    kept.remove(absorbed)
                    kept.append(absorbed)
        trace.instructions[:] = kept


def _uses(trace: Trace) -> Counter[int]:
    """How many take each value."""
    uses = Counter(id(value) for item in trace.instructions for value in item.values())
    uses.update(id(value) for value in trace.outputs)
    return uses


def _sink_reshapes(trace: Trace) -> None:
    """Put a reshape that keeps the channels after the normalisation or activation that alone takes its result.

    So these come next to the convolution that an operation along one axis is.
    """
    uses = _uses(trace)
    makers: dict[int, Instruction] = {}
    kept: list[Instruction] = []
    for item in trace.instructions:
        view = _sole_maker(item.inputs[0], makers, uses) if item.function in (BatchNormInfer, Activation) else None
        if view is not None and view.function is SampleReshape:
            source = view.inputs[0]
            if source.shape[-1] == item.output.shape[-1]:
                between = Value(source.shape, source.dtype, source.rows)
                item.inputs[0], view.inputs[0] = source, between
                item.output, view.output = between, item.output
                uses[id(between)] = 1
                kept.remove(view)
                kept += [item, view]
                makers |= {id(between): item, id(view.output): view}
                continue
        kept.append(item)
        makers[id(item.output)] = item
    trace.instructions[:] = kept


def has_fixed_weights(item: Instruction) -> bool:
    """Whether it has weights, and they are Parameters or constants, not computed from others."""
    return item.function in FINISHABLE and not any(isinstance(value, Value) for value in item.inputs[1:3])


def _sole_maker(value: Any, makers: dict[int, Instruction], uses: Counter[int]) -> Instruction | None:
    """The instruction that makes a value which nobody else uses."""
    return makers.get(id(value)) if isinstance(value, Value) and uses[id(value)] == 1 else None


def _convolve_dense(item: Instruction) -> None:
    if item.function is Dense and has_fixed_weights(item) and len(item.inputs[0].shape) == 4:
        w, shape = item.inputs[1], (1, 1, *item.inputs[1].shape)
        item.inputs[1] = w.reshape(shape) if isinstance(w, np.ndarray) else View(w, Reshape, {"shape": shape}, shape)
        item.function = Conv2D
        item.options |= {"strides": 1, "padding": "valid", "dilation": 1, "groups": 1}


def _fold_padding(item: Instruction, makers: dict[int, Instruction], uses: Counter[int]) -> Instruction | None:
    if item.function not in (Conv2D, DepthwiseConv2D) or item.options["padding"] != "valid":
        return None
    before = _sole_maker(item.inputs[0], makers, uses)
    if before is None or before.function is not ZeroPadding2D:
        return None
    return _with_padding(item, before)


def _fold_pool_padding(item: Instruction, makers: dict[int, Instruction], uses: Counter[int]) -> Instruction | None:
    """Zeros are never larger than what a relu has left, so they may be the pool's own padding, which never wins."""
    if item.function is not MaxPool2D or item.options["padding"] != "valid":
        return None
    before = _sole_maker(item.inputs[0], makers, uses)
    if before is None or before.function is not ZeroPadding2D:
        return None
    narrow = all(max(side) < taps for side, taps in zip(before.options["padding"], item.options["pool_size"]))
    if not narrow or not _is_not_negative(before.inputs[0], makers):
        return None
    return _with_padding(item, before)


def _is_not_negative(value: Any, makers: dict[int, Instruction]) -> bool:
    """Whether it is known of a value that no number of it lies below zero."""
    maker = makers.get(id(value))
    if maker is None:
        return False
    if maker.function in (MaxPool2D, Concatenate):
        return all(_is_not_negative(source, makers) for source in maker.inputs)
    return maker.options.get("activation") in NOT_NEGATIVE


def _with_padding(item: Instruction, before: Instruction) -> Instruction:
    """The window of `item` on what was there before the padding."""
    item.options["padding"] = before.options["padding"]
    item.inputs[0] = before.inputs[0]
    before.function, before.inputs, before.options = item.function, item.inputs, item.options
    return before


def _fold_batchnorm(item: Instruction, makers: dict[int, Instruction], uses: Counter[int]) -> Instruction | None:
    if item.function is not BatchNormInfer:
        return None
    before = _sole_maker(item.inputs[0], makers, uses)
    fold = Fold(*item.inputs[1:], epsilon=item.options.pop("epsilon"))
    if before is None or not has_fixed_weights(before) or "activation" in before.options:
        item.derive.append(fold)
        item.inputs[1:] = [None, None]
        return None
    before.derive.append(fold)
    before.options |= item.options  # the activation that it ends with
    return before


def _fold_channelwise(item: Instruction, makers: dict[int, Instruction], uses: Counter[int]) -> Instruction | None:
    if item.function not in (Add, Multiply) or (found := channel_operand(item)) is None:
        return None
    before = _sole_maker(found[0], makers, uses)
    if before is None or not has_fixed_weights(before) or "activation" in before.options:
        return None
    before.derive.append(Channelwise(item.function, found[1]))
    return before


def _fuse_residual(item: Instruction, makers: dict[int, Instruction], uses: Counter[int]) -> Instruction | None:
    if item.function is not Add or not all(isinstance(v, Value) for v in item.inputs):
        return None
    a, b = item.inputs
    if a.shape != b.shape:
        return None
    for value, other in ((b, a), (a, b)):
        before = _sole_maker(value, makers, uses)
        if before is not None and before.function in WITH_RESIDUAL and not before.options.keys() & FINISHED:
            before.options["residual"] = other
            before.inputs.append(other)
            return before
    return None


def _fuse_activation(item: Instruction, makers: dict[int, Instruction], uses: Counter[int]) -> Instruction | None:
    if item.function is not Activation or len(item.options) > 1:
        return None
    before = _sole_maker(item.inputs[0], makers, uses)
    if before is None or before.function not in FINISHABLE or "activation" in before.options:
        return None
    before.options["activation"] = item.options["name"]
    return before
