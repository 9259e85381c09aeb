// A block's part of a matrix product, by sums that stay in registers.
//
//     sums (BLOCK_M, BLOCK_N) = a (BLOCK_M, K) b (K, BLOCK_N)
//
// A thread adds 8 x 8 sums: 16 numbers from shared memory feed 64 multiply-adds, where a thread with one sum reads two
// for each.  BLOCK_K columns of a and rows of b lie in shared memory at a time, while the next are on their way
// (double_buffer.cuh).
//
// A file that includes it is built for a choice of the macros BLOCK_M, BLOCK_N and VECTOR, the floats that are read at
// once: 4 where all rows begin on 16 bytes, or 1.  32 threads make 64 x 32 sums.
#pragma once
#include "double_buffer.cuh"
#include "epilogue.cuh"
#include "float4.cuh"

#define BLOCK_K 8
#define THREADS (BLOCK_M * BLOCK_N / 64)
#if THREADS >= 128
#define BLOCKS_AT_ONCE (512 / THREADS)  // of a multiprocessor: 128 registers are left for each thread
#else
#define BLOCKS_AT_ONCE (384 / THREADS)  // each thread fetches more
#endif
#define PITCH_A (BLOCK_M + 4)  // so that numbers that are transposed go to other banks
#define PITCH_B (BLOCK_N + 4)
#define LOADS_A (BLOCK_M * BLOCK_K / 4 / THREADS)
#define LOADS_B (BLOCK_N * BLOCK_K / 4 / THREADS)
#define ROWS_APART (THREADS / (BLOCK_K / 4))  // the rows of a that a thread fetches

#include "matrix_across.cuh"

typedef float ColumnsOfA[BLOCK_K][PITCH_A];  // transposed
typedef float RowsOfB[BLOCK_K][PITCH_B];

// The row of a, and its first column of BLOCK_K, that this thread fetches first.
static __device__ __forceinline__ int row_fetched() { return threadIdx.x / (BLOCK_K / 4); }
static __device__ __forceinline__ int depth_fetched() { return threadIdx.x % (BLOCK_K / 4) * 4; }

// The first of this thread's sums: rows {0..3, 32..35} and columns {0..3, 16..19} from there.  A warp makes 64 x 32, so
// that its lanes read numbers that lie side by side, or the same.
static __device__ __forceinline__ int tile_row() {
    return threadIdx.x / 32 / (BLOCK_N / 32) * 64 + threadIdx.x % 32 / 4 * 4;
}
static __device__ __forceinline__ int tile_column() {
    return threadIdx.x / 32 % (BLOCK_N / 32) * 32 + threadIdx.x % 4 * 4;
}

// To shared memory, numbers that a thread holds: four side by side along k, of some rows of a or columns of b.
template <int LOADS, int PITCH>
static __device__ __forceinline__ void put_along(const float4 (&held)[LOADS], float (&to)[BLOCK_K][PITCH]) {
    const int k = depth_fetched();
#pragma unroll
    for (int l = 0; l < LOADS; l++) {
        const int place = row_fetched() + l * ROWS_APART;
        to[k][place] = held[l].x, to[k + 1][place] = held[l].y, to[k + 2][place] = held[l].z;
        to[k + 3][place] = held[l].w;
    }
}

// The same of numbers that lie side by side across k.
template <int LOADS, int PITCH>
static __device__ __forceinline__ void put_across(const float4 (&held)[LOADS], float (&to)[BLOCK_K][PITCH]) {
    const int lanes = (PITCH - 4) / 4, apart = THREADS / lanes;
#pragma unroll
    for (int l = 0; l < LOADS; l++)
        *(float4 *)&to[threadIdx.x / lanes + l * apart][threadIdx.x % lanes * 4] = held[l];
}

// Of a matrix (rows, depth), which lies along k in memory: EXTENT rows from `row0` on, columns from `first` on.
template <int EXTENT> struct MatrixAlong {
    static const int LOADS = EXTENT * BLOCK_K / 4 / THREADS;
    const float *from;
    int left, rows, depth;  // columns after those that were read, rows from this thread's first on
    float4 held[LOADS];

    __device__ __forceinline__ MatrixAlong(const float *a, int row0, int rows, int depth, int first = 0)
        : from(a + (long long)(row0 + row_fetched()) * depth + first + depth_fetched()),
          left(depth - first - depth_fetched()), rows(rows - row0 - row_fetched()), depth(depth) {}

    __device__ __forceinline__ void fetch() {
#pragma unroll
        for (int l = 0; l < LOADS; l++)
            held[l] = four_of(from + (long long)l * ROWS_APART * depth, l * ROWS_APART < rows ? left : 0);
        from += BLOCK_K, left -= BLOCK_K;
    }
    template <class Tile> __device__ __forceinline__ void put(Tile &to) const { put_along(held, to); }
};

