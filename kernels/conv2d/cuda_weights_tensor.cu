// The weight gradient of conv2d as one matrix product on tensor cores (implicit GEMM, split along K).
//
//     dw (KH KW C, F) = windows (pixels, KH KW C) transposed @ dy (pixels, F),    pixels = N OH OW
//
// x (N,H,W,C), dy (N,OH,OW,F), dw (KH,KW,C/groups,F), as in cuda_weights_blocked.cu, but x and dy are rounded to what
// the macro says, and a warp multiplies by tensor cores (tensor_tile.cuh).  Channels and filters lie side by side in
// memory: both factors lie across k in shared memory.
//
// BLOCK and VECTOR, and TF32 or BFLOAT16 or HALF, come from cuda_weights_tensor.py, which asks _gpu/tensor_cores.py.
#include "numbers.cuh"
#include "tensor_windows.cuh"
#include "matrix_across.cuh"
#include "window_columns.cuh"

// parts (chunks,KH,KW,C/groups,F): chunk blockIdx.y of them is made of `chunk` pixels.
extern "C" __global__ void __launch_bounds__(THREADS, 2) conv2d_backward_weights_tensor(
    const float *x, const float *dy, float *parts, int pixels, int chunk, int height, int width, int channels,
    int out_height, int out_width, int filters, int taps_h, int taps_w, int step_h, int step_w, int top, int left,
    int gap_h, int gap_w, int groups) {
    __shared__ __align__(16) Operand a[2];
    __shared__ __align__(16) Operand b[2];
    const int depth = taps_h * taps_w * channels, pitch = filters * groups;
    const int panels = (filters + BLOCK - 1) / BLOCK, tiles = (depth + BLOCK - 1) / BLOCK;
    const int column0 = blockIdx.x % panels * BLOCK, row0 = blockIdx.x / panels % tiles * BLOCK;
    const int group = blockIdx.x / panels / tiles;
    const int begin = blockIdx.y * chunk, end = min(begin + chunk, pixels);
    WindowColumns windows;
    windows.g = {height, width, channels, channels * groups, taps_h, taps_w, gap_h, gap_w, false};
    windows.out_height = out_height, windows.out_width = out_width;
    windows.step_h = step_h, windows.step_w = step_w;
    windows.begin(row0, depth, top, left);
    windows.go_to(x + group * channels, begin, end);
    MatrixAcross<BLOCK> gradients(dy + group * filters, column0, begin, end, filters, pitch);
    Sums sums = {};
    multiply<false, false>(windows, gradients, (end - begin + BLOCK_K - 1) / BLOCK_K, a, b, sums);
    float *dw = parts + blockIdx.y * (long long)depth * pitch;
    write_tile(sums, nullptr, nullptr, dw, -INFINITY, INFINITY, row0, column0, depth, filters, group * filters, pitch);
}
