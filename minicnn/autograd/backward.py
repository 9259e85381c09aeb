"""The backward sweep: from a scalar to every leaf, each operation once, after all that used its output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.errors import ShapeError

if TYPE_CHECKING:
    from .tensor import Tensor


def topological_order(root: Tensor) -> list[Tensor]:
    """Tensors that lead to `root`, each after all its inputs.  Iterative: a deep net needs no deep stack."""
    order: list[Tensor] = []
    seen = {id(root)}
    stack = [(root, iter(_inputs(root)))]
    while stack:
        tensor, inputs = stack[-1]
        for parent in inputs:
            if id(parent) not in seen:
                seen.add(id(parent))
                stack.append((parent, iter(_inputs(parent))))
                break
        else:
            order.append(tensor)
            stack.pop()
    return order


def _inputs(tensor: Tensor) -> list[Tensor]:
    if tensor.creator is None:
        return []
    return [parent for parent in tensor.creator.inputs if parent is not None and parent.requires_grad]


def sweep(root: Tensor, gradient: Any) -> None:
    """Add d root / d leaf, times `gradient`, to the grad of every leaf that requires one."""
    pending: dict[int, Any] = {id(root): gradient if root.creator is not None else gradient.copy()}
    for tensor in reversed(topological_order(root)):
        total = pending.pop(id(tensor))
        if tensor.creator is None:
            tensor.accumulate(total)
            continue
        node = tensor.creator
        shares = node.backward(total)
        for position, (parent, share) in enumerate(zip(node.inputs, shares)):
            if parent is None or not parent.requires_grad or share is None:
                continue
            if share.shape != parent.shape:
                raise ShapeError(
                    f"{node.function.__name__}.backward gave a gradient of shape {share.shape} for an input of "
                    f"shape {parent.shape}"
                )
            if parent.creator is None and _overlaps(share, total, *shares[:position]):
                share = share.copy()  # a leaf's gradient is its own: nobody else reads or writes it
            key = id(parent)
            pending[key] = _sum(pending[key], share) if key in pending else share


def _sum(a: Any, b: Any) -> Any:
    """a + b, made by the kernel: in training its memory is used again, and several threads add."""
    from minicnn.kernels import elementwise

    return elementwise.add(a, b)


def _overlaps(share: Any, *others: Any) -> bool:
    """Whether a gradient lies in the memory of another one."""
    return any(other is not None and np.may_share_memory(share, other) for other in others)
