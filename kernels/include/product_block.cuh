// Which part of a product c (rows,columns) = a (rows,depth) @ b (depth,columns) a block makes.
#pragma once

// A tile of TILE_M x TILE_N from (row0,column0) on, over `steps` times TILE_K of the depth from `first` on, in the part
// of c that begins at `part`: block (x,y) takes chunk y.  Neighbouring blocks take the same columns of b, which may be
// more than caches hold.
template <int TILE_M, int TILE_N, int TILE_K> struct ProductBlock {
    int row0, column0, first, steps;
    long long part;

    __device__ __forceinline__ ProductBlock(int rows, int columns, int depth, int most_steps) {
        const int tiles = (rows + TILE_M - 1) / TILE_M;
        row0 = blockIdx.x % tiles * TILE_M, column0 = blockIdx.x / tiles * TILE_N;
        first = blockIdx.y * most_steps * TILE_K, part = (long long)blockIdx.y * rows * columns;
        steps = min(most_steps, (depth - first + TILE_K - 1) / TILE_K);
    }
};
