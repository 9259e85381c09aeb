// maxpool2d on a GPU, as it is defined: one thread makes one number, neighbouring threads neighbouring channels, so
// that what a warp reads and writes lies side by side.
#include "numbers.cuh"
#include "pooling.cuh"

// The larger of two numbers; a NaN is larger than any, so that it is not lost.
static __device__ bool above(float value, float best) { return value > best || value != value; }

// y (N,OH,OW,C) = the largest of each window of x (N,H,W,C).
extern "C" __global__ void maxpool2d_forward_v1_direct(const float *x, float *y, long long count, int height,
                                                       int width, int channels, int out_height, int out_width,
                                                       int taps_h, int taps_w, int step_h, int step_w, int top,
                                                       int left) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    int c = i % channels, column = i / channels % out_width, row = i / channels / out_width % out_height;
    const float *image = x + i / channels / out_width / out_height * height * width * channels + c;
    int row0 = row * step_h - top, column0 = column * step_w - left;
    float best = -INFINITY;
    for (int a = max(row0, 0); a < min(row0 + taps_h, height); a++)
        for (int b = max(column0, 0); b < min(column0 + taps_w, width); b++) {
            float value = image[(a * width + b) * channels];
            if (above(value, best)) best = value;
        }
    y[i] = best;
}

// Whether pixel (a,b) is the first of its window, which begins at (row0,column0), that holds its largest number.
static __device__ bool is_first(const float *image, float best, int a, int b, int row0, int column0, int width,
                                int channels, int taps_w) {
    for (int p = max(row0, 0); p <= a; p++)
        for (int q = max(column0, 0); q < (p < a ? min(column0 + taps_w, width) : b); q++) {
            float value = image[(p * width + q) * channels];
            if (value == best || (value != value && best != best)) return false;
        }
    return true;
}

// dx (N,H,W,C): every pixel gathers dy (N,OH,OW,C) of the windows whose first largest number it is, in their order.
extern "C" __global__ void maxpool2d_backward_v1_direct(const float *x, const float *y, const float *dy, float *dx,
                                                        long long count, int height, int width, int channels,
                                                        int out_height, int out_width, int taps_h, int taps_w,
                                                        int step_h, int step_w, int top, int left) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    int c = i % channels, b = i / channels % width, a = i / channels / width % height;
    long long n = i / channels / width / height;
    const float *image = x + n * height * width * channels + c;
    long long outputs = n * out_height * out_width * channels + c;
    float value = x[i], sum = 0;
    for (int row = first_window(a, taps_h, step_h, top); row <= last_window(a, step_h, top, out_height); row++)
        for (int column = first_window(b, taps_w, step_w, left); column <= last_window(b, step_w, left, out_width);
             column++) {
            long long o = outputs + ((long long)row * out_width + column) * channels;
            float best = y[o];
            if (value != best && !(value != value && best != best)) continue;
            if (is_first(image, best, a, b, row * step_h - top, column * step_w - left, width, channels, taps_w))
                sum += dy[o];
        }
    dx[i] = sum;
}
