// dense on a GPU, one idea: a block copies slices of both factors into shared memory, and a thread holds 8 x 8 sums in
// registers, so that each number that comes from memory takes part in many products (register_tile.cuh).  That is for
// many rows of x: cuda_stream.cu reads all of w again for every 16 of them.
//
//     y (R,O) = x (R,I) @ w (I,O)      dx (R,I) = dy (R,O) @ w (I,O) turned      dw (I,O) = x (R,I) turned @ dy (R,O)
//
// and then y = clip(y + bias + residual, low, high).  All three are one product c (rows,columns) = a (rows,depth)
// @ b (depth,columns), of which a or b may lie turned in memory.  Where there are too few tiles for a whole GPU, the
// depth is split: block (x,y) adds up steps * BLOCK_K of it, from y times as many on, in part y of c, and the parts are
// added in their order afterwards.
//
// BLOCK_M, BLOCK_N and VECTOR come from cuda_tiled.py, which asks _gpu/blocks.py.
#include "numbers.cuh"
#include "product_block.cuh"
#include "register_tile.cuh"

typedef ProductBlock<BLOCK_M, BLOCK_N, BLOCK_K> Place;

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS_AT_ONCE)
    dense_forward_v4_tiled(const float *x, const float *w, const float *bias, const float *residual, float *y,
                           float low, float high, int rows, int inputs, int outputs, int steps) {
    __shared__ __align__(16) ColumnsOfA a[2];
    __shared__ __align__(16) RowsOfB b[2];
    const Place at(rows, outputs, inputs, steps);
    MatrixA left(x, at.row0, rows, inputs, at.first);
    MatrixB right(w, at.column0, at.first, inputs, outputs, outputs);
    float sums[8][8] = {};
    multiply(left, right, at.steps, a, b, sums);
    write_tile(sums, bias, residual, y + at.part, low, high, at.row0, at.column0, rows, outputs, 0, outputs);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS_AT_ONCE)
    dense_backward_input_v4_tiled(const float *dy, const float *w, const float *bias, const float *residual, float *dx,
                                  float low, float high, int rows, int inputs, int outputs, int steps) {
    __shared__ __align__(16) ColumnsOfA a[2];
    __shared__ __align__(16) RowsOfB b[2];
    const Place at(rows, inputs, outputs, steps);
    MatrixA left(dy, at.row0, rows, outputs, at.first);
    TransposedB right(w, at.column0, inputs, outputs, at.first);
    float sums[8][8] = {};
    multiply(left, right, at.steps, a, b, sums);
    write_tile(sums, bias, residual, dx + at.part, low, high, at.row0, at.column0, rows, inputs, 0, inputs);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS_AT_ONCE)
    dense_backward_weights_v4_tiled(const float *x, const float *dy, const float *bias, const float *residual,
                                    float *dw, float low, float high, int rows, int inputs, int outputs, int steps) {
    __shared__ __align__(16) ColumnsOfA a[2];
    __shared__ __align__(16) RowsOfB b[2];
    const Place at(inputs, outputs, rows, steps);
    TransposedA left(x, at.row0, at.first, rows, inputs, inputs);
    MatrixB right(dy, at.column0, at.first, rows, outputs, outputs);
    float sums[8][8] = {};
    multiply(left, right, at.steps, a, b, sums);
    write_tile(sums, bias, residual, dw + at.part, low, high, at.row0, at.column0, inputs, outputs, 0, outputs);
}
