// A row for a warp or for a block: launched with blocks of 32 x n threads, a warp takes a row; with n x 1, a block does.
#pragma once
#include "read_ahead.cuh"
#include "reduce.cuh"

static __device__ __forceinline__ long long own_row() { return blockIdx.x * (long long)blockDim.y + threadIdx.y; }

// use(row[k], k) for every number of the row that is this thread's: neighbouring threads read neighbouring numbers.
template <class Use> static __device__ __forceinline__ void each_own(const float *row, int count, Use use) {
    int first = threadIdx.x, step = blockDim.x;
    read_ahead(
        share(count, first, step), [=](int i) { return row[first + i * step]; },
        [=](float value, int i) { use(value, first + i * step); });
}
