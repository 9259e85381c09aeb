// The operands of a convolution's gradients on tensor cores: where what threads hold of them goes in shared memory.
//
// It goes by way of registers, and 16 bits are rounded on the way.  Operands lie along k or across it, as they come
// from memory (tensor_layouts.cuh).
#pragma once
#include "tensor_layouts.cuh"

#define BLOCK_M BLOCK
#define BLOCK_N BLOCK

static __device__ __forceinline__ void put_four(float4 four, Number *to) {
#ifdef TF32
    *(float4 *)to = four;
#else
    *(uint2 *)to = four_rounded(four);
#endif
}

// Rows of a, or columns of b, as a thread holds them along k.
static __device__ __forceinline__ void put_along(const float4 (&held)[LOADS_A], Operand &to) {
#pragma unroll
    for (int l = 0; l < LOADS_A; l++)
        put_four(held[l], to + (row_fetched() + l * ROWS_APART) * PITCH_A + depth_fetched());
}

// The same across k.
static __device__ __forceinline__ void put_across(const float4 (&held)[LOADS_A], Operand &to) {
#pragma unroll
    for (int l = 0; l < LOADS_A; l++)
        put_four(held[l], to + (row_fetched_b() + l * ROWS_APART_B) * PITCH_B + column_fetched());
}
