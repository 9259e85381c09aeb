// Sums of LANES neighbouring channels of a pixel, and how they end.
#pragma once
#include "epilogue.cuh"
#include "vector.cuh"

static __device__ __forceinline__ void add(Vector &sums, const Vector &more) {
#pragma unroll
    for (int l = 0; l < LANES; l++) sums.of[l] += more.of[l];
}

static __device__ __forceinline__ void add_products(Vector &sums, const Vector &a, const Vector &b) {
#pragma unroll
    for (int l = 0; l < LANES; l++) sums.of[l] += a.of[l] * b.of[l];
}

// y[i] ... = `finished` of each channel; f is the number of the first.
static __device__ __forceinline__ void store_finished(Vector sums, const float *bias, const float *residual, float *y,
                                                      long long i, int f, float low, float high) {
    if (bias) add(sums, loaded(bias + f));
    if (residual) add(sums, loaded(residual + i));
#pragma unroll
    for (int l = 0; l < LANES; l++) sums.of[l] = clipped(sums.of[l], low, high);
    store(y + i, sums);
}
