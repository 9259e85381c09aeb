// Operands that broadcast: an array of four axes, (n0,n1,n2,n3) numbers in order, and how far apart in an operand its
// neighbours along each lie, 0 where the operand is repeated.
#pragma once

// Where number i of the array is in the operand.
static __device__ __forceinline__ long long place_in(long long i, long long n1, long long n2, long long n3,
                                                     long long step0, long long step1, long long step2,
                                                     long long step3) {
    long long rows = i / n3, images = rows / n2;
    return images / n1 * step0 + images % n1 * step1 + rows % n2 * step2 + i % n3 * step3;
}
