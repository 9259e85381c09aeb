// conv2d through shared memory: a block of threads makes 8 x 8 pixels of 32 filters, and shares what it read.
//
//     y[n,i,j,f] = clip(bias + residual
//                       + sum over a,b,c of  x[n, i sh - top + a dh, j sw - left + b dw, c] * w[a,b,c,f])
//
// x (N,H,W,C), w (KH,KW,C/groups,F), y (N,OH,OW,F); pixels outside the image count as zero.  `channels` and `filters`
// are those of one group.
//
// The windows of neighbouring pixels overlap, and all filters see the same window.  So the block copies the part of the
// image below its pixels, `depth` channels at a time, and the weights of its filters: each pixel is then read from
// memory once for 32 filters and up to KH * KW windows, each weight once for 64 pixels, where cuda.cu reads both for
// each product.  A lane is a filter, a warp a row of pixels: the lanes read one pixel together, and weights that lie
// side by side.
#include "epilogue.cuh"
#include "ptx.cuh"

#define ROWS 8
#define COLUMNS 8
#define FILTERS 32
#define THREADS 256

struct Patch {  // the part of an image that lies below the pixels of a block
    int height, width, row, column;  // its size, and where it begins
};

// patch (height, width, depth) = `some` channels of the image, zeros beyond its edges.
static __device__ void fetch_patch(const float *image, Patch at, int height, int width, int pixel, int some, int depth,
                                   float *patch) {
    for (int i = threadIdx.x; i < at.height * at.width * some; i += THREADS) {
        int c = i % some, place = i / some, row = at.row + place / at.width, column = at.column + place % at.width;
        bool inside = row >= 0 && row < height && column >= 0 && column < width;
        patch[place * depth + c] = inside ? image[(row * width + column) * pixel + c] : 0;
    }
}

// weights (taps, depth, FILTERS) = `some` channels of w, zeros beyond the last filter.
static __device__ void fetch_weights(const float *w, int taps, int channels, int pitch, int some, int left, int depth,
                                     float *weights) {
    for (int i = threadIdx.x; i < taps * some * FILTERS; i += THREADS) {
        int f = i % FILTERS, c = i / FILTERS % some, tap = i / FILTERS / some;
        weights[(tap * depth + c) * FILTERS + f] = f < left ? w[(tap * channels + c) * pitch + f] : 0;
    }
}

extern "C" __global__ void __launch_bounds__(THREADS, 2) conv2d_forward_v3_tiled(
    const float *x, const float *w, const float *bias, const float *residual, float *y, float low, float high,
    int depth, int height, int width, int channels, int out_height, int out_width, int filters, int taps_h, int taps_w,
    int step_h, int step_w, int top, int left, int gap_h, int gap_w, int groups) {
    DYNAMIC_SHARED(float, patch);
    const int across = (out_width + COLUMNS - 1) / COLUMNS, down = (out_height + ROWS - 1) / ROWS;
    const int panels = (filters + FILTERS - 1) / FILTERS, pitch = filters * groups, pixel = channels * groups;
    const int panel = blockIdx.x % panels, group = blockIdx.x / panels % groups, tile = blockIdx.x / panels / groups;
    const int i0 = tile / across % down * ROWS, j0 = tile % across * COLUMNS;
    const long long n = tile / across / down;
    const int lane = threadIdx.x % FILTERS, warp = threadIdx.x / FILTERS, f0 = panel * FILTERS;
    const Patch at = {(ROWS - 1) * step_h + (taps_h - 1) * gap_h + 1, (COLUMNS - 1) * step_w + (taps_w - 1) * gap_w + 1,
                      i0 * step_h - top, j0 * step_w - left};
    float *weights = patch + at.height * at.width * depth;
    const float *image = x + n * height * width * pixel + group * channels, *panel_w = w + group * filters + f0;
    float sums[COLUMNS] = {};
    for (int c0 = 0; c0 < channels; c0 += depth) {
        const int some = min(depth, channels - c0);
        fetch_patch(image + c0, at, height, width, pixel, some, depth, patch);
        fetch_weights(panel_w + c0 * pitch, taps_h * taps_w, channels, pitch, some, filters - f0, depth, weights);
        __syncthreads();
        for (int tap = 0; tap < taps_h * taps_w; tap++) {
            const int row = warp * step_h + tap / taps_w * gap_h, column = tap % taps_w * gap_w;
            for (int c = 0; c < some; c++) {
                const float weight = weights[(tap * depth + c) * FILTERS + lane];
                const float *value = patch + (row * at.width + column) * depth + c;
#pragma unroll
                for (int q = 0; q < COLUMNS; q++) sums[q] += value[q * step_w * depth] * weight;
            }
        }
        __syncthreads();  // before the next channels take the place of these
    }
    if (i0 + warp >= out_height || f0 + lane >= filters) return;
    const int f = group * filters + f0 + lane;
    const long long place = ((n * out_height + i0 + warp) * out_width + j0) * pitch + f;
#pragma unroll
    for (int q = 0; q < COLUMNS; q++)
        if (j0 + q < out_width)
            y[place + q * pitch] = finished(sums[q], bias, residual, place + q * pitch, f, low, high);
}
