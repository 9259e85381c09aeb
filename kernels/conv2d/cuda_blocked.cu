// conv2d as one matrix product that nobody writes down (implicit GEMM).
//
//     y (N OH OW, F) = clip(windows (N OH OW, KH KW C) @ w (KH KW C, F) + bias + residual)
//
// x (N,H,W,C), w (KH,KW,C/groups,F), y (N,OH,OW,F), one product for each group; `channels` and `filters` are those of
// one group.  A block makes BLOCK_M pixels of BLOCK_N filters, and gathers BLOCK_K columns of its windows from the image
// to shared memory while it multiplies those before (register_tile.cuh).  An image's channels lie side by side, so four
// of them come at once where their number is a multiple of four.
//
// Where there are too few blocks for all multiprocessors, the columns are split: chunk blockIdx.y adds its part alone,
// and cuda_chunks.cu adds the chunks in their order.
#include "register_tile.cuh"

struct Image {
    int height, width, channels, pixel, taps_h, taps_w, gap_h, gap_w;
};

// Where a column of the windows lies: tap (a,b) and channel c of its group.
struct Column {
    int a, b, c;

    __device__ __forceinline__ void advance(int steps, const Image &g) {
        for (c += steps; c >= g.channels; c -= g.channels)
            if (++b == g.taps_w) b = 0, a++;
    }
};

// The windows of some output pixels, as rows of a matrix.
struct Windows {
    Image g;
    Column next;
    const float *origin[LOADS_A];  // of each row: its first tap, which may lie outside the image
    int row[LOADS_A], column[LOADS_A];
    float4 held[LOADS_A];

    __device__ __forceinline__ void begin(const float *x, long long first, long long pixels, int k, int out_height,
                                          int out_width, int step_h, int step_w, int top, int left) {
        k += depth_fetched();
        next = {k / g.channels / g.taps_w, k / g.channels % g.taps_w, k % g.channels};
#pragma unroll
        for (int l = 0; l < LOADS_A; l++) {
            const long long m = first + row_fetched() + l * ROWS_APART, line = m / out_width;
            row[l] = m < pixels ? int(line % out_height) * step_h - top : -(1 << 30);
            column[l] = int(m % out_width) * step_w - left;
            origin[l] = x + ((line / out_height * g.height + row[l]) * g.width + column[l]) * g.pixel;
        }
    }
    __device__ __forceinline__ bool inside(int l, const Column &at) const {
        return at.a < g.taps_h && unsigned(row[l] + at.a * g.gap_h) < unsigned(g.height) &&
               unsigned(column[l] + at.b * g.gap_w) < unsigned(g.width);
    }
    __device__ __forceinline__ float number(int l, const Column &at) const {
        return inside(l, at) ? origin[l][offset(at)] : 0;
    }
    __device__ __forceinline__ int offset(const Column &at) const {
        return (at.a * g.gap_h * g.width + at.b * g.gap_w) * g.pixel + at.c;
    }
    __device__ __forceinline__ void fetch() {
#if VECTOR == 4
#pragma unroll
        for (int l = 0; l < LOADS_A; l++)
            held[l] = inside(l, next) ? *(const float4 *)(origin[l] + offset(next)) : four_zeros();
#else
        Column at[4] = {next, next, next, next};
#pragma unroll
        for (int q = 1; q < 4; q++) at[q] = at[q - 1], at[q].advance(1, g);
#pragma unroll
        for (int l = 0; l < LOADS_A; l++)
            held[l] = make_float4(number(l, at[0]), number(l, at[1]), number(l, at[2]), number(l, at[3]));
#endif
        next.advance(BLOCK_K, g);
    }
    __device__ __forceinline__ void put(ColumnsOfA &a) const { put_rows(held, a); }
};

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
