// The input gradient of conv2d as matrix products that nobody writes down (implicit GEMM).
//
//     dx[:, u::sh, v::sw] (pixels, C) = clip(windows of dy (pixels, taps F) @ w (taps F, C) + bias + residual)
//
// dx (N,H,W,C), dy (N,OH,OW,F), w (KH,KW,C/groups,F), one product for each residue (u,v) of the strides (residues.cuh)
// and each group; `channels` and `filters` are those of one group.  All residues are made by one launch: blocks of
// different ones, whose sums differ in length, take turns.  Where cuda_input.cu skips the taps that miss a pixel, one
// by one, here no product is made that is not wanted.  blockIdx.y is the chunk of a sum that is split, as in
// cuda_blocked.cu.
//
// BLOCK_M, BLOCK_N and VECTOR come from cuda_input_blocked.py, which asks _gpu/blocks.py.
#include "register_tile.cuh"
#include "residues.cuh"

// dx has `gridDim.y` parts of `count` numbers, each of `steps` * BLOCK_K columns of the windows.
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS_AT_ONCE) conv2d_backward_input_v4_blocked(
    const float *dy, const float *w, const float *bias, const float *residual, float *dx, float low, float high,
    long long count, int images, int steps, int height, int width, int channels, int out_height, int out_width,
    int filters, int taps_h, int taps_w, int step_h, int step_w, int top, int left, int gap_h, int gap_w, int groups) {
    __shared__ __align__(16) ColumnsOfA a[2];
    __shared__ __align__(16) RowsOfB b[2];
    __shared__ Residue at;  // in registers it would be in the way of sums
    const int panels = (channels + BLOCK_N - 1) / BLOCK_N, column0 = blockIdx.x % panels * BLOCK_N;
    const int group = blockIdx.x / panels % groups, pitch = filters * groups;
    if (threadIdx.x == 0) at.find(blockIdx.x / panels / groups, BLOCK_M, height, width, step_h, step_w);
    __syncthreads();
    if (at.first >= at.pixels(images)) return;
    const Reach reach = {taps_of_residue(taps_h, at.u + top, step_h, gap_h),
                         taps_of_residue(taps_w, at.v + left, step_w, gap_w)};
    const int first = blockIdx.y * steps * BLOCK_K, depth = reach.down.count * reach.across.count * filters;
    float sums[8][8] = {};
    if (first < depth) {
        Windows windows = reach.windows(at, dy + group * filters, images, first, out_height, out_width, filters, pitch,
                                        false);
        TurnedWeights weights = reach.weights(windows, w + group * filters, column0, channels, pitch, taps_w);
        multiply(windows, weights, min(steps, (depth - first + BLOCK_K - 1) / BLOCK_K), a, b, sums);
    }
    const auto place = [&](int row) { return at.place(row, images, height, width, step_h, step_w); };
    write_rows(sums, bias, residual, dx + blockIdx.y * count, low, high, place, column0, channels, group * channels,
               channels * groups);
}
