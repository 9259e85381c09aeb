// dense on a GPU, as it is defined: x (R,I), w (I,O), y (R,O).  One thread makes one number, its sum in a register.
#include "epilogue.cuh"

// y[r,o] = clip(sum over i of x[r,i] * w[i,o] + bias[o] + residual[r,o], low, high): neighbouring threads read
// neighbouring columns of w, and the same number of x.
extern "C" __global__ void dense_forward_v1_direct(const float *x, const float *w, const float *bias,
                                                   const float *residual, float *y, float low, float high,
                                                   long long count, int inputs, int outputs) {
    long long place = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (place >= count) return;
    int o = place % outputs;
    const float *row = x + place / outputs * inputs;
    float sum = 0;
    for (int i = 0; i < inputs; i++) sum += row[i] * w[(long long)i * outputs + o];
    y[place] = finished(sum, bias, residual, place, o, low, high);
}

// dx[r,i] = sum over o of dy[r,o] * w[i,o]: every thread walks along a row of w of its own.
extern "C" __global__ void dense_backward_input_v1_direct(const float *dy, const float *w, float *dx, long long count,
                                                          int inputs, int outputs) {
    long long place = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (place >= count) return;
    const float *row = dy + place / inputs * outputs, *weights = w + place % inputs * outputs;
    float sum = 0;
    for (int o = 0; o < outputs; o++) sum += row[o] * weights[o];
    dx[place] = sum;
}

// dw[i,o] = sum over r of x[r,i] * dy[r,o].
extern "C" __global__ void dense_backward_weights_v1_direct(const float *x, const float *dy, float *dw, long long count,
                                                            int rows, int inputs, int outputs) {
    long long place = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (place >= count) return;
    int i = place / outputs, o = place % outputs;
    float sum = 0;
    for (int r = 0; r < rows; r++) sum += x[(long long)r * inputs + i] * dy[(long long)r * outputs + o];
    dw[place] = sum;
}
