// channel_sum on a GPU: y[c] = sum over r of x[r,c], x (R,C).
//
// v2_reduce.  One idea: a block takes 32 channels, and its 32 rows of threads a row of x each in turn, so that 32 times
// as many threads read; their sums are then added as a tree.
#include "reduce.cuh"

extern "C" __global__ void __launch_bounds__(1024)
    channel_sum_forward_v2_reduce(const float *x, float *y, long long rows, int channels) {
    __shared__ double scratch[1024];
    int c = blockIdx.x * 32 + threadIdx.x;
    double sum = 0;
    if (c < channels)
        for (long long r = threadIdx.y; r < rows; r += 32) sum += x[r * channels + c];
    sum = folded(sum, scratch, [](double a, double b) { return a + b; });
    if (threadIdx.y == 0 && c < channels) y[c] = float(sum);
}
