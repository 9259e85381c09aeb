// avgpool2d on a GPU, v3_vector.  One idea: a thread takes LANES channels of a pixel, which one access of up to 16
// bytes reads or writes, and shares the arithmetic of places among them.  A block is a row of an image, so that what is
// divided to find a place is small.
//
// LANES comes from cuda_vector.py, which asks _gpu/lanes.py.
#include "pooling.cuh"
#include "vector.cuh"

// y (N,OH,OW,C) = the sum of each window of x (N,H,W,C), divided by how many of its pixels lie inside the image.
extern "C" __global__ void avgpool2d_forward_v3_vector(const float *x, float *y, int height, int width, int channels,
                                                       int out_height, int out_width, int taps_h, int taps_w,
                                                       int step_h, int step_w, int top, int left) {
    int at = (blockIdx.y * blockDim.x + threadIdx.x) * LANES, column = at / channels, c = at % channels;
    if (column >= out_width) return;
    int row0 = int(blockIdx.x % out_height) * step_h - top, column0 = column * step_w - left;
    const float *image = x + (long long)(blockIdx.x / out_height) * height * width * channels + c;
    Vector sum = all_lanes(0.0f);
    for (int a = max(row0, 0); a < min(row0 + taps_h, height); a++)
        for (int b = max(column0, 0); b < min(column0 + taps_w, width); b++)
            sum = sum + loaded(image + (a * width + b) * channels);
    float pixels = float(inside(row0, taps_h, height) * inside(column0, taps_w, width));
#pragma unroll
    for (int l = 0; l < LANES; l++) sum.of[l] /= pixels;
    store(y + (long long)blockIdx.x * out_width * channels + at, sum);
}

// dx (N,H,W,C): every pixel gathers its share of dy (N,OH,OW,C) from the windows that saw it, in their order.
extern "C" __global__ void avgpool2d_backward_v3_vector(const float *dy, float *dx, int height, int width,
                                                        int channels, int out_height, int out_width, int taps_h,
                                                        int taps_w, int step_h, int step_w, int top, int left) {
    int at = (blockIdx.y * blockDim.x + threadIdx.x) * LANES, b = at / channels, c = at % channels;
    if (b >= width) return;
    int a = blockIdx.x % height;
    const float *outputs = dy + (long long)(blockIdx.x / height) * out_height * out_width * channels + c;
    Vector sum = all_lanes(0.0f);
    for (int row = first_window(a, taps_h, step_h, top); row <= last_window(a, step_h, top, out_height); row++)
        for (int column = first_window(b, taps_w, step_w, left); column <= last_window(b, step_w, left, out_width);
             column++) {
            float rows = inside(row * step_h - top, taps_h, height);
            float pixels = rows * inside(column * step_w - left, taps_w, width);
            Vector gradient = loaded(outputs + (row * out_width + column) * channels);
#pragma unroll
            for (int l = 0; l < LANES; l++) sum.of[l] += gradient.of[l] / pixels;
        }
    store(dx + (long long)blockIdx.x * width * channels + at, sum);
}
