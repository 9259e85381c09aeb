// Operands of tensor cores that lie in shared memory as they come from memory, either way: a matrix and its transpose.
//
// Along k, an operand is [BLOCK][PITCH_A], a row of it BLOCK_K numbers of k; across k it is [BLOCK_K][PITCH_B].
// tensor_tile.cuh reads a along k and b across it; here are the other two, and copies for both.
#pragma once
#include "double_buffer.cuh"
#include "tensor_tile.cuh"

typedef Number Operand[A_NUMBERS];  // room for either way

#define QUAD (16 / (int)sizeof(Number))  // numbers in 16 bytes

// The 16 rows of a from `row` on, in the first MMA_K of its columns: a across k.
static __device__ __forceinline__ void load_a_across(const Number *a, int row, unsigned (&tile)[4]) {
    const int lane = threadIdx.x % 32;
#ifdef TF32
    const Number *first = a + lane % 4 * PITCH_B + row + lane / 4;
#pragma unroll
    for (int i = 0; i < 4; i++) tile[i] = tf32_of_float(first[i / 2 * 4 * PITCH_B + i % 2 * 8]);
#else
    ldmatrix_x4_trans(tile, a + (lane % 8 + lane / 16 * 8) * PITCH_B + row + lane / 8 % 2 * 8);
#endif
}

// The columns of b of this thread's warp, in the first MMA_K of its rows: b along k.
static __device__ __forceinline__ void load_b_along(const Number *b, unsigned (&tiles)[TILES_B][2]) {
    const int lane = threadIdx.x % 32;
    const Number *row = b + (warp_column() + lane % 8 + lane / 16 * 8) * PITCH_A + lane / 8 % 2 * QUAD;
#pragma unroll
    for (int j = 0; j < TILES_B; j += 2) {
        unsigned both[4];
        ldmatrix_x4(both, row + 8 * j * PITCH_A);
#pragma unroll
        for (int i = 0; i < 4; i++)
#ifdef TF32
            tiles[j + i / 2][i % 2] = tf32_of_float(__uint_as_float(both[i]));
#else
            tiles[j + i / 2][i % 2] = both[i];
#endif
    }
}

// sums += a (BLOCK, BLOCK_K) b (BLOCK_K, BLOCK), both in shared memory, each along k or across it.
template <bool A_ALONG, bool B_ALONG>
static __device__ __forceinline__ void multiply_add(const Number *a, const Number *b, Sums &sums) {
    const int lane = threadIdx.x % 32;
    const Number *row = a + (warp_row() + lane % 16) * PITCH_A + lane / 16 * QUAD;
    __syncwarp();  // ldmatrix and mma want all lanes at once (PTX: .aligned), and loops before end at the time of each
#pragma unroll
    for (int k = 0; k < BLOCK_K; k += MMA_K) {
        unsigned left[TILES_A][4], right[TILES_B][2];
#pragma unroll
        for (int i = 0; i < TILES_A; i++)
            if (A_ALONG) load_a(row + 16 * i * PITCH_A + k, left[i]);
            else load_a_across(a + k * PITCH_B, warp_row() + 16 * i, left[i]);
        if (B_ALONG) load_b_along(b + k, right);
        else load_b(b + k * PITCH_B, right);
#pragma unroll
        for (int i = 0; i < TILES_A; i++)
#pragma unroll
            for (int j = 0; j < TILES_B; j++) mma(sums[i][j], left[i], right[j]);
    }
}

// sums += the next `steps` * BLOCK_K columns of `left` times as many rows of `right`, each along k or across it.
template <bool A_ALONG, bool B_ALONG, class Left, class Right>
static __device__ __forceinline__ void multiply(Left &left, Right &right, int steps, Operand (&a)[2], Operand (&b)[2],
                                                Sums &sums) {
    double_buffered(left, right, steps, a, b,
                    [&](const Operand &a, const Operand &b) { multiply_add<A_ALONG, B_ALONG>(a, b, sums); });
}

// A block's slice of a matrix (outer, depth), if it lies ALONG k in memory, or (depth, outer): BLOCK of the outer axis
// from `begin` on, at BLOCK_K of the depth at a time.
template <bool ALONG> struct Slice {
    static const int LENGTH = ALONG ? BLOCK_K : BLOCK, QUADS = LENGTH / 4, APART = THREADS / QUADS;
    static const int PITCH = ALONG ? PITCH_A : PITCH_B;
    const float *matrix, *from;  // where this thread reads first
    int rows, columns, pitch;    // that are left of the matrix from there on; numbers from row to row
    float4 held[LOADS_A];

    static __device__ __forceinline__ int row() { return threadIdx.x / QUADS; }
    static __device__ __forceinline__ int column() { return threadIdx.x % QUADS * 4; }

    __device__ __forceinline__ Slice(const float *matrix, int begin, int outer, int first, int depth) : matrix(matrix) {
        const int row0 = (ALONG ? begin : first) + row(), column0 = (ALONG ? first : begin) + column();
        pitch = ALONG ? depth : outer, from = matrix + (long long)row0 * pitch + column0;
        rows = (ALONG ? outer : depth) - row0, columns = pitch - column0;
    }
    __device__ __forceinline__ void advance() {
        if (ALONG) from += BLOCK_K, columns -= BLOCK_K;
        else from += (long long)BLOCK_K * pitch, rows -= BLOCK_K;
    }
    __device__ __forceinline__ int left(int l) const { return l * APART < rows ? columns : 0; }
    __device__ __forceinline__ const float *place(int l) const { return from + (long long)l * APART * pitch; }

#ifdef TF32
    // Begin to copy the next numbers.
    __device__ __forceinline__ void copy(Number *to) {
#pragma unroll
        for (int l = 0; l < LOADS_A; l++) {
            Number *four = to + (row() + l * APART) * PITCH + column();
#if VECTOR == 4
            copy_async(four, left(l) > 0 ? place(l) : matrix, left(l) > 0 ? 16 : 0);
#else
#pragma unroll
            for (int q = 0; q < 4; q++)
                copy_async_4(four + q, q < left(l) ? place(l) + q : matrix, q < left(l) ? 4 : 0);
#endif
        }
        advance();
    }
#else
    __device__ __forceinline__ void fetch() {
#pragma unroll
        for (int l = 0; l < LOADS_A; l++) held[l] = four_of(place(l), left(l));
        advance();
    }
    __device__ __forceinline__ void put(Number *to) const {
#pragma unroll
        for (int l = 0; l < LOADS_A; l++) *(uint2 *)&to[(row() + l * APART) * PITCH + column()] = four_rounded(held[l]);
    }
#endif
};
