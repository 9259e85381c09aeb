// depthwise_conv2d on a GPU, one idea: a thread makes LANES neighbouring channels of several pixels of a row, so that
// memory moves 16 bytes at once, and each weight that is read serves all the pixels.
//
//     y[n,i,j,f] = sum over a,b of  x[n, i sh - top + a dh, j sw - left + b dw, f / M] * w[a,b,f],    f = c M + m
//
// x (N,H,W,C), w (KH,KW,F), y (N,OH,OW,F) with F = C M; positions outside the image add nothing.  With LANES 4, M is 1.
//
// LANES comes from cuda_vector.py, which asks _gpu/lanes.py.
#include "channels.cuh"

#define PIXELS 4   // of a row, for one thread
#define ACROSS 8   // threads of a block that take neighbouring channels of a weight gradient: 128 bytes with LANES 4
#define SLICES 32  // threads that take the rows of a chunk in turn

extern "C" __global__ void __launch_bounds__(256) depthwise_conv2d_forward_v3_vector(
    const float *x, const float *w, const float *bias, const float *residual, float *y, float low, float high,
    long long count, int height, int width, int channels, int out_height, int out_width, int multiplier, int taps_h,
    int taps_w, int step_h, int step_w, int top, int left, int gap_h, int gap_w) {
    const long long place = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (place >= count) return;
    const int filters = channels * multiplier, vectors = filters / LANES, blocks = (out_width + PIXELS - 1) / PIXELS;
    const int f = place % vectors * LANES, j0 = place / vectors % blocks * PIXELS;
    const long long line = place / vectors / blocks;  // of all rows of y
    const float *image = x + line / out_height * height * width * channels + f / multiplier;
    Vector sums[PIXELS] = {};
    for (int a = 0; a < taps_h; a++) {
        const int row = int(line % out_height) * step_h - top + a * gap_h;
        if (row < 0 || row >= height) continue;
        for (int b = 0; b < taps_w; b++) {
            const Vector weights = loaded(w + (a * taps_w + b) * filters + f);
#pragma unroll
            for (int p = 0; p < PIXELS; p++) {
                const int column = (j0 + p) * step_w - left + b * gap_w;
                if (column < 0 || column >= width) continue;
                add_products(sums[p], loaded(image + (row * width + column) * channels), weights);
            }
        }
    }
#pragma unroll
    for (int p = 0; p < PIXELS; p++) {
        const long long i = (line * out_width + j0 + p) * filters + f;
        if (j0 + p < out_width) store_finished(sums[p], bias, residual, y, i, f, low, high);
    }
}

// dx[n,r,s,c] = sum over a,b,m of  dy[n,i,j,c M + m] * w[a,b,c M + m],   i sh = r + top - a dh,  j sw = s + left - b dw
//
// The pixels of a thread lie a stride apart: then the same taps meet all of them.
extern "C" __global__ void __launch_bounds__(256) depthwise_conv2d_backward_input_v3_vector(
    const float *dy, const float *w, float *dx, long long count, int height, int width, int channels, int out_height,
    int out_width, int multiplier, int taps_h, int taps_w, int step_h, int step_w, int top, int left, int gap_h,
    int gap_w) {
    const long long place = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (place >= count) return;
    const int filters = channels * multiplier, vectors = channels / LANES;
    const int blocks = (width + PIXELS * step_w - 1) / (PIXELS * step_w) * step_w;
    const int c = place % vectors * LANES, block = place / vectors % blocks;
    const int column0 = block / step_w * PIXELS * step_w + block % step_w;
    const long long line = place / vectors / blocks;  // of all rows of dx
    const float *image = dy + line / height * out_height * out_width * filters + c * multiplier;
    Vector sums[PIXELS] = {};
    for (int a = 0; a < taps_h; a++) {
        const int i = int(line % height) + top - a * gap_h;
        if (i < 0 || i % step_h || i / step_h >= out_height) continue;
        for (int b = 0; b < taps_w; b++) {
            const int j0 = column0 + left - b * gap_w;
            if (j0 % step_w) continue;
            for (int m = 0; m < multiplier; m++) {
                const Vector weights = loaded(w + (a * taps_w + b) * filters + c * multiplier + m);
#pragma unroll
                for (int p = 0; p < PIXELS; p++) {
                    const int j = j0 / step_w + p;
                    if (j < 0 || j >= out_width) continue;
                    add_products(sums[p], loaded(image + (i / step_h * out_width + j) * filters + m), weights);
                }
            }
        }
    }
#pragma unroll
    for (int p = 0; p < PIXELS; p++) {
        const int column = column0 + p * step_w;
        if (column < width) store(dx + (line * width + column) * channels + c, sums[p]);
    }
}

// parts (chunks,KH,KW,F): block (x,y,z) makes tap y of LANES * ACROSS channels over chunk z, which is chunk_rows of the
// N OH rows of dy.  A thread adds every SLICES-th row of it, and the threads' sums are added in their order.
extern "C" __global__ void __launch_bounds__(ACROSS *SLICES) depthwise_conv2d_backward_weights_v3_vector(
    const float *x, const float *dy, float *parts, int rows, int chunk_rows, int height, int width, int channels,
    int out_height, int out_width, int multiplier, int taps_h, int taps_w, int step_h, int step_w, int top, int left,
    int gap_h, int gap_w) {
    __shared__ Vector slices[SLICES][ACROSS];
    const int filters = channels * multiplier, lane = threadIdx.x % ACROSS, slice = threadIdx.x / ACROSS;
    const int own = (blockIdx.x * ACROSS + lane) * LANES, f = min(own, filters - LANES);  // beyond the last: it again
    const int a = blockIdx.y / taps_w, b = blockIdx.y % taps_w;
    const int offset = b * gap_w - left;  // of column j sw of the image
    const int first_j = offset < 0 ? (-offset + step_w - 1) / step_w : 0;
    const int last_j = min(out_width, (width - offset + step_w - 1) / step_w);
    const int last = min(int(blockIdx.z + 1) * chunk_rows, rows);
    Vector sums = {};
    for (int i = blockIdx.z * chunk_rows + slice; i < last; i += SLICES) {
        const int row = i % out_height * step_h - top + a * gap_h;
        if (row < 0 || row >= height) continue;
        const float *pixels = x + ((long long)(i / out_height) * height + row) * width * channels + f / multiplier;
        const float *gradients = dy + (long long)i * out_width * filters + f;
        Vector row_sums = {};
        for (int j = first_j; j < last_j; j++)
            add_products(row_sums, loaded(pixels + (j * step_w + offset) * channels), loaded(gradients + j * filters));
        add(sums, row_sums);
    }
    slices[slice][lane] = sums;
    __syncthreads();
    if (slice || own >= filters) return;
    for (int s = 1; s < SLICES; s++) add(sums, slices[s][lane]);
    store(parts + ((long long)blockIdx.z * gridDim.y + blockIdx.y) * filters + f, sums);
}

// dw (count) = the sum of parts (chunks,count), in their order.
extern "C" __global__ void depthwise_conv2d_backward_weights_sum(const float *parts, float *dw, int count, int chunks) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    float sum = 0;
    for (int chunk = 0; chunk < chunks; chunk++) sum += parts[(long long)chunk * count + i];
    dw[i] = sum;
}
