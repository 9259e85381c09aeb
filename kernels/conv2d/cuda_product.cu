// Matrix products side by side: y (batch, rows, columns) = a (batch, rows, depth) b (batch, depth, columns).
//
// They are those of Winograd's points (cuda_winograd.cu).  A block makes BLOCK_M x BLOCK_N sums of product blockIdx.y
// (register_tile.cuh).
//
// BLOCK_M, BLOCK_N and VECTOR come from cuda_product.py, which asks _gpu/blocks.py.
#include "numbers.cuh"
#include "register_tile.cuh"

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS_AT_ONCE)
    conv2d_products(const float *a, const float *b, float *y, int rows, int depth, int columns) {
    __shared__ __align__(16) ColumnsOfA of_a[2];
    __shared__ __align__(16) RowsOfB of_b[2];
    const int panels = (columns + BLOCK_N - 1) / BLOCK_N, column0 = blockIdx.x % panels * BLOCK_N;
    const int row0 = blockIdx.x / panels * BLOCK_M;
    const long long batch = blockIdx.y;
    MatrixA left(a + batch * rows * depth, row0, rows, depth);
    MatrixB right(b + batch * depth * columns, column0, 0, depth, columns, columns);
    float sums[8][8] = {};
    multiply(left, right, (depth + BLOCK_K - 1) / BLOCK_K, of_a, of_b, sums);
    write_tile(sums, nullptr, nullptr, y + batch * rows * columns, -INFINITY, INFINITY, row0, column0, rows, columns, 0,
               columns);
}
