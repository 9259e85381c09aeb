// The input gradient of conv2d on a GPU, which is also a transposed convolution: every pixel gathers what it gave.
//
//     dx[n,r,s,c] = sum over a,b,f of  dy[n,i,j,f] * w[a,b,c,f],   i sh = r + top - a dh,  j sw = s + left - b dw
//
// dx (N,H,W,C), dy (N,OH,OW,F), w (KH,KW,C/groups,F); taps for which i or j is no whole number, or lies outside dy, add
// nothing.  `channels` and `filters` are those of one group.
#include "epilogue.cuh"

// One thread for one number of dx, and the sum in a register: nothing is scattered, so no two threads meet.
extern "C" __global__ void conv2d_backward_input_v1_direct(
    const float *dy, const float *w, const float *bias, const float *residual, float *dx, float low, float high,
    long long count, int height, int width, int channels, int out_height, int out_width, int filters, int taps_h,
    int taps_w, int step_h, int step_w, int top, int left, int gap_h, int gap_w, int groups) {
    long long place = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (place >= count) return;
    int all = channels * groups, channel = place % all;
    int column = place / all % width, row = place / all / width % height;
    long long n = place / all / width / height;
    int c = channel % channels, first = channel / channels * filters, pitch = filters * groups;
    float sum = 0;
    for (int a = 0; a < taps_h; a++) {
        int i = row + top - a * gap_h;
        if (i < 0 || i % step_h || i / step_h >= out_height) continue;
        for (int b = 0; b < taps_w; b++) {
            int j = column + left - b * gap_w;
            if (j < 0 || j % step_w || j / step_w >= out_width) continue;
            const float *gradient = dy + ((n * out_height + i / step_h) * out_width + j / step_w) * pitch + first;
            const float *taps = w + ((a * taps_w + b) * channels + c) * pitch + first;
            for (int f = 0; f < filters; f++) sum += gradient[f] * taps[f];
        }
    }
    dx[place] = finished(sum, bias, residual, place, channel, low, high);
}
