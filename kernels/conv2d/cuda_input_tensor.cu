// The input gradient of conv2d as matrix products on tensor cores (implicit GEMM).
//
//     dx[:, u::sh, v::sw] (pixels, C) = clip(windows of dy (pixels, taps F) @ w (taps F, C) + bias + residual)
//
// dx (N,H,W,C), dy (N,OH,OW,F), w (KH,KW,C/groups,F), as in cuda_input_blocked.cu, but dy and w are rounded to what the
// macro says, and a warp multiplies by tensor cores (tensor_tile.cuh).  Filters lie side by side in both: they lie
// along k in shared memory.
//
// BLOCK and VECTOR, and TF32 or BFLOAT16 or HALF, come from cuda_input_tensor.py, which asks _gpu/tensor_cores.py.
#include "tensor_windows.cuh"
#include "residues.cuh"

// dx has `gridDim.y` parts of `count` numbers, each of `steps` * BLOCK_K columns of the windows.
extern "C" __global__ void __launch_bounds__(THREADS, 2) conv2d_backward_input_tensor(
    const float *dy, const float *w, const float *bias, const float *residual, float *dx, float low, float high,
    long long count, int images, int steps, int taps_first, int height, int width, int channels, int out_height,
    int out_width, int filters, int taps_h, int taps_w, int step_h, int step_w, int top, int left, int gap_h, int gap_w,
    int groups) {
    __shared__ __align__(16) Operand a[2];
    __shared__ __align__(16) Operand b[2];
    __shared__ Residue at;
    const int panels = (channels + BLOCK - 1) / BLOCK, column0 = blockIdx.x % panels * BLOCK;
    const int group = blockIdx.x / panels % groups, pitch = filters * groups;
    if (threadIdx.x == 0) at.find(blockIdx.x / panels / groups, BLOCK, height, width, step_h, step_w);
    __syncthreads();
    if (at.first >= at.pixels(images)) return;
    const Reach reach = {taps_of_residue(taps_h, at.u + top, step_h, gap_h),
                         taps_of_residue(taps_w, at.v + left, step_w, gap_w)};
    const int first = blockIdx.y * steps * BLOCK_K, depth = reach.down.count * reach.across.count * filters;
    Sums sums = {};
    if (first < depth) {
        Windows windows = reach.windows(at, dy + group * filters, images, first, out_height, out_width, filters, pitch,
                                        taps_first != 0);
        TurnedWeights weights = reach.weights(windows, w + group * filters, column0, channels, pitch, taps_w);
        multiply<true, true>(windows, weights, min(steps, (depth - first + BLOCK_K - 1) / BLOCK_K), a, b, sums);
    }
    const auto place = [&](int row) { return at.place(row, images, height, width, step_h, step_w); };
    write_rows(sums, bias, residual, dx + blockIdx.y * count, low, high, place, column0, channels, group * channels,
               channels * groups);
}
