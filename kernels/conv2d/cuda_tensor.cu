// conv2d as one matrix product on tensor cores (implicit GEMM), of numbers rounded to TF32: 10 bits of fraction, and
// the range of a float.
//
//     y (N OH OW, F) = clip(windows (N OH OW, KH KW C) @ w (KH KW C, F) + bias + residual)
//
// x (N,H,W,C), w (KH,KW,C/groups,F), y (N,OH,OW,F), one product for each group; `channels` and `filters` are those of
// one group.  Tensor cores multiply so fast that the next numbers have to be on their way long before: STAGES blocks of
// windows and weights lie in shared memory, copied there by the hardware (cp.async) while warps multiply the oldest.
//
// Where channels are a multiple of BLOCK_K, the taps of BLOCK_K channels come one after the other (`taps_first`): their
// windows overlap, so that most pixels are found in the first cache, which the copies go through.
//
// Where there are too few blocks for all multiprocessors, the columns are split: chunk blockIdx.y adds its part alone,
// and cuda_chunks.cu adds the chunks in their order.
//
// BLOCK and VECTOR come from cuda_tensor.py, which asks _gpu/tensor_cores.py.
#define TF32
#include "tensor_layouts.cuh"
#include "windows.cuh"

#define STAGES 4

// Begin to copy the next columns of the windows.
static __device__ __forceinline__ void copy_windows(Windows &windows, const float *x, Number *a) {
    Number *to = a + row_fetched() * PITCH_A + depth_fetched();
    Column at = windows.next;
#if VECTOR == 4
#pragma unroll
    for (int l = 0; l < LOADS_A; l++) {
        const bool inside = windows.inside(l, at);
        const float *from = inside ? windows.origin[l] + windows.offset(at) : x;
        copy_async_cached(to + l * ROWS_APART * PITCH_A, from, inside ? 16 : 0);
    }
#else
#pragma unroll
    for (int q = 0; q < 4; q++, at.advance(1, windows.g))
#pragma unroll
        for (int l = 0; l < LOADS_A; l++) {
            const bool inside = windows.inside(l, at);
            const float *from = inside ? windows.origin[l] + windows.offset(at) : x;
            copy_async_4(to + l * ROWS_APART * PITCH_A + q, from, inside ? 4 : 0);
        }
#endif
    windows.next.advance_block(windows.g);
}

// Begin to copy the rows of w from `first` on, `left` filters from this thread's column.
static __device__ __forceinline__ void copy_weights(const float *w, int first, int depth, int left, int pitch,
                                                    Number *b) {
#pragma unroll
    for (int l = 0; l < LOADS_B; l++) {
        const int row = row_fetched_b() + l * ROWS_APART_B;
        const int some = first + row < depth ? left : 0;
        const float *from = w + (some > 0 ? (first + row) * pitch + column_fetched() : 0);
        Number *to = b + row * PITCH_B + column_fetched();
#if VECTOR == 4
        copy_async(to, from, some > 0 ? 16 : 0);
#else
#pragma unroll
        for (int q = 0; q < 4; q++) copy_async_4(to + q, q < some ? from + q : w, q < some ? 4 : 0);
#endif
    }
}

// y has `gridDim.y` parts of (pixels, F), each of `steps` * BLOCK_K columns of the windows.
extern "C" __global__ void __launch_bounds__(THREADS, 2) conv2d_forward_v7_tensor_tf32(
    const float *x, const float *w, const float *bias, const float *residual, float *y, float low, float high,
    long long pixels, int steps, int taps_first, int height, int width, int channels, int out_height, int out_width,
    int filters, int taps_h, int taps_w, int step_h, int step_w, int top, int left, int gap_h, int gap_w, int groups) {
    DYNAMIC_SHARED(Number, stages);
    const int panels = (filters + BLOCK - 1) / BLOCK, pitch = filters * groups;
    const int column0 = blockIdx.x % panels * BLOCK, group = blockIdx.x / panels % groups;
    const long long row0 = blockIdx.x / panels / groups * (long long)BLOCK;
    const int first = blockIdx.y * steps * BLOCK_K, depth = taps_h * taps_w * channels;
    const int count = min(steps, (depth - first + BLOCK_K - 1) / BLOCK_K);
    Windows windows;
    windows.g = {height, width, channels, channels * groups, taps_h, taps_w, gap_h, gap_w, taps_first != 0};
    windows.begin(x + group * channels, row0, pixels, first, out_height, out_width, step_h, step_w, top, left);
    const float *panel = w + group * filters + column0;
    auto copy = [&](int step) {
        Number *stage = stages + step % STAGES * (A_NUMBERS + B_NUMBERS);
        const int row = windows.next.index(windows.g) - depth_fetched();
        if (step < count) {
            copy_weights(panel, row, depth, filters - column0 - column_fetched(), pitch, stage + A_NUMBERS);
            copy_windows(windows, x, stage);
        }
        copies_commit();  // an empty group too, so that the oldest is always the one to wait for
    };
    Sums sums = {};
    for (int step = 0; step < STAGES - 1; step++) copy(step);
    for (int step = 0; step < count; step++) {
        copies_wait<STAGES - 2>();
        __syncthreads();
        copy(step + STAGES - 1);  // to where all threads have read
        const Number *stage = stages + step % STAGES * (A_NUMBERS + B_NUMBERS);
        multiply_add<true, false>(stage, stage + A_NUMBERS, sums);
    }
    copies_wait<0>();
    write_tile(sums, bias, residual, y + blockIdx.y * pixels * pitch, low, high, row0, column0, pixels, filters,
               group * filters, pitch);
}
