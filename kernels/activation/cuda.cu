// activation on a GPU: y = f(x) and dx = dy f'(x), arrays of `count` numbers of any shape.
//
// All formulas are in each kernel, and the one that `formula` names runs: every thread takes the same way, so that the
// choice costs a few instructions beside the memory that each number waits for.
//
// v1_direct.  One thread makes one number.
// v2_vector.  One idea: a thread makes four neighbours, which one access of 16 bytes reads or writes (four.cuh).
#include "activations.cuh"
#include "four.cuh"

extern "C" __global__ void activation_forward_v1_direct(const float *x, float *y, long long count, int formula, float a,
                                                        float b, float c) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < count) y[i] = activation::value(formula, x[i], a, b, c);
}

extern "C" __global__ void activation_backward_v1_direct(const float *x, const float *y, const float *dy, float *dx,
                                                         long long count, int formula, float a, float b, float c) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < count) dx[i] = dy[i] * activation::slope(formula, x[i], y[i], a, b, c);
}

extern "C" __global__ void activation_forward_v2_vector(const float *x, float *y, long long count, int formula, float a,
                                                        float b, float c) {
    long long i = 4 * (blockIdx.x * (long long)blockDim.x + threadIdx.x);
    if (i >= count) return;
    Four four = read_four(x + i, count - i);
#pragma unroll
    for (int k = 0; k < 4; k++) four.at[k] = activation::value(formula, four.at[k], a, b, c);
    write_four(y + i, count - i, four);
}

extern "C" __global__ void activation_backward_v2_vector(const float *x, const float *y, const float *dy, float *dx,
                                                         long long count, int formula, float a, float b, float c) {
    long long i = 4 * (blockIdx.x * (long long)blockDim.x + threadIdx.x);
    if (i >= count) return;
    Four in = read_four(x + i, count - i), out = read_four(y + i, count - i), four = read_four(dy + i, count - i);
#pragma unroll
    for (int k = 0; k < 4; k++) four.at[k] *= activation::slope(formula, in.at[k], out.at[k], a, b, c);
    write_four(dx + i, count - i, four);
}
