// The windows of a convolution as columns of a matrix, along which the pixels are summed: for the weight gradient.
//
// Four columns are channels that lie side by side in the image, so they go to shared memory as they come.
#pragma once
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
    template <class Tile> __device__ __forceinline__ void put(Tile &a) const { put_across(held, a); }
};
