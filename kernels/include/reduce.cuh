// Sums and the like over the threads of a warp or of a block, in an order that is always the same.
//
// Each is a tree: half of the values are combined with the other half, until one is left, so that its error grows with
// the logarithm of their number.
#pragma once

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
