// Matrix products side by side, along the rows of both: y (batch, rows, columns) = a transposed @ b.
//
// a is (batch, depth, rows), b (batch, depth, columns): those of Winograd's points (cuda_weights_winograd.cu).  The
// depth is cut into chunks, blockIdx.y, each of which makes a y of its own: parts (chunks, batch, rows, columns).
// Where `adds` is not 0, they are added to what is there.
//
// BLOCK_M, BLOCK_N and VECTOR come from cuda_weights_winograd.py, which asks _gpu/blocks.py.
#include "numbers.cuh"
#include "register_tile.cuh"

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS_AT_ONCE) conv2d_weight_products(
    const float *a, const float *b, float *parts, int rows, int depth, int columns, int steps, int adds) {
    __shared__ __align__(16) ColumnsOfA of_a[2];
    __shared__ __align__(16) RowsOfB of_b[2];
    const int panels = (columns + BLOCK_N - 1) / BLOCK_N, column0 = blockIdx.x % panels * BLOCK_N;
    const int row0 = blockIdx.x / panels * BLOCK_M;
    const int first = blockIdx.y * steps * BLOCK_K, end = min(first + steps * BLOCK_K, depth);
    const long long batch = blockIdx.z, place = (long long)blockIdx.y * gridDim.z + batch;
    TransposedA left(a + batch * depth * rows, row0, first, end, rows, rows);
    MatrixB right(b + batch * depth * columns, column0, first, end, columns, columns);
    float sums[8][8] = {}, *y = parts + place * rows * columns;
    multiply(left, right, (end - first + BLOCK_K - 1) / BLOCK_K, of_a, of_b, sums);
    write_tile(sums, nullptr, adds ? y : nullptr, y, -INFINITY, INFINITY, row0, column0, rows, columns, 0, columns);
}
