// conv2d as one matrix product that nobody writes down (implicit GEMM).
//
//     y (N OH OW, F) = clip(windows (N OH OW, KH KW C) @ w (KH KW C, F) + bias + residual)
//
// x (N,H,W,C), w (KH,KW,C/groups,F), y (N,OH,OW,F), one product for each group; `channels` and `filters` are those of
// one group.  A block makes BLOCK_M pixels of BLOCK_N filters, and gathers BLOCK_K columns of its windows from the
// image (windows.cuh) to shared memory while it multiplies those before (register_tile.cuh).  A thread has 64 sums, for
// which 16 numbers from shared memory make 64 products; in cuda_tiled.cu it has 8, and reads 9 for 8.  An image's
// channels lie side by side, so four of them come at once where their number is a multiple of four.
//
// Where there are too few blocks for all multiprocessors, the columns are split: chunk blockIdx.y adds its part alone,
// and cuda_chunks.cu adds the chunks in their order.
//
// BLOCK_M, BLOCK_N and VECTOR come from cuda_blocked.py, which asks _gpu/blocks.py.
#include "windows.cuh"

// y has `gridDim.y` parts of (pixels, F), each of `steps` * BLOCK_K columns of the windows.
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS_AT_ONCE) conv2d_forward_v4_blocked(
    const float *x, const float *w, const float *bias, const float *residual, float *y, float low, float high,
    long long pixels, int steps, int height, int width, int channels, int out_height, int out_width, int filters,
    int taps_h, int taps_w, int step_h, int step_w, int top, int left, int gap_h, int gap_w, int groups) {
    __shared__ __align__(16) ColumnsOfA a[2];
    __shared__ __align__(16) RowsOfB b[2];
    const int panels = (filters + BLOCK_N - 1) / BLOCK_N, pitch = filters * groups;
    const int panel = blockIdx.x % panels, group = blockIdx.x / panels % groups;
    const long long row0 = blockIdx.x / panels / groups * (long long)BLOCK_M;
    const int first = blockIdx.y * steps * BLOCK_K, depth = taps_h * taps_w * channels;
    Windows windows;
    windows.g = {height, width, channels, channels * groups, taps_h, taps_w, gap_h, gap_w};
    windows.begin(x + group * channels, row0, pixels, first, out_height, out_width, step_h, step_w, top, left);
    MatrixB weights(w + group * filters, panel * BLOCK_N, first, depth, filters, pitch);
    float sums[8][8] = {};
    multiply(windows, weights, min(steps, (depth - first + BLOCK_K - 1) / BLOCK_K), a, b, sums);
    write_tile(sums, bias, residual, y + blockIdx.y * pixels * pitch, low, high, row0, panel * BLOCK_N, pixels, filters,
               group * filters, pitch);
}
