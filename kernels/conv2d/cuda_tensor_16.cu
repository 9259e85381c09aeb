// conv2d as one matrix product on tensor cores (implicit GEMM), of numbers rounded to 16 bits: bfloat16, which has 7
// bits of fraction and the range of a float, or half, which has 10 and ends at 65504.
//
//     y (N OH OW, F) = clip(windows (N OH OW, KH KW C) @ w (KH KW C, F) + bias + residual)
//
// x (N,H,W,C), w (KH,KW,C/groups,F), y (N,OH,OW,F), one product for each group; `channels` and `filters` are those of
// one group.  Numbers are rounded on their way from memory to shared memory, which has then room for twice as many; so
// they go by way of registers, a block of columns while the block before is multiplied.
//
// Taps come first and columns are split as in cuda_tensor.cu.
//
// BLOCK and VECTOR, and BFLOAT16 or HALF, come from cuda_tensor.py, which asks _gpu/tensor_cores.py.
#include "tensor_layouts.cuh"
#include "windows.cuh"

static __device__ __forceinline__ void put_along(const float4 (&held)[LOADS_A], Number (&a)[A_NUMBERS]) {
#pragma unroll
    for (int l = 0; l < LOADS_A; l++)
        *(uint2 *)&a[(row_fetched() + l * ROWS_APART) * PITCH_A + depth_fetched()] = four_rounded(held[l]);
}

// Rows of w, as a thread holds them.
struct Weights {
    const float *from;  // this thread's first filter
    int depth, left, pitch;
    float4 held[LOADS_B];

    __device__ __forceinline__ void fetch(int first) {
#pragma unroll
        for (int l = 0; l < LOADS_B; l++) {
            const int row = first + row_fetched_b() + l * ROWS_APART_B;
            held[l] = four_of(from + (long long)row * pitch, row < depth ? left : 0);
        }
    }
    __device__ __forceinline__ void put(Number (&b)[B_NUMBERS]) const {
#pragma unroll
        for (int l = 0; l < LOADS_B; l++)
            *(uint2 *)&b[(row_fetched_b() + l * ROWS_APART_B) * PITCH_B + column_fetched()] = four_rounded(held[l]);
    }
};

// y has `gridDim.y` parts of (pixels, F), each of `steps` * BLOCK_K columns of the windows.
extern "C" __global__ void __launch_bounds__(THREADS, 2) conv2d_forward_tensor_16(
    const float *x, const float *w, const float *bias, const float *residual, float *y, float low, float high,
    long long pixels, int steps, int taps_first, int height, int width, int channels, int out_height, int out_width,
    int filters, int taps_h, int taps_w, int step_h, int step_w, int top, int left, int gap_h, int gap_w, int groups) {
    __shared__ __align__(16) Number a[2][A_NUMBERS];
    __shared__ __align__(16) Number b[2][B_NUMBERS];
    const int panels = (filters + BLOCK - 1) / BLOCK, pitch = filters * groups;
    const int column0 = blockIdx.x % panels * BLOCK, group = blockIdx.x / panels % groups;
    const long long row0 = blockIdx.x / panels / groups * (long long)BLOCK;
    const int first = blockIdx.y * steps * BLOCK_K, depth = taps_h * taps_w * channels;
    const int count = min(steps, (depth - first + BLOCK_K - 1) / BLOCK_K);
    Windows windows;
    windows.g = {height, width, channels, channels * groups, taps_h, taps_w, gap_h, gap_w, taps_first != 0};
    windows.begin(x + group * channels, row0, pixels, first, out_height, out_width, step_h, step_w, top, left);
    Weights weights = {w + group * filters + column0 + column_fetched(), depth, filters - column0 - column_fetched(),
                       pitch};
    auto fetch = [&] {
        weights.fetch(windows.next.index(windows.g) - depth_fetched());
        windows.fetch();
    };
    Sums sums = {};
    fetch();
    windows.put(a[0]), weights.put(b[0]);
    __syncthreads();
    for (int step = 0; step < count; step++) {
        const int next = (step + 1) % 2;
        if (step + 1 < count) fetch();
        multiply_add<true, false>(a[step % 2], b[step % 2], sums);
        if (step + 1 < count) windows.put(a[next]), weights.put(b[next]);
        __syncthreads();
    }
    write_tile(sums, bias, residual, y + blockIdx.y * pixels * pitch, low, high, row0, column0, pixels, filters,
               group * filters, pitch);
}
