// A block's part of a matrix product on tensor cores, by sums that stay in registers.
//
//     sums (BLOCK, BLOCK) = a (BLOCK, K) b (K, BLOCK)
//
// A tensor core multiplies two small matrices that lie in the registers of a warp, in one instruction: 16 x 8 sums grow
// by 8 products (TF32) or 16 (16 bits).  Its operands are rounded to fewer bits, its sums are floats.  Each of four
// warps makes a quarter of the block.  BLOCK_K columns of a and rows of b lie in shared memory at a time; their pitches
// let the lanes of a warp read from all banks at once.
//
// A file that includes it is built for a choice of the macros BLOCK, 128 or 64, and VECTOR, the floats that are read at
// once: 4 where all rows begin on 16 bytes, or 1; and of one of TF32, BFLOAT16 and HALF.
#pragma once
#include "epilogue.cuh"
#include "float4.cuh"
#include "ptx.cuh"

#define BLOCK_K 16
#define THREADS 128
#define WARP (BLOCK / 2)     // rows and columns of a warp
#define TILES_A (WARP / 16)  // of them, in the rows and columns of one instruction
#define TILES_B (WARP / 8)
#define LOADS_A (BLOCK * BLOCK_K / 4 / THREADS)
#define ROWS_APART (THREADS / (BLOCK_K / 4))  // the rows of a that a thread fetches
#define LOADS_B LOADS_A
#define ROWS_APART_B (THREADS / (BLOCK / 4))

#ifdef TF32
typedef float Number;
#define PITCH_A (BLOCK_K + 4)
#define MMA_K 8
#else
typedef unsigned short Number;
#define PITCH_A (BLOCK_K + 8)
#define MMA_K 16
#endif
#define PITCH_B (BLOCK + 8)
#define A_NUMBERS (BLOCK * PITCH_A)
#define B_NUMBERS (BLOCK_K * PITCH_B)

typedef float Sums[TILES_A][TILES_B][4];

// The row of a, and its first column of BLOCK_K, that this thread fetches first; then those of b.
static __device__ __forceinline__ int row_fetched() { return threadIdx.x / (BLOCK_K / 4); }
static __device__ __forceinline__ int depth_fetched() { return threadIdx.x % (BLOCK_K / 4) * 4; }
static __device__ __forceinline__ int row_fetched_b() { return threadIdx.x / (BLOCK / 4); }
static __device__ __forceinline__ int column_fetched() { return threadIdx.x % (BLOCK / 4) * 4; }

// The first row and column of this thread's warp.
static __device__ __forceinline__ int warp_row() { return threadIdx.x / 64 * WARP; }
static __device__ __forceinline__ int warp_column() { return threadIdx.x / 32 % 2 * WARP; }

// Operands as a tensor core takes them (ptx.cuh): `a` and `b` begin at the columns and rows of one instruction.
#ifdef TF32

static __device__ __forceinline__ void load_a(const Number *a, unsigned (&tile)[4]) {
    ldmatrix_x4(tile, a);
#pragma unroll
    for (int i = 0; i < 4; i++) tile[i] = tf32_of_float(__uint_as_float(tile[i]));
}

static __device__ __forceinline__ void load_b(const Number *b, unsigned (&tiles)[TILES_B][2]) {
    const int lane = threadIdx.x % 32;
    const Number *first = b + lane % 4 * PITCH_B + warp_column() + lane / 4;
#pragma unroll
    for (int j = 0; j < TILES_B; j++)
#pragma unroll
        for (int i = 0; i < 2; i++) tiles[j][i] = tf32_of_float(first[4 * i * PITCH_B + 8 * j]);
}

static __device__ __forceinline__ void mma(float (&sums)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    mma_tf32(sums, a, b);
}

#else

// Four numbers, rounded.
static __device__ __forceinline__ uint2 four_rounded(float4 four) {
#ifdef HALF
    return make_uint2(two_halves(four.x, four.y), two_halves(four.z, four.w));
#else
    return make_uint2(two_bfloat16(four.x, four.y), two_bfloat16(four.z, four.w));
#endif
}

