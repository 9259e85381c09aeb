// maxpool2d on a GPU, v3_vector.  One idea: a thread takes LANES channels of a pixel, which one access of up to 16
// bytes reads or writes, and shares the arithmetic of places among them.  A block is a row of an image, so that what is
// divided to find a place is small.
//
// LANES comes from cuda_vector.py, which asks _gpu/lanes.py.
#include "numbers.cuh"
#include "pooling.cuh"
#include "vector.cuh"

// y (N,OH,OW,C) = the largest of each window of x (N,H,W,C); a NaN is larger than any number.
extern "C" __global__ void maxpool2d_forward_v3_vector(const float *x, float *y, int height, int width, int channels,
                                                       int out_height, int out_width, int taps_h, int taps_w,
                                                       int step_h, int step_w, int top, int left) {
    int at = (blockIdx.y * blockDim.x + threadIdx.x) * LANES, column = at / channels, c = at % channels;
    if (column >= out_width) return;
    int row0 = int(blockIdx.x % out_height) * step_h - top, column0 = column * step_w - left;
    const float *image = x + (long long)(blockIdx.x / out_height) * height * width * channels + c;
    Vector best = all_lanes(-INFINITY);
    for (int a = max(row0, 0); a < min(row0 + taps_h, height); a++)
        for (int b = max(column0, 0); b < min(column0 + taps_w, width); b++) {
            Vector value = loaded(image + (a * width + b) * channels);
#pragma unroll
            for (int l = 0; l < LANES; l++)
                if (value.of[l] > best.of[l] || value.of[l] != value.of[l]) best.of[l] = value.of[l];
        }
    store(y + (long long)blockIdx.x * out_width * channels + at, best);
}

// Of `lanes`, those in which no pixel before (a,b) of the window from (row0,column0) holds its largest number.
static __device__ unsigned where_first(unsigned lanes, const float *image, Vector best, int a, int b, int row0,
                                       int column0, int width, int channels, int taps_w) {
    for (int p = max(row0, 0); p <= a && lanes; p++)
        for (int q = max(column0, 0); q < (p < a ? min(column0 + taps_w, width) : b) && lanes; q++)
            lanes &= ~equal(loaded(image + (p * width + q) * channels), best);
    return lanes;
}

// dx (N,H,W,C): every pixel gathers dy (N,OH,OW,C) of the windows whose first largest number it is, in their order.
extern "C" __global__ void maxpool2d_backward_v3_vector(const float *x, const float *y, const float *dy, float *dx,
                                                        int height, int width, int channels, int out_height,
                                                        int out_width, int taps_h, int taps_w, int step_h, int step_w,
                                                        int top, int left) {
    int at = (blockIdx.y * blockDim.x + threadIdx.x) * LANES, b = at / channels, c = at % channels;
    if (b >= width) return;
    int a = blockIdx.x % height;
    long long n = blockIdx.x / height, outputs = n * out_height * out_width * channels + c;
    const float *image = x + n * height * width * channels + c;
    Vector value = loaded(image + (a * width + b) * channels), sum = all_lanes(0.0f);
    for (int row = first_window(a, taps_h, step_h, top); row <= last_window(a, step_h, top, out_height); row++)
        for (int column = first_window(b, taps_w, step_w, left); column <= last_window(b, step_w, left, out_width);
             column++) {
            long long o = outputs + (row * out_width + column) * channels;
            Vector best = loaded(y + o);
            unsigned lanes = where_first(equal(value, best), image, best, a, b, row * step_h - top,
                                         column * step_w - left, width, channels, taps_w);
            if (!lanes) continue;
            Vector gradient = loaded(dy + o);
#pragma unroll
            for (int l = 0; l < LANES; l++)
                if (lanes >> l & 1) sum.of[l] += gradient.of[l];
        }
    store(dx + (long long)blockIdx.x * width * channels + at, sum);
}
