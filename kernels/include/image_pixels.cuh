// An image (P,C) for a block: a column of its threads takes LANES channels, and the rows of threads share out the
// pixels (_gpu/pooling.py, each_image).
#pragma once
#include "read_ahead.cuh"
#include "reduce.cuh"
#include "vector.cuh"

// This thread's pixels of image n, `count` of them, from channel c on: number k at x[first + k step].
struct Pixels {
    long long n, first;
    int c, step, count;

    __device__ __forceinline__ int number(int k) const { return int(threadIdx.y + k * blockDim.y); }
};

static __device__ __forceinline__ Pixels own_pixels(int pixels, int channels) {
    long long n = blockIdx.x;
    int c = (blockIdx.y * blockDim.x + threadIdx.x) * LANES;
    return {n, (n * pixels + threadIdx.y) * channels + c, c, int(blockDim.y * channels),
            c < channels ? share(pixels, threadIdx.y, blockDim.y) : 0};
}

// use(x[..], k) for this thread's pixels in order.
template <class Use> static __device__ __forceinline__ void each_of(Pixels own, const float *x, Use use) {
    read_ahead(own.count, [=](int k) { return loaded(x + own.first + k * own.step); }, use);
}
