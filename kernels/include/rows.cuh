// A row for a warp or for a block: in blocks of 32 x n threads a warp takes a row, one of n x 1 threads takes one.
#pragma once
#include "read_ahead.cuh"
#include "reduce.cuh"

static __device__ __forceinline__ long long own_row() { return blockIdx.x * (long long)blockDim.y + threadIdx.y; }

// use(read(k), k) for every k below `count` that is this thread's; neighbouring threads have neighbouring numbers.
template <class Read, class Use> static __device__ __forceinline__ void each_own(int count, Read read, Use use) {
    int first = threadIdx.x, step = blockDim.x;
    read_ahead(
        share(count, first, step), [=](int i) { return read(first + i * step); },
        [=](decltype(read(0)) value, int i) { use(value, first + i * step); });
}

template <class Use> static __device__ __forceinline__ void each_own(const float *row, int count, Use use) {
    each_own(count, [=](int k) { return row[k]; }, use);
}

struct Two {
    float a, b;
};

template <class Use>
static __device__ __forceinline__ void each_own(const float *a, const float *b, int count, Use use) {
    each_own(count, [=](int k) { return Two{a[k], b[k]}; }, use);
}
