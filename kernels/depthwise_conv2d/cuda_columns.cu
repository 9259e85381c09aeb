// depthwise_conv2d on a GPU, one idea: the windows of neighbouring pixels overlap, so a thread reads each column of the
// image once, and adds it to all the sums that see it: of windows of 3 columns, 6 reads where cuda_vector.cu has 12.
//
//     y[n,i,j,c] = sum over a,b of  x[n, i sh - top + a dh, j STRIDE - left + b, c] * w[a,b,c]
//
// x (N,H,W,C), w (KH,TAPS,C), y (N,OH,OW,C); positions outside the image add nothing.  How far windows overlap is part
// of the program: TAPS columns that move by STRIDE.
//
// STRIDE and TAPS come from cuda_columns.py.
#include "channels.cuh"

#ifndef TAPS
#define TAPS 3
#define STRIDE 1
#endif
#define PIXELS 4   // of a row, for one thread
#define ACROSS 8   // threads of a block that take neighbouring channels of a weight gradient
#define SLICES 32  // threads that take the rows of a chunk in turn

// With `flipped` weights it is the gradient for x where nothing is strided: y is dx, and x is dy.
extern "C" __global__ void __launch_bounds__(256, 2) depthwise_conv2d_forward_v4_columns(
    const float *x, const float *w, const float *bias, const float *residual, float *y, float low, float high,
    long long count, int flipped, int height, int width, int channels, int out_height, int out_width, int taps_h,
    int step_h, int top, int left, int gap_h) {
    const long long place = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (place >= count) return;
    const int vectors = channels / LANES, blocks = (out_width + PIXELS - 1) / PIXELS;
    const int c = place % vectors * LANES, j0 = place / vectors % blocks * PIXELS;
    const long long line = place / vectors / blocks;  // of all rows of y
    const float *image = x + line / out_height * height * width * channels + c;
    Vector sums[PIXELS] = {};
    for (int a = 0; a < taps_h; a++) {
        const int row = int(line % out_height) * step_h - top + a * gap_h;
        if (row < 0 || row >= height) continue;
        Vector weights[TAPS];
#pragma unroll
        for (int b = 0; b < TAPS; b++) {
            const int tap = flipped ? (taps_h - a) * TAPS - 1 - b : a * TAPS + b;
            weights[b] = loaded(w + tap * channels + c);
        }
#pragma unroll
        for (int q = 0; q < (PIXELS - 1) * STRIDE + TAPS; q++) {
            const int column = j0 * STRIDE - left + q;
            if (column < 0 || column >= width) continue;
            const Vector pixel = loaded(image + (row * width + column) * channels);
#pragma unroll
            for (int p = 0; p < PIXELS; p++)
                if (q >= p * STRIDE && q < p * STRIDE + TAPS) add_products(sums[p], pixel, weights[q - p * STRIDE]);
        }
    }
#pragma unroll
    for (int p = 0; p < PIXELS; p++) {
        const long long i = (line * out_width + j0 + p) * channels + c;
        if (j0 + p < out_width) store_finished(sums[p], bias, residual, y, i, c, low, high);
    }
}

// parts (chunks,KH,TAPS,C): block (x,y,z) makes the taps of row y of LANES * ACROSS channels over chunk z, which is
// chunk_rows of the N OH rows of dy.  Along a row of dy a window of TAPS columns of x moves in registers: of every
// pixel, STRIDE new columns are read and its dy, for TAPS products.
extern "C" __global__ void __launch_bounds__(ACROSS *SLICES) depthwise_conv2d_backward_weights_v4_columns(
    const float *x, const float *dy, float *parts, int rows, int chunk_rows, int height, int width, int channels,
    int out_height, int out_width, int step_h, int top, int left, int gap_h) {
    __shared__ Vector slices[TAPS][SLICES][ACROSS];
    const int lane = threadIdx.x % ACROSS, slice = threadIdx.x / ACROSS;
    const int own = (blockIdx.x * ACROSS + lane) * LANES, c = min(own, channels - LANES);  // beyond the last: it again
    const int last = min(int(blockIdx.z + 1) * chunk_rows, rows);
    Vector sums[TAPS] = {};
    for (int i = blockIdx.z * chunk_rows + slice; i < last; i += SLICES) {
        const int row = i % out_height * step_h - top + blockIdx.y * gap_h;
        if (row < 0 || row >= height) continue;
        const float *pixels = x + ((long long)(i / out_height) * height + row) * width * channels + c;
        const float *gradients = dy + (long long)i * out_width * channels + c;
        Vector window[TAPS] = {}, row_sums[TAPS] = {};
#pragma unroll
        for (int b = STRIDE; b < TAPS; b++) {
            const int column = b - STRIDE - left;
            if (column >= 0 && column < width) window[b] = loaded(pixels + column * channels);
        }
        for (int j = 0; j < out_width; j++) {
            const int column0 = j * STRIDE - left;
            const Vector gradient = loaded(gradients + j * channels);
#pragma unroll
            for (int b = 0; b < TAPS; b++) {
                const int column = column0 + b;
                if (b + STRIDE < TAPS) window[b] = window[b + STRIDE];
                if (column < 0 || column >= width) continue;
                if (b + STRIDE >= TAPS) window[b] = loaded(pixels + column * channels);
                add_products(row_sums[b], window[b], gradient);
            }
        }
#pragma unroll
        for (int b = 0; b < TAPS; b++) add(sums[b], row_sums[b]);
    }
#pragma unroll
    for (int b = 0; b < TAPS; b++) slices[b][slice][lane] = sums[b];
    __syncthreads();
    if (slice >= TAPS || own >= channels) return;
    Vector total = slices[slice][0][lane];
    for (int s = 1; s < SLICES; s++) add(total, slices[slice][s][lane]);
    store(parts + (((long long)blockIdx.z * gridDim.y + blockIdx.y) * TAPS + slice) * channels + c, total);
}
