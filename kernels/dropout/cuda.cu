// dropout on a GPU: y = x mask scale, for x of `count` numbers, along which the mask of zeros and ones is repeated.
#include "broadcast.cuh"

// One thread makes one number.
extern "C" __global__ void dropout_v1_direct(const unsigned char *mask, const float *x, float *y, float scale,
                                             long long count, long long n1, long long n2, long long n3,
                                             long long step0, long long step1, long long step2, long long step3) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < count) y[i] = x[i] * mask[place_in(i, n1, n2, n3, step0, step1, step2, step3)] * scale;
}

// One thread makes four neighbours of a row (n3), by accesses of 16 bytes (four.cuh).
extern "C" __global__ void dropout_v2_vector(const unsigned char *mask, const float *x, float *y, float scale,
                                             long long count, long long n1, long long n2, long long n3,
                                             long long step0, long long step1, long long step2, long long step3) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x, fours = (n3 + 3) / 4;
    long long row = i / fours, first = i % fours * 4, left = n3 - first;
    if (row * n3 >= count) return;
    Four kept = four_of_row(mask + row_in(row, n1, n2, step0, step1, step2), first, left, step3);
    Four four = read_four(x + row * n3 + first, left);
#pragma unroll
    for (int k = 0; k < 4; k++) four.at[k] = four.at[k] * kept.at[k] * scale;
    write_four(y + row * n3 + first, left, four);
}
