// depthwise_conv2d on a GPU, as it is defined: one thread makes one number.
//
//     y[n,i,j,c M + m] = sum over a,b of  x[n, i sh - top + a dh, j sw - left + b dw, c] * w[a,b,c,m]
//
// x (N,H,W,C), w (KH,KW,C,M), y (N,OH,OW,C*M); positions outside the image add nothing.  Neighbouring threads make
// neighbouring channels, so that what a warp reads and writes lies side by side.
#include "epilogue.cuh"

extern "C" __global__ void depthwise_conv2d_forward_v1_direct(
    const float *x, const float *w, const float *bias, const float *residual, float *y, float low, float high,
    long long count, int height, int width, int channels, int out_height, int out_width, int multiplier, int taps_h,
    int taps_w, int step_h, int step_w, int top, int left, int gap_h, int gap_w) {
    long long place = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (place >= count) return;
    int filters = channels * multiplier, f = place % filters;
    int row0 = place / filters / out_width % out_height * step_h - top;
    int column0 = place / filters % out_width * step_w - left;
    const float *image = x + place / filters / out_width / out_height * height * width * channels + f / multiplier;
    float sum = 0;
    for (int a = 0; a < taps_h; a++)
        for (int b = 0; b < taps_w; b++) {
            int row = row0 + a * gap_h, column = column0 + b * gap_w;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            sum += image[(row * width + column) * channels] * w[(a * taps_w + b) * filters + f];
        }
    y[place] = finished(sum, bias, residual, place, f, low, high);
}

// dx[n,r,s,c] = sum over a,b,m of  dy[n,i,j,c M + m] * w[a,b,c,m],   i sh = r + top - a dh,  j sw = s + left - b dw:
// every pixel gathers what it gave, so no two threads meet.
extern "C" __global__ void depthwise_conv2d_backward_input_v1_direct(
    const float *dy, const float *w, float *dx, long long count, int height, int width, int channels, int out_height,
    int out_width, int multiplier, int taps_h, int taps_w, int step_h, int step_w, int top, int left, int gap_h,
    int gap_w) {
    long long place = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (place >= count) return;
    int filters = channels * multiplier, c = place % channels;
    int column = place / channels % width, row = place / channels / width % height;
    const float *image = dy + place / channels / width / height * out_height * out_width * filters + c * multiplier;
    float sum = 0;
    for (int a = 0; a < taps_h; a++) {
        int i = row + top - a * gap_h;
        if (i < 0 || i % step_h || i / step_h >= out_height) continue;
        for (int b = 0; b < taps_w; b++) {
            int j = column + left - b * gap_w;
            if (j < 0 || j % step_w || j / step_w >= out_width) continue;
            const float *gradient = image + (i / step_h * out_width + j / step_w) * filters;
            const float *taps = w + (a * taps_w + b) * filters + c * multiplier;
            for (int m = 0; m < multiplier; m++) sum += gradient[m] * taps[m];
        }
    }
    dx[place] = sum;
}

// dw[a,b,c,m] = sum over n,i,j of  x[n, i sh - top + a dh, j sw - left + b dw, c] * dy[n,i,j,c M + m].  A row of dy is
// summed before it is added to the rest: rounding errors grow with the terms of one sum.
extern "C" __global__ void depthwise_conv2d_backward_weights_v1_direct(
    const float *x, const float *dy, float *dw, int count, int rows, int height, int width, int channels,
    int out_height, int out_width, int multiplier, int taps_h, int taps_w, int step_h, int step_w, int top, int left,
    int gap_h, int gap_w) {
    int place = blockIdx.x * blockDim.x + threadIdx.x;
    if (place >= count) return;
    int filters = channels * multiplier, f = place % filters;
    int b = place / filters % taps_w, a = place / filters / taps_w;
    float sum = 0;
    for (int i = 0; i < rows; i++) {
        int row = i % out_height * step_h - top + a * gap_h;
        if (row < 0 || row >= height) continue;
        const float *pixels = x + ((long long)(i / out_height) * height + row) * width * channels + f / multiplier;
        const float *gradients = dy + (long long)i * out_width * filters + f;
        float row_sum = 0;
        for (int j = 0; j < out_width; j++) {
            int column = j * step_w - left + b * gap_w;
            if (column >= 0 && column < width) row_sum += pixels[column * channels] * gradients[j * filters];
        }
        sum += row_sum;
    }
    dw[place] = sum;
}
