// dropout on a GPU: y = x mask scale, for x of `count` numbers, along which the mask of zeros and ones is repeated.
#include "broadcast.cuh"

// One thread makes one number.
extern "C" __global__ void dropout_v1_direct(const unsigned char *mask, const float *x, float *y, float scale,
                                             long long count, long long n1, long long n2, long long n3,
                                             long long step0, long long step1, long long step2, long long step3) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < count) y[i] = x[i] * mask[place_in(i, n1, n2, n3, step0, step1, step2, step3)] * scale;
}
