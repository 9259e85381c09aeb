"""The backward sweep: from a scalar to every leaf, each operation once, after all that used its output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.errors import ShapeError

from .function import Node

if TYPE_CHECKING:
    from .function import Source
    from .tensor import Tensor


def topological_order(root: Source) -> list[Source]:
    """What leads to `root`, each after all its inputs.  Iterative: a deep net needs no deep stack."""
    order: list[Source] = []
    seen = {id(root)}
    stack = [(root, iter(_inputs(root)))]
    while stack:
        source, inputs = stack[-1]
        for parent in inputs:
            if id(parent) not in seen:
                seen.add(id(parent))
                stack.append((parent, iter(_inputs(parent))))
                break
        else:
            order.append(source)
            stack.pop()
    return order


def _inputs(source: Source) -> list[Source]:
    if not isinstance(source, Node):
        return []
    source.check_unused()
    return [parent for parent in source.inputs if parent is not None]


def sweep(root: Tensor, gradient: Any) -> None:
    """Add d root / d leaf, times `gradient`, to the grad of every leaf that requires one.

    An operation is forgotten as soon as its gradients are there, and with it the arrays that were kept for it.
    """
    start = root if root.creator is None else root.creator
    order = topological_order(start)
    pending: dict[int, Any] = {id(start): gradient.copy() if start is root else gradient}
    while order:
        source = order.pop()
        total = pending.pop(id(source), None)
        if total is None:  # nothing came back along any way
            continue
        if not isinstance(source, Node):
            if source.requires_grad:
                source.accumulate(total)
            continue
        inputs, shares = source.inputs, source.backward(total)
        for position, (parent, share) in enumerate(zip(inputs, shares)):
            if parent is None or share is None:
                continue
            if share.shape != parent.shape:
                raise ShapeError(
                    f"{source.function.__name__}.backward gave a gradient of shape {share.shape} for an input of "
                    f"shape {parent.shape}"
                )
            if not isinstance(parent, Node) and _overlaps(share, total, *shares[:position]):
                share = share.copy()  # a leaf's gradient is its own: nobody else reads or writes it
            key = id(parent)
            pending[key] = _sum(pending[key], share) if key in pending else share


def _sum(a: Any, b: Any) -> Any:
    """a + b, made by the kernel: in training its memory is used again, and several threads add."""
    from minicnn.kernels import elementwise

    return elementwise.add(a, b)


def _overlaps(share: Any, *others: Any) -> bool:
    """Whether a gradient lies in the memory of another one; those of two devices do not."""
    return any(type(other) is type(share) and np.may_share_memory(share, other) for other in others)
