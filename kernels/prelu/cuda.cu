// prelu on a GPU: y = x where x > 0, else alpha x, for x of `count` numbers, along which alpha is repeated.
#include "broadcast.cuh"

// One thread makes one number.
extern "C" __global__ void prelu_forward_v1_direct(const float *alpha, const float *x, float *y, long long count,
                                                   long long n1, long long n2, long long n3, long long step0,
                                                   long long step1, long long step2, long long step3) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    y[i] = x[i] > 0 ? x[i] : alpha[place_in(i, n1, n2, n3, step0, step1, step2, step3)] * x[i];
}

// dx = dy above zero, alpha dy below, 0 at zero; share = dy min(x, 0), which dalpha is the sum of.
extern "C" __global__ void prelu_backward_v1_direct(const float *alpha, const float *x, const float *dy, float *dx,
                                                    float *share, long long count, long long n1, long long n2,
                                                    long long n3, long long step0, long long step1, long long step2,
                                                    long long step3) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    float below = alpha[place_in(i, n1, n2, n3, step0, step1, step2, step3)] * dy[i];
    dx[i] = x[i] > 0 ? dy[i] : x[i] == 0 ? 0 : below;
    share[i] = x[i] >= 0 ? 0 : dy[i] * x[i];
}

// One thread makes four neighbours of a row (n3), by accesses of 16 bytes (four.cuh).
extern "C" __global__ void prelu_forward_v2_vector(const float *alpha, const float *x, float *y, long long count,
                                                   long long n1, long long n2, long long n3, long long step0,
                                                   long long step1, long long step2, long long step3) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x, fours = (n3 + 3) / 4;
    long long row = i / fours, first = i % fours * 4, left = n3 - first;
    if (row * n3 >= count) return;
    Four slope = four_of_row(alpha + row_in(row, n1, n2, step0, step1, step2), first, left, step3);
    Four four = read_four(x + row * n3 + first, left);
#pragma unroll
    for (int k = 0; k < 4; k++) four.at[k] = four.at[k] > 0 ? four.at[k] : slope.at[k] * four.at[k];
    write_four(y + row * n3 + first, left, four);
}

extern "C" __global__ void prelu_backward_v2_vector(const float *alpha, const float *x, const float *dy, float *dx,
                                                    float *share, long long count, long long n1, long long n2,
                                                    long long n3, long long step0, long long step1, long long step2,
                                                    long long step3) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x, fours = (n3 + 3) / 4;
    long long row = i / fours, first = i % fours * 4, left = n3 - first;
    if (row * n3 >= count) return;
    Four slope = four_of_row(alpha + row_in(row, n1, n2, step0, step1, step2), first, left, step3);
    Four in = read_four(x + row * n3 + first, left), out = read_four(dy + row * n3 + first, left), shares;
#pragma unroll
    for (int k = 0; k < 4; k++) {
        float value = in.at[k], gradient = out.at[k];
        shares.at[k] = value >= 0 ? 0 : gradient * value;
        out.at[k] = value > 0 ? gradient : value == 0 ? 0 : slope.at[k] * gradient;
    }
    write_four(dx + row * n3 + first, left, out);
    write_four(share + row * n3 + first, left, shares);
}
