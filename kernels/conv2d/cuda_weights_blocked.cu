// The weight gradient of conv2d as one matrix product whose long side is summed (implicit GEMM, split along K).
//
//     dw (KH KW C, F) = windows (pixels, KH KW C) transposed @ dy (pixels, F),    pixels = N OH OW
//
// x (N,H,W,C), dy (N,OH,OW,F), dw (KH,KW,C/groups,F); `channels` and `filters` are those of one group.  Four columns of
// the windows lie side by side in the image, so they go to shared memory as they come.  The pixels are cut into chunks,
// blockIdx.y, whose number depends on the shapes alone: each makes a dw of its own, and cuda_weights.cu adds them in
// order.  Every `piece` steps of BLOCK_K pixels a block adds its sums to what it wrote before, and begins with zeros
// again: rounding errors grow with the terms of one sum.
#include "numbers.cuh"
#include "windows.cuh"

#define COLUMNS_AT_ONCE (VECTOR == 4 ? 1 : 4)  // four columns that lie side by side are of one tap
#define LINES_APART (THREADS / (BLOCK_M / 4))  // the pixels that a thread fetches
#define COLUMN_FETCHED (threadIdx.x % (BLOCK_M / 4) * 4)
#define LINE_FETCHED (threadIdx.x / (BLOCK_M / 4))

// Where a sum over pixels stands: output (i,j) of an image, and the pixels to come, this one among them.
struct Pixel {
    const float *image;
    int i, j, left;
};

// The windows of some output pixels, as columns of a matrix.
struct WindowColumns {
    Image g;
    int out_height, out_width, step_h, step_w;
    int row[COLUMNS_AT_ONCE], column[COLUMNS_AT_ONCE], c[COLUMNS_AT_ONCE];  // of its columns: what output (0,0) sees
    Pixel next;
    float4 held[LOADS_A];

    // This thread's part of the columns first .. first + BLOCK_M - 1, of `depth`.
    __device__ __forceinline__ void begin(int first, int depth, int top, int left) {
#pragma unroll
        for (int q = 0; q < COLUMNS_AT_ONCE; q++) {
            const int k = first + COLUMN_FETCHED + q, tap = k / g.channels;
            row[q] = k < depth ? tap / g.taps_w * g.gap_h - top : -(1 << 30);
            column[q] = tap % g.taps_w * g.gap_w - left;
            c[q] = k % g.channels;
        }
    }
    // From pixel `first` on, up to pixel `end`.
    __device__ __forceinline__ void go_to(const float *x, int first, int end) {
        const int pixel = first + LINE_FETCHED, line = pixel / out_width;
        next = {x + (long long)(line / out_height) * g.height * g.width * g.pixel, line % out_height, pixel % out_width,
                end - pixel};
    }
    __device__ __forceinline__ void advance(Pixel &at, int pixels) const {
        at.left -= pixels;
        for (at.j += pixels; at.j >= out_width; at.j -= out_width)
            if (++at.i == out_height) at.i = 0, at.image += (long long)g.height * g.width * g.pixel;
    }
    __device__ __forceinline__ const float *place(const Pixel &at, int q) const {  // or null, outside the image
        const int r = at.i * step_h + row[q], s = at.j * step_w + column[q];
        const bool inside = at.left > 0 && unsigned(r) < unsigned(g.height) && unsigned(s) < unsigned(g.width);
        return inside ? at.image + (r * g.width + s) * g.pixel + c[q] : nullptr;
    }
    __device__ __forceinline__ float number(const Pixel &at, int q) const {
        const float *from = place(at, q);
        return from ? *from : 0;
    }
    __device__ __forceinline__ void fetch() {
        Pixel at = next;
#pragma unroll
        for (int l = 0; l < LOADS_A; l++) {
#if VECTOR == 4
            const float *from = place(at, 0);
            held[l] = from ? *(const float4 *)from : four_zeros();
#else
            held[l] = make_float4(number(at, 0), number(at, 1), number(at, 2), number(at, 3));
#endif
            if (l + 1 < LOADS_A) advance(at, LINES_APART);
        }
        advance(next, BLOCK_K);
    }
    __device__ __forceinline__ void put(ColumnsOfA &a) const {
#pragma unroll
        for (int l = 0; l < LOADS_A; l++) *(float4 *)&a[LINE_FETCHED + l * LINES_APART][COLUMN_FETCHED] = held[l];
    }
};

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