typedef MatrixAlong<BLOCK_M> MatrixA;       // a and b as the product has them
typedef MatrixAcross<BLOCK_N> MatrixB;
typedef MatrixAcross<BLOCK_M> TransposedA;  // the same where rows are columns in memory
typedef MatrixAlong<BLOCK_N> TransposedB;

static __device__ __forceinline__ void multiply_add(const ColumnsOfA &a, const RowsOfB &b, float (&sums)[8][8]) {
    const int row = tile_row(), column = tile_column();
#pragma unroll 2  // more would take more registers than there are
    for (int k = 0; k < BLOCK_K; k++) {
        const float4 a0 = *(const float4 *)&a[k][row], a1 = *(const float4 *)&a[k][row + 32];
        const float4 b0 = *(const float4 *)&b[k][column], b1 = *(const float4 *)&b[k][column + 16];
        const float left[8] = {a0.x, a0.y, a0.z, a0.w, a1.x, a1.y, a1.z, a1.w};
        const float right[8] = {b0.x, b0.y, b0.z, b0.w, b1.x, b1.y, b1.z, b1.w};
#pragma unroll
        for (int i = 0; i < 8; i++)
#pragma unroll
            for (int j = 0; j < 8; j++) sums[i][j] += left[i] * right[j];
    }
}

// sums += the next `steps` * BLOCK_K columns of `left` times as many rows of `right`.
template <class Left, class Right>
static __device__ __forceinline__ void multiply(Left &left, Right &right, int steps, ColumnsOfA (&a)[2],
                                                RowsOfB (&b)[2], float (&sums)[8][8]) {
    double_buffered(left, right, steps, a, b,
                    [&](const ColumnsOfA &a, const RowsOfB &b) { multiply_add(a, b, sums); });
}

// y (.., pitch) = the sums of a block, finished: row r of the tile is row place(r) of y, and is not written where that
// is negative; `columns` are counted from column 0, whose number in y and in the bias is `first`.
//
// The compiler leaves no read behind a write to y, where it might be of the same numbers, and a write waits for what it
// writes.  So a row's numbers of the residual are asked for together.
template <class Place>
static __device__ __forceinline__ void write_rows(const float (&sums)[8][8], const float *bias, const float *residual,
                                                  float *y, float low, float high, Place place, int column0,
                                                  int columns, int first, int pitch) {
    const int column = column0 + tile_column(), left[2] = {columns - column, columns - column - 16};
    float4 biases[2];
#pragma unroll
    for (int h = 0; h < 2; h++) biases[h] = bias ? four_of(bias + first + column + 16 * h, left[h]) : four_zeros();
#pragma unroll
    for (int i = 0; i < 8; i++) {
        const long long row = place(tile_row() + i % 4 + i / 4 * 32);
        if (row < 0) continue;
        const long long to = row * pitch + first + column;
        float4 more[2];
#pragma unroll
        for (int h = 0; h < 2; h++) more[h] = residual ? four_of(residual + to + 16 * h, left[h]) : four_zeros();
#pragma unroll
        for (int h = 0; h < 2; h++) {
            const float *four = sums[i] + 4 * h;
            const float4 sum = make_float4(four[0], four[1], four[2], four[3]);
            put_four(y + to + 16 * h, four_finished(sum, biases[h], more[h], low, high), left[h]);
        }
    }
}

// y (rows, pitch) = the sums of a block at (row0, column0), finished.
static __device__ __forceinline__ void write_tile(const float (&sums)[8][8], const float *bias, const float *residual,
                                                  float *y, float low, float high, long long row0, int column0,
                                                  long long rows, int columns, int first, int pitch) {
    const auto place = [=](int row) { return row0 + row < rows ? row0 + row : -1; };
    write_rows(sums, bias, residual, y, low, high, place, column0, columns, first, pitch);
}
