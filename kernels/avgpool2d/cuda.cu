// avgpool2d on a GPU, as it is defined: one thread makes one number, neighbouring threads neighbouring channels, so
// that what a warp reads and writes lies side by side.
#include "pooling.cuh"

// y (N,OH,OW,C) = the sum of each window of x (N,H,W,C), divided by how many of its pixels lie inside the image.
extern "C" __global__ void avgpool2d_forward_v1_direct(const float *x, float *y, long long count, int height,
                                                       int width, int channels, int out_height, int out_width,
                                                       int taps_h, int taps_w, int step_h, int step_w, int top,
                                                       int left) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    int c = i % channels, column = i / channels % out_width, row = i / channels / out_width % out_height;
    const float *image = x + i / channels / out_width / out_height * height * width * channels + c;
    int row0 = row * step_h - top, column0 = column * step_w - left;
    float sum = 0;
    for (int a = max(row0, 0); a < min(row0 + taps_h, height); a++)
        for (int b = max(column0, 0); b < min(column0 + taps_w, width); b++) sum += image[(a * width + b) * channels];
    y[i] = sum / float(inside(row0, taps_h, height) * inside(column0, taps_w, width));
}

// dx (N,H,W,C): every pixel gathers its share of dy (N,OH,OW,C) from the windows that saw it, in their order.
extern "C" __global__ void avgpool2d_backward_v1_direct(const float *dy, float *dx, long long count, int height,
                                                        int width, int channels, int out_height, int out_width,
                                                        int taps_h, int taps_w, int step_h, int step_w, int top,
                                                        int left) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    int c = i % channels, b = i / channels % width, a = i / channels / width % height;
    const float *outputs = dy + i / channels / width / height * out_height * out_width * channels + c;
    float sum = 0;
    for (int row = first_window(a, taps_h, step_h, top); row <= last_window(a, step_h, top, out_height); row++)
        for (int column = first_window(b, taps_w, step_w, left); column <= last_window(b, step_w, left, out_width);
             column++) {
            int pixels = inside(row * step_h - top, taps_h, height) * inside(column * step_w - left, taps_w, width);
            sum += outputs[(row * out_width + column) * channels] / float(pixels);
        }
    dx[i] = sum;
}
