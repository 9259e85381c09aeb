// softmax_crossentropy on a GPU, as it is defined: one thread a row of logits x and targets t (N,K).
//
//     z = sum over j of exp(x[j] - m),   m = the largest x      p[k] = exp(x[k] - m) / z
//     loss = sum over k of t[k] (log z - (x[k] - m)),   without the classes of target 0
#include "softmax.cuh"

extern "C" __global__ void softmax_crossentropy_forward_v1_direct(const float *x, const float *t, float *loss, float *p,
                                                                  long long rows, int count) {
    long long n = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (n >= rows) return;
    const float *row = x + n * count, *targets = t + n * count;
    float most = largest(row, count, 0, 1);
    double z = sum_of_powers(row, most, count, 0, 1), sum = 0;
    float share = float(1 / z), log_z = float(log(z));
    for (int k = 0; k < count; k++) {
        float above = row[k] - most;
        if (targets[k] != 0) sum += double(targets[k]) * (log_z - above);
        p[n * count + k] = expf(above) * share;
    }
    loss[n] = float(sum);
}

// dx[k] = (p[k] sum over j of t[j] - t[k]) dloss
extern "C" __global__ void softmax_crossentropy_backward_v1_direct(const float *p, const float *t, const float *dloss,
                                                                   float *dx, long long rows, int count) {
    long long n = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (n >= rows) return;
    const float *targets = t + n * count;
    double sum = 0;
    for (int k = 0; k < count; k++) sum += targets[k];
    float total = float(sum);
    for (int k = 0; k < count; k++) dx[n * count + k] = (p[n * count + k] * total - targets[k]) * dloss[n];
}
