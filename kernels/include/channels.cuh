// A few neighbouring channels of a pixel, which one thread reads, adds and writes together.
//
// A file that includes it is built for VECTOR: 4 where all pixels begin on 16 bytes, so that one instruction moves four
// floats, or 1.
#pragma once
#include "epilogue.cuh"

#ifndef VECTOR
#define VECTOR 4
#endif
#define CHANNELS static __device__ __forceinline__

struct __align__(4 * VECTOR) Channels {
    float lane[VECTOR];
};

CHANNELS Channels read(const float *from) {
#if VECTOR == 4
    const float4 four = *(const float4 *)from;
    return {four.x, four.y, four.z, four.w};
#else
    return {*from};
#endif
}

CHANNELS void write(float *to, const Channels &c) {
#if VECTOR == 4
    *(float4 *)to = make_float4(c.lane[0], c.lane[1], c.lane[2], c.lane[3]);
#else
    *to = c.lane[0];
#endif
}

CHANNELS void add(Channels &sums, const Channels &more) {
#pragma unroll
    for (int q = 0; q < VECTOR; q++) sums.lane[q] += more.lane[q];
}

CHANNELS void add_products(Channels &sums, const Channels &a, const Channels &b) {
#pragma unroll
    for (int q = 0; q < VECTOR; q++) sums.lane[q] += a.lane[q] * b.lane[q];
}

// `finished` of each channel; f is the number of the first.
CHANNELS void write_finished(Channels sums, const float *bias, const float *residual, float *y, long long i, int f,
                             float low, float high) {
    if (bias) add(sums, read(bias + f));
    if (residual) add(sums, read(residual + i));
#pragma unroll
    for (int q = 0; q < VECTOR; q++) sums.lane[q] = finished(sums.lane[q], nullptr, nullptr, i, f, low, high);
    write(y + i, sums);
}
