// The input gradient of conv2d as matrix products that nobody writes down (implicit GEMM).
//
//     dx[:, u::sh, v::sw] (pixels, C) = clip(windows of dy (pixels, taps F) @ w (taps F, C) + bias + residual)
//
// dx (N,H,W,C), dy (N,OH,OW,F), w (KH,KW,C/groups,F); `channels` and `filters` are those of one group.  The rows
// u, u + sh, ... of dx receive only from the taps a with (u + top - a dh) divisible by sh, and its columns likewise: dx is
// sh * sw interleaved images, each a convolution of dy with its part of the taps, and no product with a hole between the
// windows is made.  All of them are made by one launch: blocks of different residues, whose sums differ in length, take
// turns.  blockIdx.y is the chunk of a sum that is split, as in cuda_blocked.cu.
#include "windows.cuh"

// The taps of one axis that reach the pixels u, u + step, ...: first, first + apart, ...  Number t of them brings to the
// pixel u + p * step what lies at p + shift - t * slide.
struct Taps {
    int count, first, apart, shift, slide;
};

static __device__ Taps taps_of_residue(int taps, int position, int step, int gap) {  // position = u + padding before
    int apart = 1, first = 0;
    while (apart * gap % step) apart++;
    while (first < apart && (position - first * gap) % step) first++;
    if (first == apart) return {0, 0, 1, 0, 0};
    return {(taps - first + apart - 1) / apart, first, apart, (position - first * gap) / step, apart * gap / step};
}

// The pixels u, u + sh, .. and v, v + sw, .. of all images, and the first of them that a block makes.
struct Residue {
    int u, v, rows, columns;
    long long first;
    int image, pixel;  // where that lies: from here on, `int` counts
};

// w as a matrix (taps F, C), whose columns lie side by side in memory: at the columns of the windows of dy, in their order.
struct TurnedWeights {
    const Windows &windows;
    Column at;
    const float *from;
    int left, pitch, down, across;  // channels from this thread's first on, and steps to the next channel and tap
    float4 held[LOADS_B];

    __device__ __forceinline__ TurnedWeights(const Windows &windows, const float *w, int column, int channels, int pitch,
                                             int down, int across)
        : windows(windows), at(windows.next), from(w + (column + row_fetched()) * pitch),
          left(channels - column - row_fetched()), pitch(pitch), down(down), across(across) {}

    __device__ __forceinline__ bool inside(int l, const Column &k) const {
        return k.a < windows.g.taps_h && l * ROWS_APART < left;
    }
    __device__ __forceinline__ const float *place(int l, const Column &k) const {
        return from + (k.a * down + k.b * across + k.c + l * ROWS_APART * pitch);
    }
    __device__ __forceinline__ float number(int l, const Column &k) const { return inside(l, k) ? *place(l, k) : 0; }

    __device__ __forceinline__ void fetch() {
#if VECTOR == 4
#pragma unroll
        for (int l = 0; l < LOADS_B; l++) held[l] = inside(l, at) ? *(const float4 *)place(l, at) : four_zeros();
#else
        Column k[4] = {at, at, at, at};
#pragma unroll
        for (int q = 1; q < 4; q++) k[q] = k[q - 1], k[q].advance(1, windows.g);
#pragma unroll
        for (int l = 0; l < LOADS_B; l++)
            held[l] = make_float4(number(l, k[0]), number(l, k[1]), number(l, k[2]), number(l, k[3]));
#endif
        at = windows.next;  // which have gone on already
    }
    __device__ __forceinline__ void put(RowsOfB &b) const {
        const int k = depth_fetched();
#pragma unroll
        for (int l = 0; l < LOADS_B; l++) {
            const int c = row_fetched() + l * ROWS_APART;
            b[k][c] = held[l].x, b[k + 1][c] = held[l].y, b[k + 2][c] = held[l].z, b[k + 3][c] = held[l].w;
        }
    }
};

// dx has `gridDim.y` parts of `count` numbers, each of `steps` * BLOCK_K columns of the windows.
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS_AT_ONCE) conv2d_backward_input_v4_blocked(
    const float *dy, const float *w, const float *bias, const float *residual, float *dx, float low, float high,
    long long count, int images, int steps, int height, int width, int channels, int out_height, int out_width,
    int filters, int taps_h, int taps_w, int step_h, int step_w, int top, int left, int gap_h, int gap_w, int groups) {
    __shared__ __align__(16) ColumnsOfA a[2];
    __shared__ __align__(16) RowsOfB b[2];
    __shared__ Residue at;  // in registers it would be in the way of sums
    const int panels = (channels + BLOCK_N - 1) / BLOCK_N, pitch = filters * groups;
    const int panel = blockIdx.x % panels, group = blockIdx.x / panels % groups;
    if (threadIdx.x == 0) {
        const int rest = blockIdx.x / panels / groups, u = rest % step_h, v = rest / step_h % step_w;
        const int rows = (height - u + step_h - 1) / step_h, columns = (width - v + step_w - 1) / step_w;
        const long long first = rest / step_h / step_w * (long long)BLOCK_M, size = max(1, rows * columns);
        at = {u, v, rows, columns, first, int(first / size), int(first % size)};
    }
    __syncthreads();
    const long long pixels = (long long)images * at.rows * at.columns;
    if (at.first >= pixels) return;
    const Taps down = taps_of_residue(taps_h, at.u + top, step_h, gap_h);
    const Taps across = taps_of_residue(taps_w, at.v + left, step_w, gap_w);
    const int first = blockIdx.y * steps * BLOCK_K, depth = down.count * across.count * filters, tap = channels * pitch;
    float sums[8][8] = {};
    if (first < depth) {
        Windows windows;
        windows.g = {out_height, out_width, filters, pitch, down.count, across.count, -down.slide, -across.slide};
        windows.begin(dy + group * filters, at.first, pixels, first, at.rows, at.columns, 1, 1, -down.shift,
                      -across.shift);
        TurnedWeights weights(windows, w + (down.first * taps_w + across.first) * tap + group * filters, panel * BLOCK_N,
                              channels, pitch, down.apart * taps_w * tap, across.apart * tap);
        multiply(windows, weights, min(steps, (depth - first + BLOCK_K - 1) / BLOCK_K), a, b, sums);
    }
    const auto place = [&](int row) {
        const int pixel = at.pixel + row, line = pixel / at.columns;
        const long long n = at.image + line / at.rows;
        return n < images ? (n * height + at.u + line % at.rows * step_h) * width + at.v + pixel % at.columns * step_w : -1;
    };
    write_rows(sums, bias, residual, dx + blockIdx.y * count, low, high, place, panel * BLOCK_N, channels, group * channels,
               channels * groups);
}
