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
