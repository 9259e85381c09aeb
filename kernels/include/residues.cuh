// The input gradient of a convolution as one matrix product for each residue of the strides.
//
//     dx[:, u::sh, v::sw] (pixels, C) = windows of dy (pixels, taps F) @ w (taps F, C)
//
// dx (N,H,W,C), dy (N,OH,OW,F), w (KH,KW,C/groups,F).  The rows u, u + sh, ... of dx receive only from the taps a with
// (u + top - a dh) divisible by sh, and its columns likewise: dx is sh * sw interleaved images, each a convolution of
// dy with its part of the taps, and no product with a hole between the windows is made.
#pragma once
#include "windows.cuh"

// The taps of one axis that reach the pixels u, u + step, ...: first, first + apart, ...  Number t of them brings to
// the pixel u + p * step what lies at p + shift - t * slide.
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

    // The block of `size` pixels with this number: one of the first residue, one of the next, ...
    __device__ void find(int number, int size, int height, int width, int step_h, int step_w) {
        u = number % step_h, v = number / step_h % step_w, first = number / step_h / step_w * (long long)size;
        rows = (height - u + step_h - 1) / step_h, columns = (width - v + step_w - 1) / step_w;
        image = first / max(1, rows * columns), pixel = first % max(1, rows * columns);
    }
    __device__ __forceinline__ long long pixels(int images) const { return (long long)images * rows * columns; }

    // Which pixel of dx the block's number i is, or -1 behind the last.
    __device__ __forceinline__ long long place(int i, int images, int height, int width, int step_h, int step_w) const {
        const int line = (pixel + i) / columns, column = (pixel + i) % columns;
        const long long n = image + line / rows;
        return n < images ? (n * height + u + line % rows * step_h) * width + v + column * step_w : -1;
    }
};

// w as a matrix (taps F, C), of which a column lies side by side in memory: at the columns of the windows of dy.
struct TurnedWeights {
    const Windows &windows;
    Column at;
    const float *from;
    int left, pitch, down, across;  // channels from this thread's first on, and steps to the next channel and tap
    float4 held[LOADS_B];

    __device__ __forceinline__ TurnedWeights(const Windows &windows, const float *w, int column, int channels,
                                             int pitch, int down, int across)
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
    template <class Tile> __device__ __forceinline__ void put(Tile &b) const { put_along(held, b); }
};

// What a block multiplies of a group: its windows of dy, from column `first` of the windows on, and w at these.
struct Reach {
    Taps down, across;

    __device__ __forceinline__ Windows windows(const Residue &at, const float *dy, int images, int first,
                                               int out_height, int out_width, int filters, int pitch,
                                               bool taps_first) const {
        Windows made;
        made.g = {out_height,   out_width,     filters,    pitch,    down.count, across.count,
                  -down.slide, -across.slide, taps_first};
        made.begin(dy, at.first, at.pixels(images), first, at.rows, at.columns, 1, 1, -down.shift, -across.shift);
        return made;
    }
    __device__ __forceinline__ TurnedWeights weights(const Windows &windows, const float *w, int column, int channels,
                                                     int pitch, int taps_w) const {
        const int tap = channels * pitch;
        return TurnedWeights(windows, w + (down.first * taps_w + across.first) * tap, column, channels, pitch,
                             down.apart * taps_w * tap, across.apart * tap);
    }
};
