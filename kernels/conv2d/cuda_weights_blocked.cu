// The weight gradient of conv2d as one matrix product whose long side is summed (implicit GEMM, split along K).
//
//     dw (KH KW C, F) = windows (pixels, KH KW C) transposed @ dy (pixels, F),    pixels = N OH OW
//
// x (N,H,W,C), dy (N,OH,OW,F), dw (KH,KW,C/groups,F); `channels` and `filters` are those of one group.  Four columns of
// the windows lie side by side in the image, so they go to shared memory as they come.  The pixels are cut into chunks,
// blockIdx.y, whose number depends on the shapes alone: each makes a dw of its own, and cuda_weights.cu adds them in
// order.  Every `piece` steps of BLOCK_K pixels a block adds its sums to what it wrote before, and begins with zeros
// again: rounding errors grow with the terms of one sum.
//
// BLOCK_M, BLOCK_N and VECTOR come from cuda_weights_blocked.py, which asks _gpu/blocks.py.
#include "numbers.cuh"
#include "register_tile.cuh"
#include "window_columns.cuh"

// parts (chunks,KH,KW,C/groups,F): chunk blockIdx.y of them is made of `chunk` pixels.
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS_AT_ONCE) conv2d_backward_weights_v4_blocked(
    const float *x, const float *dy, float *parts, int pixels, int chunk, int piece, int height, int width,
    int channels, int out_height, int out_width, int filters, int taps_h, int taps_w, int step_h, int step_w, int top,
    int left, int gap_h, int gap_w, int groups) {
    __shared__ __align__(16) ColumnsOfA a[2];
    __shared__ __align__(16) RowsOfB b[2];
    __shared__ float *dw;  // where sums go, and below the first of their rows: in registers they would be in the way
    __shared__ int row0;
    const int depth = taps_h * taps_w * channels, pitch = filters * groups;
    const int panels = (filters + BLOCK_N - 1) / BLOCK_N, tiles = (depth + BLOCK_M - 1) / BLOCK_M;
    const int panel = blockIdx.x % panels, tile = blockIdx.x / panels % tiles, group = blockIdx.x / panels / tiles;
    const int begin = blockIdx.y * chunk, end = min(begin + chunk, pixels);
    if (threadIdx.x == 0) row0 = tile * BLOCK_M, dw = parts + blockIdx.y * (long long)depth * pitch;
    WindowColumns windows;
    windows.g = {height, width, channels, channels * groups, taps_h, taps_w, gap_h, gap_w};
    windows.out_height = out_height, windows.out_width = out_width;
    windows.step_h = step_h, windows.step_w = step_w;
    windows.begin(tile * BLOCK_M, depth, top, left);
    windows.go_to(x + group * channels, begin, end);
    MatrixB gradients(dy + group * filters, panel * BLOCK_N, begin, end, filters, pitch);
    for (int first = begin; first < end; first += piece * BLOCK_K) {
        float sums[8][8] = {};
        multiply(windows, gradients, min(piece, (end - first + BLOCK_K - 1) / BLOCK_K), a, b, sums);
        const float *before = first == begin ? nullptr : dw;
        write_tile(sums, nullptr, before, dw, -INFINITY, INFINITY, row0, panel * BLOCK_N, depth, filters,
                   group * filters, pitch);
    }
}
