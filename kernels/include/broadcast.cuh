// Operands that broadcast: an array of four axes, (n0,n1,n2,n3) numbers in order, and how far apart in an operand its
// neighbours along each lie, 0 where the operand is repeated.
#pragma once
#include "four.cuh"

// Where a row of n3 numbers, the array's number `row`, begins in the operand.
static __device__ __forceinline__ long long row_in(long long row, long long n1, long long n2, long long step0,
                                                   long long step1, long long step2) {
    long long image = row / n2;
    return image / n1 * step0 + image % n1 * step1 + row % n2 * step2;
}

// Where number i of the array is in the operand.
static __device__ __forceinline__ long long place_in(long long i, long long n1, long long n2, long long n3,
                                                     long long step0, long long step1, long long step2,
                                                     long long step3) {
    return row_in(i / n3, n1, n2, step0, step1, step2) + i % n3 * step3;
}

// The operand's numbers for four neighbours of a row, of which `left` are there: `row` begins where it says, and they
// `first` numbers on.
template <class T>
static __device__ __forceinline__ Four four_of_row(const T *row, long long first, long long left, long long step3) {
    if (step3) return read_four(row + first, left);
    float one = row[0];
    return {{one, one, one, one}};
}
