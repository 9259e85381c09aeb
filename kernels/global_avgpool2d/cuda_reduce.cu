// global_avgpool2d on a GPU: y (N,C) = the mean of the pixels of x (N,P,C).
//
// v2_reduce.  One idea: the pixels of an image are shared out to the rows of threads of a block, whose sums are then
// added as a tree, so that few channels of a large image keep many threads busy.
// v3_vector.  The same with LANES channels a thread, which one access of 16 bytes reads.
//
// LANES comes from cuda_reduce.py, which asks _gpu/lanes.py.
#include "image_pixels.cuh"

extern "C" __global__ void __launch_bounds__(1024)
    global_avgpool2d_forward_reduce(const float *x, float *y, int pixels, int channels) {
    __shared__ Vector scratch[1024];
    Pixels own = own_pixels(pixels, channels);
    Vector sum = all_lanes(0.0f);
    each_of(own, x, [&](Vector value, int) { sum = sum + value; });
    sum = folded(sum, scratch, [](Vector a, Vector b) { return a + b; });
    if (threadIdx.y || own.c >= channels) return;
#pragma unroll
    for (int l = 0; l < LANES; l++) sum.of[l] /= float(pixels);
    store(y + own.n * channels + own.c, sum);
}
