// softmax on a GPU, as it is defined: one thread a row of x (R,K).
//
//     y[k] = exp(x[k] - m) / sum over j of exp(x[j] - m),   m = the largest x;     or the logarithm of that
#include "softmax.cuh"

// y may be x itself: a thread reads its row to the end before it writes, and then each number before its place.
extern "C" __global__ void softmax_forward_v1_direct(const float *x, float *y, int logarithm, long long rows,
                                                     int count) {
    long long r = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (r >= rows) return;
    const float *row = x + r * count;
    float most = largest(row, count, 0, 1);
    double total = sum_of_powers(row, most, count, 0, 1);
    float shift = float(log(total)), share = float(1 / total);
    for (int k = 0; k < count; k++) y[r * count + k] = logarithm ? row[k] - most - shift : expf(row[k] - most) * share;
}

// dx[k] = y[k] (dy[k] - sum of dy y),   or for the logarithm   dx[k] = dy[k] - exp(y[k]) sum of dy
extern "C" __global__ void softmax_backward_v1_direct(const float *y, const float *dy, float *dx, int logarithm,
                                                      long long rows, int count) {
    long long r = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (r >= rows) return;
    const float *row = y + r * count, *gradients = dy + r * count;
    double sum = 0;
    for (int k = 0; k < count; k++) sum += logarithm ? gradients[k] : double(gradients[k]) * row[k];
    float total = float(sum);
    for (int k = 0; k < count; k++)
        dx[r * count + k] = logarithm ? gradients[k] - expf(row[k]) * total : row[k] * (gradients[k] - total);
}
