"""Stored weights as float32 numbers, one or a vector of them at a time, in registers."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .._jit import JIT_OFF

HALF = 16  # bits of a bfloat16, the upper ones of a float32


def _widened_numpy(number: np.generic) -> np.float32:
    """What `widened` gives, in NumPy: used when the JIT is off."""
    return (np.uint32(number) << HALF).view(np.float32) if number.dtype == np.uint16 else np.float32(number)


@intrinsic
def _widened(typing_context, number):
    """A float32 number as it is, the bits of a bfloat16 (uint16), or an int8, as a float32."""

    def codegen(context, builder, signature, args):
        (bits,) = args
        if number == types.uint16:
            word = ir.IntType(32)
            return builder.bitcast(builder.shl(builder.zext(bits, word), word(HALF)), ir.FloatType())
        return builder.sitofp(bits, ir.FloatType()) if number == types.int8 else bits

    return types.float32(number), codegen


widened: Any = _widened_numpy if JIT_OFF else _widened
