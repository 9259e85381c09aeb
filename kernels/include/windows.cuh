// The windows of a convolution as rows of a matrix that nobody writes down, gathered for register_tile.cuh, or for
// tensor_tile.cuh where that is included before.
#pragma once
#ifndef BLOCK_K
#include "register_tile.cuh"
#endif

struct Image {
    int height, width, channels, pixel;  // channels of the group, and how far apart pixels lie
    int taps_h, taps_w, gap_h, gap_w;
    bool taps_first;  // whether BLOCK_K channels of all taps come before the next channels
};

// Where a column of the windows lies: tap (a,b) and channel c of its group.
struct Column {
    int a, b, c;

    __device__ __forceinline__ void advance(int steps, const Image &g) {
        for (c += steps; c >= g.channels; c -= g.channels)
            if (++b == g.taps_w) b = 0, a++;
    }
    __device__ __forceinline__ void advance_block(const Image &g) {
        if (!g.taps_first) return advance(BLOCK_K, g);
        if (++b == g.taps_w) b = 0, a++;
        if (a == g.taps_h) a = 0, c += BLOCK_K;
    }
    __device__ __forceinline__ int index(const Image &g) const { return (a * g.taps_w + b) * g.channels + c; }
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
        const int taps = g.taps_h * g.taps_w, block = k / BLOCK_K;
        k += depth_fetched();
        next = {k / g.channels / g.taps_w, k / g.channels % g.taps_w, k % g.channels};
        if (g.taps_first)
            next = {block % taps / g.taps_w, block % taps % g.taps_w, block / taps * BLOCK_K + depth_fetched()};
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
        next.advance_block(g);
    }
    template <class Tile> __device__ __forceinline__ void put(Tile &a) const { put_along(held, a); }
};
