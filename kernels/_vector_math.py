"""exp and its relatives for float32, written so that LLVM turns a loop over them into vector instructions.

    x = n ln 2 + r,  |r| <= ln(2) / 2,        exp(x) = 2^n exp(r)

exp(r) - 1 is its Taylor series up to r^7, which is exact to half a unit in the last place of float32.  2^n is put
together from its bits, in two factors so that neither overflows.  The C library's functions, one call an element,
would take about ten times as long.  (Cody & Waite, "Software Manual for the Elementary Functions", 1980.)
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from ._jit import JIT_OFF

ZERO, ONE = np.float32(0), np.float32(1)
LOWEST = np.float32(-104)  # exp is 0 in float32 from here down
HIGHEST = np.float32(89)  # and infinite from here up
LOG_MAX = np.float32(87)  # 2^-n is a normal number up to here
LOG2_E = np.float32(1.4426950408889634)
LN2_HIGH, LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)  # n * LN2_HIGH is exact
ROUNDER = np.float32(1.5 * 2**23)  # adding it leaves no bits for a fraction
ROUNDER_BITS = np.int32(ROUNDER.view(np.int32))
TAYLOR_3, TAYLOR_4, TAYLOR_5, TAYLOR_6, TAYLOR_7 = (np.float32(1 / f) for f in (6, 24, 120, 720, 5040))
HALF = np.float32(0.5)
TWO, FOUR = np.float32(2), np.float32(4)
ATANH_3, ATANH_5, ATANH_7, ATANH_9, ATANH_11, ATANH_13 = (np.float32(1 / n) for n in (3, 5, 7, 9, 11, 13))
# Normal probability: with t = 4 / (4 + s), exp(s^2 / 2) Phi(-s) / t as a polynomial in 2 t - 1, by rising power.
# Least squares of the relative error at the Chebyshev nodes of 0 < t < 1; largest error 4e-8.
NORMAL = tuple(
    np.float32(c)
    for c in (
        1.88821281e-01, 1.51974098e-01, 9.67844069e-02, 4.66317307e-02, 1.50987392e-02,
        1.87784370e-03, -8.68901964e-04, -3.90638018e-04, 3.22598557e-05, 3.91850288e-05,
    )
)  # fmt: skip


def _reinterpret(source: Any, target: Any, llvm_type: Any) -> Any:
    """An intrinsic that reads the bits of one 32-bit type as another."""

    @intrinsic
    def bits(typing_context, value):
        def codegen(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], llvm_type)

        return target(source), codegen

    return bits


def _bits_of_numpy(value):
    return np.float32(value).view(np.int32)


def _float_of_numpy(value):
    return np.int32(value).view(np.float32)


_bits_of = _bits_of_numpy if JIT_OFF else _reinterpret(types.float32, types.int32, ir.IntType(32))
_float_of = _float_of_numpy if JIT_OFF else _reinterpret(types.int32, types.float32, ir.FloatType())


@register_jitable
def _power_of_two(n):
    """2^n, for an int32 n from -126 to 127."""
    return _float_of(np.int32((n + np.int32(127)) << np.int32(23)))


@register_jitable
def _split(x):
    """(n, exp(r) - 1) of x = n ln 2 + r."""
    shifted = x * LOG2_E + ROUNDER
    whole = shifted - ROUNDER
    r = (x - whole * LN2_HIGH) - whole * LN2_LOW
    series = TAYLOR_3 + r * (TAYLOR_4 + r * (TAYLOR_5 + r * (TAYLOR_6 + r * TAYLOR_7)))
    return np.int32(_bits_of(shifted) - ROUNDER_BITS), r + r * r * (HALF + r * series)


@register_jitable
def exp32(x):
    """exp(x), within 2 units in the last place; 0, infinity and NaN where exp has them."""
    if x < LOWEST:
        x = LOWEST
    if x > HIGHEST:
        x = HIGHEST
    n, rest = _split(x)
    first = np.int32(n >> np.int32(1))
    return (ONE + rest) * _power_of_two(first) * _power_of_two(np.int32(n - first))


@register_jitable
def expm1_negative32(x):
    """exp(x) - 1 for x <= 0, exact near 0 as well."""
    if x < -LOG_MAX:
        x = -LOG_MAX
    n, rest = _split(x)
    scale = _power_of_two(n)
    return rest * scale + (scale - ONE)


@register_jitable
def log1p_unit32(x):
    """log(1 + x) for 0 <= x <= 1, as 2 atanh(x / (2 + x)): a series in even powers of at most 1/3."""
    z = x / (TWO + x)
    z2 = z * z
    far = ATANH_9 + z2 * (ATANH_11 + z2 * ATANH_13)
    return TWO * z * (ONE + z2 * (ATANH_3 + z2 * (ATANH_5 + z2 * (ATANH_7 + z2 * far))))


@register_jitable
def normal_probability32(x):
    """Phi(x), the probability that a standard normal number is below x; accurate in the lower tail too."""
    s = abs(x)
    t = FOUR / (FOUR + s)
    u = TWO * t - ONE
    high = ((NORMAL[9] * u + NORMAL[8]) * u + NORMAL[7]) * u + NORMAL[6]
    middle = ((high * u + NORMAL[5]) * u + NORMAL[4]) * u + NORMAL[3]
    series = ((middle * u + NORMAL[2]) * u + NORMAL[1]) * u + NORMAL[0]
    tail = exp32(-HALF * s * s) * t * series
    return tail if x <= ZERO else ONE - tail
