// A matrix whose rows lie along k, for the blocks of register_tile.cuh or of tensor_windows.cuh, whichever includes it.
#pragma once
#include "float4.cuh"

// A block's part of a matrix (depth, columns): a thread reads four of the `left` columns of some of BLOCK_K rows at a
// time, and EXTENT columns are multiplied.
template <int EXTENT> struct MatrixAcross {
    static const int LANES = EXTENT / 4, APART = THREADS / LANES, LOADS = BLOCK_K / APART;
    const float *from;
    int k, depth, left, pitch;
    float4 held[LOADS];

    __device__ __forceinline__ MatrixAcross(const float *b, int column, int first, int depth, int columns, int pitch)
        : from(b + column + threadIdx.x % LANES * 4), k(first + threadIdx.x / LANES), depth(depth),
          left(columns - column - threadIdx.x % LANES * 4), pitch(pitch) {}

    __device__ __forceinline__ void fetch() {
#pragma unroll
        for (int l = 0; l < LOADS; l++) {
            int row = k + l * APART;
            held[l] = four_of(from + (long long)row * pitch, row < depth ? left : 0);
        }
        k += BLOCK_K;
    }
    template <class Tile> __device__ __forceinline__ void put(Tile &b) const { put_across(held, b); }
};
