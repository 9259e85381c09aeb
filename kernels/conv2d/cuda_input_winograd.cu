// The kernel of the convolution that takes dy to dx, at Winograd's points; cuda_winograd.cu does the rest.
//
// M comes from cuda_input_winograd.py.
#include "winograd.cuh"

// u (points, F, C) = G t G' of the kernel t (3,3,F,C) that is w (3,3,C,F) with its taps in reverse, inputs and outputs
// exchanged; one thread for each filter and channel.  The threads of a warp write side by side and read apart, since
// there are four values, or nearly two, for each tap.
extern "C" __global__ void conv2d_winograd_turned(const float *w, float *u, long long count, int channels,
                                                  int filters) {
    const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    const long long from = i % channels * filters + i / channels;
    float taps[3][3], values[POINTS][POINTS];
#pragma unroll
    for (int a = 0; a < 9; a++) taps[a / 3][a % 3] = w[(8 - a) * count + from];
    both_axes([](const float(&g)[3], float(&p)[POINTS]) { kernel_points(g, p); }, taps, values);
    write_points(values, u + i, count);
}
