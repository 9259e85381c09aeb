// half and bfloat16 as 16 bits, rounded to nearest, ties to even; part of the twin of ptx.cuh.
#pragma once

static __forceinline__ float float_of_half(unsigned short h) {
    uint32_t sign = uint32_t(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    if (exponent == 31) return __uint_as_float(sign | 0x7f800000u | fraction << 13);
    if (exponent) return __uint_as_float(sign | (exponent + 112) << 23 | fraction << 13);
    float value = float(fraction) * 5.9604644775390625e-8f;  // 2^-24
    return sign ? -value : value;
}

static __forceinline__ unsigned short half_of_float(float f) {
    uint32_t bits = __float_as_uint(f), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size > 0x7f800000u) return 0x7fff;                       // NaN, as the GPU writes it
    if (size >= 0x477ff000u) return uint16_t(sign | 0x7c00);     // rounds to infinity
    if (size < 0x38800000u) return uint16_t(sign | uint16_t(lrintf(__uint_as_float(size) * 16777216.0f)));  // subnormal
    uint32_t rounded = size + 0xfff + (size >> 13 & 1);
    return uint16_t(sign | (rounded - 0x38000000u) >> 13);
}

static __forceinline__ float float_of_bfloat16(unsigned short h) { return __uint_as_float(uint32_t(h) << 16); }

static __forceinline__ unsigned short bfloat16_of_float(float f) {
    uint32_t bits = __float_as_uint(f);
    if ((bits & 0x7fffffff) > 0x7f800000u) return 0x7fff;
    return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
