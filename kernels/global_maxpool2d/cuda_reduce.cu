// global_maxpool2d on a GPU: y (N,C) = the largest of the pixels of x (N,P,C); a NaN is larger than any number.
//
// v2_reduce.  One idea: the pixels of an image are shared out to the rows of threads of a block, whose results are then
// combined as a tree, so that few channels of a large image keep many threads busy.
// v3_vector.  The same with LANES channels a thread, which one access of 16 bytes reads.
//
// LANES comes from cuda_reduce.py, which asks _gpu/lanes.py.
#include "image_pixels.cuh"
#include "numbers.cuh"

static __device__ __forceinline__ Vector larger(Vector a, Vector b) {
#pragma unroll
    for (int l = 0; l < LANES; l++)
        if (b.of[l] > a.of[l] || b.of[l] != b.of[l]) a.of[l] = b.of[l];
    return a;
}

extern "C" __global__ void __launch_bounds__(1024)
    global_maxpool2d_forward_reduce(const float *x, float *y, int pixels, int channels) {
    __shared__ Vector scratch[1024];
    Pixels own = own_pixels(pixels, channels);
    Vector best = all_lanes(-INFINITY);
    each_of(own, x, [&](Vector value, int) { best = larger(best, value); });
    best = folded(best, scratch, larger);
    if (threadIdx.y == 0 && own.c < channels) store(y + own.n * channels + own.c, best);
}

// dx (N,P,C) = dy (N,C) at the first pixel that holds the largest number, else 0.
extern "C" __global__ void __launch_bounds__(1024)
    global_maxpool2d_backward_reduce(const float *x, const float *y, const float *dy, float *dx, int pixels,
                                     int channels) {
    __shared__ Lanes<int> scratch[1024];
    Pixels own = own_pixels(pixels, channels);
    Vector best = own.count ? loaded(y + own.n * channels + own.c) : all_lanes(0.0f);
    Lanes<int> first = all_lanes(pixels);
    auto note = [&](Vector value, int k) {
        unsigned lanes = equal(value, best);
#pragma unroll
        for (int l = 0; l < LANES; l++)
            if (lanes >> l & 1) first.of[l] = min(first.of[l], own.number(k));
    };
    each_of(own, x, note);
    first = folded(first, scratch, [](Lanes<int> a, Lanes<int> b) {
#pragma unroll
        for (int l = 0; l < LANES; l++) a.of[l] = min(a.of[l], b.of[l]);
        return a;
    });
    if (!own.count) return;
    Vector gradient = loaded(dy + own.n * channels + own.c);
    for (int k = 0; k < own.count; k++) {
        Vector given;
#pragma unroll
        for (int l = 0; l < LANES; l++) given.of[l] = own.number(k) == first.of[l] ? gradient.of[l] : 0;
        store(dx + own.first + k * own.step, given);
    }
}
