// Sums and the like over the threads of a warp or of a block, in an order that is always the same.
//
// Each is a tree: half of the values are combined with the other half, until one is left, so that its error grows with
// the logarithm of their number.
#pragma once

template <class T> static __device__ __forceinline__ T warp_sum(T value) {
#pragma unroll
    for (int half = 16; half; half /= 2) value += __shfl_xor_sync(0xffffffffu, value, half);
    return value;
}

static __device__ __forceinline__ float warp_max(float value) {
#pragma unroll
    for (int half = 16; half; half /= 2) {
        float other = __shfl_xor_sync(0xffffffffu, value, half);
        value = other > value ? other : value;
    }
    return value;
}

// What `combine` makes of the values of a row of threads: a warp of a block of 32 x n threads, or all of one of n x 1.
// `combine` does it for a warp, `none` leaves any value as it is, and scratch has a place for each warp.
template <class T, class Combine>
static __device__ __forceinline__ T row_folded(T value, T none, T *scratch, Combine combine) {
    value = combine(value);
    if (blockDim.x == 32) return value;
    unsigned lane = threadIdx.x % 32;
    __syncthreads();  // what scratch held before has been read
    if (lane == 0) scratch[threadIdx.x / 32] = value;
    __syncthreads();
    return combine(lane < blockDim.x / 32 ? scratch[lane] : none);
}

static __device__ __forceinline__ double row_sum(double value, double *scratch) {
    return row_folded(value, 0.0, scratch, warp_sum<double>);
}

// What `combine` makes of the values of a column of threads, those of one threadIdx.x; all of them get it.  Scratch has
// a place for each thread, and blockDim.y is a power of two.
template <class T, class Combine>
static __device__ __forceinline__ T folded(T value, T *scratch, Combine combine) {
    unsigned at = threadIdx.y * blockDim.x + threadIdx.x;
    __syncthreads();  // what scratch held before has been read
    scratch[at] = value;
    for (unsigned half = blockDim.y / 2; half; half /= 2) {
        __syncthreads();
        if (threadIdx.y < half) scratch[at] = combine(scratch[at], scratch[at + half * blockDim.x]);
    }
    __syncthreads();
    return scratch[threadIdx.x];
}

// How many of `count` things thread row `row` of `rows` takes, when they take turns.
static __device__ __forceinline__ int share(int count, int row, int rows) { return (count - row + rows - 1) / rows; }
