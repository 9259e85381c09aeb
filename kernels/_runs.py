"""Runs of numbers, copied and cleared, in compiled code.

An assignment between slices makes Numba compile what it would say if their lengths differed, a second or two of it;
these intrinsics are one instruction each.  Arrays are flat float32.
"""

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ._emitter import FLAT, NUMBER, pointers
from ._jit import JIT_OFF

BYTES = 4


def _copy_run_numpy(source: np.ndarray, at: int, target: np.ndarray, to: int, count: int) -> None:
    if count > 0:
        target[to : to + count] = source[at : at + count]


def _clear_run_numpy(target: np.ndarray, to: int, count: int) -> None:
    if count > 0:
        target[to : to + count] = 0


@intrinsic
def _copy_run(typing_context, source, at, target, to, count):
    """target[to : to + count] = source[at : at + count]; nothing when count is negative."""

    def codegen(context, builder, signature, args):
        source, at, target, to, count = args
        source, target = pointers(context, builder, [source, target])
        with builder.if_then(builder.icmp_signed(">", count, NUMBER(0))):
            cgutils.raw_memcpy(builder, builder.gep(target, [to]), builder.gep(source, [at]), count, BYTES, BYTES)
        return context.get_dummy_value()

    return types.void(FLAT, types.intp, FLAT, types.intp, types.intp), codegen


@intrinsic
def _clear_run(typing_context, target, to, count):
    """target[to : to + count] = 0; nothing when count is negative."""

    def codegen(context, builder, signature, args):
        target, to, count = args
        place = builder.gep(*pointers(context, builder, [target]), [to])
        with builder.if_then(builder.icmp_signed(">", count, NUMBER(0))):
            cgutils.memset(builder, place, builder.mul(count, NUMBER(BYTES)), 0)
        return context.get_dummy_value()

    return types.void(FLAT, types.intp, types.intp), codegen


copy_run: Any = _copy_run_numpy if JIT_OFF else _copy_run
clear_run: Any = _clear_run_numpy if JIT_OFF else _clear_run
