"""Runs of numbers, copied, cleared and fetched ahead, in compiled code.

An assignment between slices makes Numba compile what it would say if their lengths differed, a second or two of it;
these intrinsics are one instruction each.  Arrays are flat float32.
"""

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ._emitter import FLAT, NUMBER, Emitter, pointers
from ._jit import JIT_OFF

BYTES = 4
LINE = 16  # numbers in a line of the cache


def _copy_run_numpy(source: np.ndarray, at: int, target: np.ndarray, to: int, count: int) -> None:
    if count > 0:
        target[to : to + count] = source[at : at + count]


def _clear_run_numpy(target: np.ndarray, to: int, count: int) -> None:
    if count > 0:
        target[to : to + count] = 0


def _fetch_run_numpy(source: np.ndarray, at: int, count: int) -> None:
    """Nothing: fetching changes no number."""


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


@intrinsic
def _fetch_run(typing_context, source, at, count):
    """Ask for source[at : at + count], which is read soon."""

    def codegen(context, builder, signature, args):
        source, at, count = args
        place = builder.gep(*pointers(context, builder, [source]), [at])
        with cgutils.for_range_slice(builder, NUMBER(0), count, NUMBER(LINE)) as (i, _):
            Emitter(builder).prefetch(place, i, writes=False)
        return context.get_dummy_value()

    return types.void(FLAT, types.intp, types.intp), codegen


copy_run: Any = _copy_run_numpy if JIT_OFF else _copy_run
clear_run: Any = _clear_run_numpy if JIT_OFF else _clear_run
fetch_run: Any = _fetch_run_numpy if JIT_OFF else _fetch_run