static __device__ __forceinline__ void load_a(const Number *a, unsigned (&tile)[4]) { ldmatrix_x4(tile, a); }

static __device__ __forceinline__ void load_b(const Number *b, unsigned (&tiles)[TILES_B][2]) {
    const int lane = threadIdx.x % 32;
    const Number *row = b + lane % 16 * PITCH_B + warp_column() + lane / 16 * 8;
#pragma unroll
    for (int j = 0; j < TILES_B; j += 2) {
        unsigned both[4];
        ldmatrix_x4_trans(both, row + 8 * j);
        tiles[j][0] = both[0], tiles[j][1] = both[1], tiles[j + 1][0] = both[2], tiles[j + 1][1] = both[3];
    }
}

static __device__ __forceinline__ void mma(float (&sums)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifdef HALF
    mma_half(sums, a, b);
#else
    mma_bfloat16(sums, a, b);
#endif
}

#endif

// Up to two numbers side by side, zeros after the first `left`.
static __device__ __forceinline__ float2 two_of(const float *from, int left) {
#if VECTOR == 4
    return left > 0 ? *(const float2 *)from : make_float2(0, 0);
#else
    return make_float2(left > 0 ? from[0] : 0, left > 1 ? from[1] : 0);
#endif
}

static __device__ __forceinline__ void put_two(float *to, float2 two, int left) {
#if VECTOR == 4
    if (left > 0) *(float2 *)to = two;
#else
    if (left > 0) to[0] = two.x;
    if (left > 1) to[1] = two.y;
#endif
}

// y (.., pitch) = the sums of a block, finished: row r of the tile is row place(r) of y, and is not written where that
// is negative; `columns` are counted from column 0, whose number in y and in the bias is `first`.
//
// The compiler leaves no read behind a write to y, where it might be of the same numbers, and a write waits for what it
// writes.  So a row's numbers of the residual are asked for together.
template <class Place>
static __device__ __forceinline__ void write_rows(const Sums &sums, const float *bias, const float *residual, float *y,
                                                  float low, float high, Place place, int column0, int columns,
                                                  int first, int pitch) {
    const int lane = threadIdx.x % 32, column = column0 + warp_column() + lane % 4 * 2, left = columns - column;
    const float2 none = make_float2(0, 0);
    float2 biases[TILES_B];
#pragma unroll
    for (int j = 0; j < TILES_B; j++) biases[j] = bias ? two_of(bias + first + column + 8 * j, left - 8 * j) : none;
#pragma unroll
    for (int i = 0; i < 2 * TILES_A; i++) {
        const long long row = place(warp_row() + 8 * i + lane / 4);
        if (row < 0) continue;
        const long long to = row * pitch + first + column;
        float2 more[TILES_B];
#pragma unroll
        for (int j = 0; j < TILES_B; j++) more[j] = residual ? two_of(residual + to + 8 * j, left - 8 * j) : none;
#pragma unroll
        for (int j = 0; j < TILES_B; j++) {
            const float *two = sums[i / 2][j] + i % 2 * 2;
            const float2 ends = make_float2(clipped(two[0] + biases[j].x + more[j].x, low, high),
                                            clipped(two[1] + biases[j].y + more[j].y, low, high));
            put_two(y + to + 8 * j, ends, left - 8 * j);
        }
    }
}

// y (rows, pitch) = the sums of a block at (row0, column0), finished.
static __device__ __forceinline__ void write_tile(const Sums &sums, const float *bias, const float *residual, float *y,
                                                  float low, float high, long long row0, int column0, long long rows,
                                                  int columns, int first, int pitch) {
    const auto place = [=](int row) { return row0 + row < rows ? row0 + row : -1; };
    write_rows(sums, bias, residual, y, low, high, place, column0, columns, first, pitch);
}
