// conv2d on a GPU, as it is defined: one thread makes one number of y, neighbouring threads neighbouring filters.
//
//     y[n,i,j,f] = clip(bias + residual
//                       + sum over a,b,c of  x[n, i sh - top + a dh, j sw - left + b dw, c] * w[a,b,c,f])
//
// x (N,H,W,C), w (KH,KW,C/groups,F), y (N,OH,OW,F); pixels outside the image add nothing.  `channels` and `filters` are
// those of one group.
#include "epilogue.cuh"

// The threads of a warp read the same pixel and neighbouring weights; every number comes from memory for each of them.
extern "C" __global__ void conv2d_forward_v1_direct(
    const float *x, const float *w, const float *bias, const float *residual, float *y, float low, float high,
    long long count, int height, int width, int channels, int out_height, int out_width, int filters, int taps_h,
    int taps_w, int step_h, int step_w, int top, int left, int gap_h, int gap_w, int groups) {
    long long place = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (place >= count) return;
    int pitch = filters * groups, pixel = channels * groups;
    int f = place % pitch, j = place / pitch % out_width, i = place / pitch / out_width % out_height;
    const float *image = x + place / pitch / out_width / out_height * height * width * pixel + f / filters * channels;
    float sum = 0;
    for (int a = 0; a < taps_h; a++) {
        int row = i * step_h - top + a * gap_h;
        if (row < 0 || row >= height) continue;
        for (int b = 0; b < taps_w; b++) {
            int column = j * step_w - left + b * gap_w;
            if (column < 0 || column >= width) continue;
            const float *values = image + (row * width + column) * pixel;
            const float *taps = w + (a * taps_w + b) * channels * pitch + f;
            for (int c = 0; c < channels; c++) sum += values[c] * taps[c * pitch];
        }
    }
    y[place] = finished(sum, bias, residual, place, f, low, high);
}
