// global_maxpool2d on a GPU: y (N,C) = the largest of the pixels of x (N,P,C); a NaN is larger than any number.
//
// v2_reduce.  One idea: the pixels of an image are shared out to the rows of threads of a block, whose results are then
// combined as a tree, so that few channels of a large image keep many threads busy.
// v3_vector.  The same with LANES channels a thread, which one access of 16 bytes reads.
#include "numbers.cuh"
#include "read_ahead.cuh"
#include "reduce.cuh"
#include "vector.cuh"

static __device__ __forceinline__ Vector larger(Vector a, Vector b) {
#pragma unroll
    for (int l = 0; l < LANES; l++)
        if (b.of[l] > a.of[l] || b.of[l] != b.of[l]) a.of[l] = b.of[l];
    return a;
}

extern "C" __global__ void __launch_bounds__(1024)
    global_maxpool2d_forward_reduce(const float *x, float *y, int pixels, int channels) {
    __shared__ Vector scratch[1024];
    long long n = blockIdx.x;
    int c = (blockIdx.y * blockDim.x + threadIdx.x) * LANES;
    const float *own = x + (n * pixels + threadIdx.y) * channels + c;
    int step = blockDim.y * channels, count = c < channels ? share(pixels, threadIdx.y, blockDim.y) : 0;
    Vector best = all_lanes(-INFINITY);
    read_ahead(count, [=](int k) { return loaded(own + k * step); }, [&](Vector v, int) { best = larger(best, v); });
    best = folded(best, scratch, larger);
    if (threadIdx.y == 0 && c < channels) store(y + n * channels + c, best);
}

// dx (N,P,C) = dy (N,C) at the first pixel that holds the largest number, else 0.
extern "C" __global__ void __launch_bounds__(1024)
    global_maxpool2d_backward_reduce(const float *x, const float *y, const float *dy, float *dx, int pixels,
                                     int channels) {
    __shared__ Lanes<int> scratch[1024];
    long long n = blockIdx.x;
    int c = (blockIdx.y * blockDim.x + threadIdx.x) * LANES;
    long long from = (n * pixels + threadIdx.y) * channels + c;
    int step = blockDim.y * channels, count = c < channels ? share(pixels, threadIdx.y, blockDim.y) : 0;
    Vector best = count ? loaded(y + n * channels + c) : all_lanes(0.0f);
    Lanes<int> first = all_lanes(pixels);
    auto note = [&](Vector value, int k) {
        unsigned lanes = equal(value, best);
#pragma unroll
        for (int l = 0; l < LANES; l++)
            if (lanes >> l & 1) first.of[l] = min(first.of[l], int(threadIdx.y + k * blockDim.y));
    };
    read_ahead(count, [=](int k) { return loaded(x + from + k * step); }, note);
    first = folded(first, scratch, [](Lanes<int> a, Lanes<int> b) {
#pragma unroll
        for (int l = 0; l < LANES; l++) a.of[l] = min(a.of[l], b.of[l]);
        return a;
    });
    if (!count) return;
    Vector gradient = loaded(dy + n * channels + c);
    for (int k = 0; k < count; k++) {
        Vector given;
#pragma unroll
        for (int l = 0; l < LANES; l++)
            given.of[l] = int(threadIdx.y + k * blockDim.y) == first.of[l] ? gradient.of[l] : 0;
        store(dx + from + k * step, given);
    }
}
