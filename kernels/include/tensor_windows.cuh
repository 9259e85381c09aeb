// The operands of a convolution's gradients on tensor cores: where what threads hold of them goes in shared memory.
//
// It goes by way of registers, and 16 bits are rounded on the way.  Operands lie along k or across it, as they come
// from memory (tensor_layouts.cuh).
#pragma once
#include "tensor_layouts.cuh"

#define BLOCK_M BLOCK
#define BLOCK_N BLOCK

typedef Number Operand[A_NUMBERS];

static __device__ __forceinline__ void put_four(float4 four, Number *to) {
#ifdef TF32
    *(float4 *)to = four;
#else
    *(uint2 *)to = four_rounded(four);
#endif
}

// Rows of a, or columns of b, as a thread holds them along k.
static __device__ __forceinline__ void put_rows(const float4 (&held)[LOADS_A], Operand &to) {
#pragma unroll
    for (int l = 0; l < LOADS_A; l++)
        put_four(held[l], to + (row_fetched() + l * ROWS_APART) * PITCH_A + depth_fetched());
}

static __device__ __forceinline__ void put_turned(const float4 (&held)[LOADS_B], Operand &to) { put_rows(held, to); }

// The same across k.
static __device__ __forceinline__ void put_lines(const float4 (&held)[LOADS_A], Operand &to) {
#pragma unroll
    for (int l = 0; l < LOADS_A; l++)
        put_four(held[l], to + (row_fetched_b() + l * ROWS_APART_B) * PITCH_B + column_fetched());
}

// sums += the next `steps` * BLOCK_K columns of `left` times as many rows of `right`, each along k or across it.
template <bool A_ALONG, bool B_ALONG, class Left, class Right>
static __device__ __forceinline__ void multiply(Left &left, Right &right, int steps, Operand (&a)[2], Operand (&b)[2],
                                                Sums &sums) {
    left.fetch(), right.fetch();
    left.put(a[0]), right.put(b[0]);
    __syncthreads();
    for (int step = 0; step < steps; step++) {
        const int next = (step + 1) % 2;
        if (step + 1 < steps) left.fetch(), right.fetch();
        multiply_add_layouts<A_ALONG, B_ALONG>(a[step % 2], b[step % 2], sums);
        if (step + 1 < steps) left.put(a[next]), right.put(b[next]);
        __syncthreads();
    }
}
